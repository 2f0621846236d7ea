"""What was taken back says so itself: a reader of the first need not search for the second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from firm.actor import Role
from firm.db import transaction
from firm.ledger import accounts, journal
from firm.ledger.entry import Entry, credit, debit
from tests import lovelace
from tests.api.callers import Caller, as_role
from tests.api.conftest import serving
from tests.api.matrix import cells

WAYS = [
    ("adjustments", "reverses_id", "reversed_by_id"),
    ("statements", "corrects_id", "corrected_by_id"),
    ("self-billed-invoices", "credits_id", "credited_by_id"),
]


@pytest.fixture
def lead(sqlite_url: str) -> Iterator[Caller]:
    with time_machine.travel(lovelace.AFTER.replace(day=20), tick=False):
        for app in serving(sqlite_url):
            cells.set_up(app)
            yield as_role(app, Role.LEAD)


@pytest.mark.parametrize(("resource", "back", "forth"), WAYS)
def test_the_first_names_the_second_and_the_second_the_first(
    lead: Caller, resource: str, back: str, forth: str
) -> None:
    items = lead.get(f"/v1/{resource}?limit=200")["items"]
    taken_back = {item[back]: item["id"] for item in items if item[back]}
    assert taken_back
    for item in items:
        assert item[forth] == taken_back.get(item["id"])
        assert lead.get(f"/v1/{resource}/{item['id']}")[forth] == item[forth]


def test_an_entry_names_the_one_that_takes_it_back(lead: Caller) -> None:
    nine = lovelace.usd("9.00")
    with lead.app.app_context(), transaction() as session:
        lines = (debit(accounts.EXCHANGE, nine), credit(accounts.BANK, nine))
        lunch = Entry("lunch", lovelace.AFTER.date(), "Lunch", lines)
        journal.post(session, lunch, by=lovelace.LEAD, now=lovelace.AFTER)
    [first] = lead.get("/v1/journal-entries?order=newest&limit=1")["items"]
    assert first["reversed_by"] is None
    turned = lead.post(f"/v1/journal-entries/{first['id']}/reversal", {"on": "2026-11-01", "reason": "Eaten twice"})
    assert (turned["reverses"], turned["reversed_by"]) == (first["id"], None)
    assert lead.get(f"/v1/journal-entries/{first['id']}")["reversed_by"] == turned["id"]
