"""The door for what Stripe tells: what comes in is stored once, and what is not Stripe's changes nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import text

from api.app import create_app
from firm import clock
from firm.access.rules import new_secret
from firm.db import db, reading
from tests import lovelace
from tests.api.callers import problem_of
from tests.api.deliveries import CONNECT, PLATFORM, deliver, rows, signed, snapshot, thin
from tests.databases import settings_for
from tests.payouts.interruptions import losing_the_connection_at

EVENTS = "SELECT event_id, endpoint, account, type, object_id, state FROM provider_event ORDER BY event_id"
JOBS = "SELECT kind, state FROM job ORDER BY id"
BOOKKEEPING = {"allowance", "token_use"}


def opened(url: str, **changes: Any) -> Iterator[Flask]:
    secrets = {
        "stripe_webhook_secrets": SecretStr(f"whsec_new, {PLATFORM}"),
        "stripe_connect_webhook_secrets": SecretStr(CONNECT),
    }
    with time_machine.travel(lovelace.AFTER, tick=False):
        app = create_app(settings_for(url).model_copy(update=secrets | changes))
        yield app
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def firm(fresh_url: str) -> Iterator[Flask]:
    """An application that shares secrets with Stripe, on each engine."""
    yield from opened(fresh_url)


@pytest.fixture
def small(sqlite_url: str) -> Iterator[Flask]:
    """The same on SQLite."""
    yield from opened(sqlite_url)


def state(app: Flask) -> dict[str, str]:
    """Every row of every table, but for the counting of failures."""
    with app.app_context(), reading() as session:
        tables = sorted(set(db.metadata.tables) - BOOKKEEPING)
        return {table: repr(session.execute(text(f'SELECT * FROM "{table}"')).all()) for table in tables}


def test_an_event_is_stored_with_the_job_that_applies_it(firm: Flask) -> None:
    answer = deliver(firm, snapshot())
    assert (answer.status_code, answer.get_json()) == (200, {"received": True})
    assert rows(firm, EVENTS) == [("evt_1", "platform", None, "transfer.created", "tr_1", "stored")]
    assert rows(firm, JOBS) == [("provider-events.apply", "queued")]
    assert rows(firm, "SELECT verb, actor FROM audit_record") == [("provider-event.stored", "stripe-webhook")]


def test_an_event_of_a_payees_account_comes_to_the_other_address(firm: Flask) -> None:
    payout = {"object": {"id": "po_1", "object": "payout"}}
    event = snapshot(kind="payout.failed", account="acct_grace", data=payout)
    assert deliver(firm, event, "/webhooks/stripe-connect").status_code == 200
    assert rows(firm, EVENTS) == [("evt_1", "connect", "acct_grace", "payout.failed", "po_1", "stored")]


def test_a_thin_event_is_stored_too(firm: Flask) -> None:
    assert deliver(firm, thin(), "/webhooks/stripe-connect").status_code == 200
    assert rows(firm, EVENTS) == [
        ("evt_2", "connect", None, "v2.core.account[requirements].updated", "acct_grace", "stored")
    ]


def test_a_type_that_nobody_knows_is_stored(firm: Flask) -> None:
    assert deliver(firm, snapshot(kind="moon.landed", data={})).status_code == 200
    assert rows(firm, EVENTS) == [("evt_1", "platform", None, "moon.landed", None, "stored")]


def test_the_same_event_twice_is_one(firm: Flask) -> None:
    for _ in range(3):
        assert deliver(firm, snapshot()).status_code == 200
    assert len(rows(firm, EVENTS)) == len(rows(firm, JOBS)) == 1


def test_the_same_event_ten_times_at_once_is_one(firm: Flask) -> None:
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(deliver(firm, snapshot()).status_code)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 10
    assert len(rows(firm, EVENTS)) == len(rows(firm, JOBS)) == 1


def test_nothing_of_the_body_is_kept_but_what_it_is_about(firm: Flask) -> None:
    person = {"id": "acct_grace", "object": "account", "individual": {"last_name": "Hopper", "dob": {"year": 1906}}}
    deliver(firm, snapshot(kind="account.updated", data={"object": person}), "/webhooks/stripe-connect")
    kept = " ".join(state(firm).values())
    assert "acct_grace" in kept
    assert "Hopper" not in kept
    assert "1906" not in kept


def test_each_address_has_secrets_of_its_own(firm: Flask) -> None:
    assert deliver(firm, snapshot(), secret=CONNECT).status_code == 400
    assert deliver(firm, snapshot(), "/webhooks/stripe-connect", secret=PLATFORM).status_code == 400
    assert rows(firm, EVENTS) == []


def test_during_a_rotation_old_and_new_are_taken(firm: Flask) -> None:
    assert deliver(firm, snapshot("evt_old"), secret=PLATFORM).status_code == 200
    assert deliver(firm, snapshot("evt_new"), secret="whsec_new").status_code == 200
    assert len(rows(firm, EVENTS)) == 2


def forgeries() -> dict[str, tuple[object, dict[str, Any]]]:
    body = json.dumps(snapshot()).encode()
    good = signed(body, PLATFORM)
    return {
        "no signature": (body, {"header": "none"}),
        "a wrong secret": (body, {"secret": "whsec_guessed"}),
        "one byte changed": (body.replace(b"tr_1", b"tr_2"), {"header": good}),
        "one byte more": (body + b" ", {"header": good}),
        "stale": (body, {"header": signed(body, PLATFORM, seconds=-301)}),
        "of the future": (body, {"header": signed(body, PLATFORM, seconds=301)}),
        "no UTF-8": (b'{"id": "\xff"}', {}),
        "no JSON": (b"evt_1", {}),
        "a list": ([snapshot()], {}),
        "deep": (b"[" * 50_000, {}),
        "not an event": ({"id": "tr_1", "object": "transfer"}, {}),
        "live": (snapshot(livemode=True), {}),
        "without mode": (snapshot(livemode=None), {}),
    }


@pytest.mark.parametrize("kind", forgeries())
def test_what_stripe_did_not_say_now_and_to_us_changes_nothing(small: Flask, kind: str) -> None:
    before = state(small)
    body, options = forgeries()[kind]
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    if not options:
        # Stripe's generator takes text; these bytes are none.
        at = int(clock.now().timestamp())
        seal = hmac.new(PLATFORM.encode(), b"%d." % at + raw, hashlib.sha256).hexdigest()
        options = {"header": f"t={at},v1={seal}"}
    answer = deliver(small, raw, **options)
    assert answer.status_code == 400, answer.get_data(as_text=True)
    assert problem_of(answer)["detail"]
    assert state(small) == before


def test_a_delivery_without_the_header_is_refused(small: Flask) -> None:
    assert small.test_client().post("/webhooks/stripe", json=snapshot()).status_code == 400
    assert rows(small, EVENTS) == []


def test_a_body_beyond_all_measure_is_refused_before_it_is_hashed(small: Flask) -> None:
    body = json.dumps(snapshot(padding="x" * 300_000)).encode()
    assert deliver(small, body).status_code == 413
    assert deliver(small, b" " * 2_000_000, header="t=1,v1=1").status_code == 413
    assert rows(small, EVENTS) == []


def test_a_compressed_body_is_refused(small: Flask) -> None:
    assert deliver(small, snapshot(), headers={"Content-Encoding": "gzip"}).status_code == 415


def test_a_token_does_not_open_the_door(small: Flask) -> None:
    headers = {"Authorization": f"Bearer {new_secret()}"}
    answer = small.test_client().post("/webhooks/stripe", json=snapshot(), headers=headers)
    assert answer.status_code == 400


def test_an_idempotency_key_makes_no_difference(small: Flask) -> None:
    for number in range(2):
        answer = deliver(small, snapshot(f"evt_{number}"), headers={"Idempotency-Key": "k"})
        assert answer.status_code == 200
    assert len(rows(small, EVENTS)) == 2


def test_there_is_nothing_to_read_here(small: Flask) -> None:
    assert small.test_client().get("/webhooks/stripe").status_code == 401


def test_failures_have_an_allowance_and_what_is_signed_has_none(sqlite_url: str) -> None:
    for app in opened(sqlite_url, strangers_per_minute=5):
        codes = [deliver(app, snapshot(), secret="whsec_guessed").status_code for _ in range(8)]
        assert codes == [400] * 5 + [429] * 3
        assert {deliver(app, snapshot(f"evt_{number}")).status_code for number in range(20)} == {200}
        assert len(rows(app, EVENTS)) == 20


def test_without_secrets_nothing_is_taken_and_the_log_says_why(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    for app in opened(sqlite_url, stripe_connect_webhook_secrets=SecretStr("")):
        with caplog.at_level(logging.ERROR, "chambers.webhooks"):
            answer = deliver(app, snapshot(), "/webhooks/stripe-connect", secret="whsec_any")
        assert answer.status_code == 503
        assert "STRIPE_CONNECT_WEBHOOK_SECRETS is not set" in caplog.text
        assert deliver(app, snapshot()).status_code == 200


def test_while_the_database_is_away_stripe_is_asked_to_come_again(postgresql_url: str) -> None:
    for app in opened(postgresql_url):
        with app.app_context(), losing_the_connection_at(2):
            answer = deliver(app, snapshot())
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert rows(app, EVENTS) == []
        assert deliver(app, snapshot()).status_code == 200
        assert len(rows(app, EVENTS)) == 1


def test_the_log_says_nothing_of_what_came(small: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        deliver(small, snapshot(data={"object": {"id": "tr_1", "note": "Hopper"}}))
        deliver(small, snapshot("evt_2"), secret="whsec_guessed")
    assert "Hopper" not in caplog.text
    assert "whsec" not in caplog.text
