"""Names, countries and addresses are written in one way, through whichever door they come."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from firm.billing import receipts
from firm.clients import operations as clients
from firm.particulars import InvalidParticulars, checked_country, checked_email, checked_name
from firm.profile.operations import DayAhead
from payouts import month_end
from payouts.runs import settling
from staffing.maintainers import operations as maintainers
from tests import lovelace
from tests.lovelace import AFTER, BEFORE, LEAD
from tests.payouts import paying
from tests.payouts.bank import Bank


@pytest.mark.parametrize("country", ["us", "USA", "U", "", "U1", "ÜS", "US ", "1A", "ZZ", "XX", "EU"])
def test_a_country_is_two_capital_letters(country: str) -> None:
    with pytest.raises(InvalidParticulars, match="such as US or DE"):
        checked_country(country)


@pytest.mark.parametrize("email", ["nomail", "", "a@", "@b", "a b@c", "a@b,c@d", "<a@b>"])
def test_an_address_is_one_address(email: str) -> None:
    with pytest.raises(InvalidParticulars, match=r"such as ada@example\.org"):
        checked_email(email)


@pytest.mark.parametrize("name", ["a\nb", "a\x00", "\u202eevil", "a\u2066b", "\ufeff", "a\u2028b", "\t", ""])
def test_a_name_is_one_line_of_what_people_see(name: str) -> None:
    with pytest.raises(InvalidParticulars):
        checked_name(name)


@pytest.mark.parametrize("name", ["Zoë", "محمد", "नीरज", "می\u200cخواهم", "李", "O'Neil & Söhne (1999) GmbH"])
def test_names_of_every_script_stay_as_they_are(name: str) -> None:
    assert checked_name(f"  {name} ") == name


def test_what_is_well_written_stays_as_it_is() -> None:
    assert (checked_country("DE"), checked_email("ada@example.org"), checked_name("Ada")) == (
        "DE",
        "ada@example.org",
        "Ada",
    )


def test_every_door_asks(sqlite_app: Flask) -> None:
    lovelace.establish()
    for name, country in ((" ", "US"), ("Acme", "usa")):
        with pytest.raises(InvalidParticulars):
            clients.register(name=name, country=country, by=LEAD, now=BEFORE)
    clients.register(name="Acme", country="US", by=LEAD, now=BEFORE)
    with pytest.raises(InvalidParticulars):
        clients.add_contact("Acme", name="Ann", email="nomail", role="champion", by=LEAD, now=BEFORE)
    for name, email, country in (("", "a@b.c", "US"), ("Ada", "nomail", "US"), ("Ada", "a@b.c", "us")):
        with pytest.raises(InvalidParticulars):
            maintainers.add(
                name=name, email=email, country=country, grade="junior", works_as="owner", by=LEAD, now=BEFORE
            )


def test_money_is_entered_when_it_has_moved(sqlite_app: Flask) -> None:
    lovelace.set_up()
    month_end.close(lovelace.OCTOBER, by=LEAD, now=AFTER)
    number = paying.approved()
    paying.send(number, Bank())
    payout, before = paying.payout_to(number, "Grace"), lovelace.trial_balance()
    later = date(2027, 11, 2)
    with pytest.raises(DayAhead, match="2 November 2027 is still to come"):
        settling.settle(payout.id, reference="wire", on=later, by=LEAD, now=AFTER)
    with pytest.raises(DayAhead):
        settling.give_back(payout.id, reason="closed", on=later, by=LEAD, now=AFTER)
    with pytest.raises(DayAhead):
        receipts.record(
            "INV-2026-0001", amount=lovelace.usd("1.00"), received_on=later, reference="b", by=LEAD, now=AFTER
        )
    assert lovelace.trial_balance() == before
    # A bank's day of value may lie a little ahead.
    settling.settle(payout.id, reference="wire", on=date(2026, 11, 5), by=LEAD, now=AFTER)
