"""Settings: a wrong one is named in one sentence that gives nothing away."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from firm import settings
from firm.errors import Misconfigured

KEY = base64.b64encode(b"k" * 32).decode()
CANARY = "s3cr3t-canary"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "SECRET_KEYS", "SQLITE_SYNCHRONOUS", "LIVE"):
        monkeypatch.delenv(f"CHAMBERS_{name}", raising=False)
    for name in ("API_KEY", "API_BASE", "WEBHOOK_SECRETS", "CONNECT_WEBHOOK_SECRETS"):
        monkeypatch.delenv(f"STRIPE_{name}", raising=False)


def test_without_an_environment_the_books_are_a_file_written_with_care() -> None:
    loaded = settings.load()
    assert loaded.sqlite_path == Path("var/chambers.db")
    assert loaded.sqlite_synchronous == "FULL"
    assert loaded.keys == {}


def test_keys_are_read_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    older = base64.b64encode(b"o" * 32).decode()
    monkeypatch.setenv("CHAMBERS_SECRET_KEYS", f" new:{KEY} , old:{older},")
    assert list(settings.load().keys.items()) == [("new", b"k" * 32), ("old", b"o" * 32)]


def test_books_in_postgresql_have_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAMBERS_DATABASE_URL", "postgresql://firm@db/books")
    assert settings.load().sqlite_path is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHAMBERS_DATABASE_URL", f"no address {CANARY}"),
        ("CHAMBERS_DATABASE_URL", f"mysql://firm:{CANARY}@db/books"),
        ("CHAMBERS_DATABASE_URL", ""),
        ("CHAMBERS_SQLITE_SYNCHRONOUS", "OFF"),
        ("CHAMBERS_SECRET_KEYS", f"k1:{CANARY}"),
        ("CHAMBERS_SECRET_KEYS", CANARY),
        ("CHAMBERS_SECRET_KEYS", f"k1:{KEY[:20]}"),
        ("CHAMBERS_SECRET_KEYS", f":{KEY}"),
        ("CHAMBERS_SECRET_KEYS", f"k1:{KEY},k2"),
        ("STRIPE_API_KEY", CANARY),
        ("STRIPE_API_KEY", f"pk_test_{CANARY}"),
        ("STRIPE_API_KEY", "sk_live_canary"),
        ("STRIPE_API_KEY", "sk_test_canary,sk_live_canary"),
        ("STRIPE_API_BASE", f"http://{CANARY}.example"),
        ("STRIPE_API_BASE", f"https://{CANARY}@stripe.example"),
        ("STRIPE_API_BASE", "http://10.0.0.1:80"),
        ("STRIPE_API_BASE", "https://stripe.example:port"),
        ("STRIPE_CALLS_A_SECOND", "0"),
        ("STRIPE_WEBHOOK_SECRETS", f"whsec_ok,{CANARY}"),
        ("STRIPE_CONNECT_WEBHOOK_SECRETS", CANARY),
        ("CHAMBERS_ONBOARDING_PAGE", "http://pay.lovelace.example"),
        ("CHAMBERS_ONBOARDING_PAGE", "javascript:alert(1)"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured) as refusal:
        settings.load()
    sentence = str(refusal.value)
    assert sentence.startswith(f"The environment variable {name} is wrong: ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert CANARY not in sentence
    assert KEY[:20] not in sentence
    assert refusal.value.__cause__ is None


def test_two_keys_to_stripe_are_read_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_new , rk_test_old")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_new,whsec_old")
    monkeypatch.setenv("STRIPE_API_BASE", "http://127.0.0.1:8431/")
    loaded = settings.load()
    assert loaded.stripe_keys == ["sk_test_new", "rk_test_old"]
    assert loaded.stripe_signing_secrets == ["whsec_new", "whsec_old"]
    assert loaded.stripe_connect_signing_secrets == []
    assert loaded.stripe_api_base == "http://127.0.0.1:8431"
    assert not loaded.stripe_is_live


def test_a_live_key_is_taken_when_it_is_said_to_be_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", "rk_live_real")
    with pytest.raises(Misconfigured, match="CHAMBERS_LIVE=1"):
        settings.load()
    monkeypatch.setenv("CHAMBERS_LIVE", "1")
    assert settings.load().stripe_is_live


def test_the_same_settings_for_another_database_keep_the_keys_to_stripe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_kept")
    assert settings.for_database(settings.load(), "sqlite:///other.db", named="--to").stripe_keys == ["sk_test_kept"]


def test_secrets_of_stripe_are_not_shown_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("API_KEY", "sk_test_"), ("WEBHOOK_SECRETS", "whsec_"), ("CONNECT_WEBHOOK_SECRETS", "whsec_")):
        monkeypatch.setenv(f"STRIPE_{name}", value + "canary")
    assert "canary" not in f"{settings.load()} {settings.load()!r}"


def test_keys_are_not_shown_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAMBERS_SECRET_KEYS", f"k1:{KEY}")
    assert KEY not in f"{settings.load()} {settings.load()!r}"


def test_settings_do_not_change_while_the_firm_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = settings.load()
    with pytest.raises(ValueError, match="frozen"):
        loaded.sqlite_synchronous = "NORMAL"


def test_a_malformed_address_never_repeats_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAMBERS_DATABASE_URL", "postgresql://firm:s3cr@t:canary@db/books")
    with pytest.raises(Misconfigured) as error:
        settings.load()
    assert "canary" not in str(error.value)


@pytest.mark.parametrize("keys", ["k.1:{0}", "k1:{0},k1:{1}"])
def test_key_ids_that_could_not_be_told_apart_are_refused(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    encoded = (base64.b64encode(letter * 32).decode() for letter in (b"k", b"j"))
    monkeypatch.setenv("CHAMBERS_SECRET_KEYS", keys.format(*encoded))
    with pytest.raises(Misconfigured):
        settings.load()
