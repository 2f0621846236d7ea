"""The firm itself: established once, its switches in the log."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from api.parts import parts
from firm.db import reading
from firm.money import InvalidMoney
from firm.profile import operations as profiles
from firm.profile.changes import SEALED, change_firm
from firm.profile.operations import AlreadyEstablished, InvalidProfile, NotEstablished
from tests import lovelace
from tests.examples.refusals import refused
from tests.lovelace import BEFORE, LEAD, OCTOBER

IBAN = "DE89370400440532013000"


def establish(**changes: Any) -> object:
    values: dict[str, Any] = {
        "name": "Lovelace Maintainers",
        "address": ["London"],
        "email": "office@lovelace.example",
        "currency": "USD",
        "time_zone": "Europe/London",
        "first_month": OCTOBER,
    }
    return profiles.establish(by=LEAD, now=BEFORE, **values | changes)


def test_a_database_holds_one_firm(app: Flask) -> None:
    establish()
    with refused(AlreadyEstablished, "This database holds a firm already; use another database"):
        establish(name="Babbage Maintainers")
    lovelace.assert_books_hold()


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "Europe", "europe/nowhere", "/etc/localtime"])
def test_a_time_zone_that_is_none_is_refused(sqlite_app: Flask, zone: str) -> None:
    with refused(InvalidProfile, "is no time zone; use a name such as Europe/Berlin"):
        establish(time_zone=zone)


@pytest.mark.parametrize("color", ["red", "#1F3A5F", "#1f3a5", "#1f3a5f0", ""])
def test_a_color_that_is_none_is_refused(sqlite_app: Flask, color: str) -> None:
    with refused(InvalidProfile, "is no color; write it as #1f3a5f"):
        establish(color=color)


@pytest.mark.parametrize("currency", ["XAU", "usd", "DOLLARS", ""])
def test_books_are_kept_in_a_national_currency(sqlite_app: Flask, currency: str) -> None:
    with refused(InvalidMoney, "currency"):
        establish(currency=currency)


def test_nothing_is_switched_before_the_firm_is_established(sqlite_app: Flask) -> None:
    with refused(NotEstablished, "There is no firm in this database yet; run `chambers init` first"):
        change_firm(sole_approval=True, by=LEAD, now=BEFORE)
    with refused(NotEstablished, "There is no firm in this database yet"):
        change_firm(iban=IBAN, keys=parts().keys, by=LEAD, now=BEFORE)


def test_the_firms_account_is_sealed_and_the_log_knows_its_end_only(app: Flask) -> None:
    establish()
    change_firm(iban=IBAN, bic="COBADEFFXXX", keys=parts().keys, by=LEAD, now=BEFORE)
    with reading() as session:
        kept = repr(session.execute(text("SELECT * FROM profile")).all())
        kept += repr(session.execute(text("SELECT * FROM audit_record")).all())
        sealed = profiles.current(session).iban_sealed
    assert IBAN not in kept
    assert '"last4":"3000"' in kept
    assert parts().keys.open(str(sealed), place=SEALED.place) == IBAN
