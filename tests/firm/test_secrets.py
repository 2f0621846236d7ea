"""Bank details at rest open only where they belong, with a key of the firm."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firm import secrets
from firm.errors import Misconfigured
from firm.secrets import SecretKeyMissing, SecretKeys, SecretUnreadable

OLD, NEW = {"old": b"o" * 32}, {"new": b"n" * 32}
IBAN = "DE89370400440532013000"
PLACE = "destination.iban:dst_1"


@given(st.text(), st.text())
def test_what_is_sealed_opens_in_its_place(text: str, place: str) -> None:
    keys = SecretKeys(NEW)
    assert keys.open(keys.seal(text, place=place), place=place) == text


def test_a_value_moved_to_another_row_does_not_open() -> None:
    keys = SecretKeys(NEW)
    with pytest.raises(SecretUnreadable, match="moved or changed"):
        keys.open(keys.seal(IBAN, place=PLACE), place="destination.iban:dst_2")


def test_a_changed_value_does_not_open() -> None:
    keys = SecretKeys(NEW)
    version, name, encoded = keys.seal(IBAN, place=PLACE).split(".")
    raw = bytearray(base64.b64decode(encoded))
    for position in range(len(raw)):
        changed = bytearray(raw)
        changed[position] ^= 1
        with pytest.raises(SecretUnreadable):
            keys.open(f"{version}.{name}.{base64.b64encode(changed).decode()}", place=PLACE)


def test_the_same_iban_sealed_twice_looks_different_and_shows_nothing() -> None:
    keys = SecretKeys(NEW)
    one, other = keys.seal(IBAN, place=PLACE), keys.seal(IBAN, place=PLACE)
    assert one != other
    assert IBAN not in one


def test_after_a_rotation_old_values_open_and_new_ones_use_the_new_key() -> None:
    sealed = SecretKeys(OLD).seal(IBAN, place=PLACE)
    rotated = SecretKeys(NEW | OLD)
    assert rotated.open(sealed, place=PLACE) == IBAN
    assert rotated.seal(IBAN, place=PLACE).startswith("v1.new.")


def test_a_lost_key_is_named() -> None:
    sealed = SecretKeys(OLD).seal(IBAN, place=PLACE)
    with pytest.raises(SecretKeyMissing, match="'old' is not among CHAMBERS_SECRET_KEYS"):
        SecretKeys(NEW).open(sealed, place=PLACE)


def test_another_key_under_the_same_name_is_a_wrong_setting_that_is_named() -> None:
    sealed = SecretKeys(OLD).seal(IBAN, place=PLACE)
    with pytest.raises(Misconfigured, match="The key 'old' of CHAMBERS_SECRET_KEYS does not open"):
        SecretKeys({"old": b"x" * 32}).open(sealed, place=PLACE)


def test_keys_are_tried_until_they_fit_and_then_never_again() -> None:
    tried: list[bool] = []

    def refuse_once() -> None:
        tried.append(True)
        if len(tried) == 1:
            raise Misconfigured("These are other keys.")

    keys = SecretKeys(NEW, before_sealing=refuse_once)
    with pytest.raises(Misconfigured, match="other keys"):
        keys.seal(IBAN, place=PLACE)
    for _ in range(3):
        keys.seal(IBAN, place=PLACE)
    assert len(tried) == 2


@pytest.mark.parametrize("sealed", ["", "v2.new.AAAA", "new.AAAA", IBAN])
def test_what_was_never_sealed_does_not_open(sealed: str) -> None:
    with pytest.raises(SecretUnreadable):
        SecretKeys(NEW).open(sealed, place=PLACE)


def test_without_a_key_nothing_is_sealed() -> None:
    with pytest.raises(Misconfigured, match="CHAMBERS_SECRET_KEYS"):
        SecretKeys({}).seal(IBAN, place=PLACE)


def test_a_fresh_key_has_the_form_of_the_setting() -> None:
    name, _, encoded = secrets.new_key().partition(":")
    assert name.startswith("k")
    assert len(base64.b64decode(encoded, validate=True)) == 32
    assert secrets.new_key() != secrets.new_key()


@pytest.mark.parametrize("sealed", ["v1.new.A", "v1.new.AAAA", "v1.new.", "v1.new.é", "v1.new.Zm9vYmFyZm9vYmFyZm9v"])
def test_a_damaged_value_is_unreadable(sealed: str) -> None:
    with pytest.raises(SecretUnreadable):
        SecretKeys({"new": b"n" * 32}).open(sealed, place="p")
