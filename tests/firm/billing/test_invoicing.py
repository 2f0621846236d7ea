"""Invoices: one cycle in advance, prorated to the day, numbered without gaps, never without a required PO number."""

from __future__ import annotations

import json
from datetime import date

import pytest
from flask import Flask

from firm.billing import invoices
from firm.billing.invoices import MonthNotBegun
from firm.billing.rules import cycle_window, months_to_invoice
from firm.db import reading, transaction
from firm.engagements import operations as engagements
from firm.engagements.rules import Term
from firm.ledger import queries as ledger
from firm.ledger.operations import ReversedElsewhere, reverse_entry
from firm.ledger.periods import MonthClosed
from firm.month import Month
from firm.numbering.operations import take
from firm.profile.changes import change_firm
from firm.profile.operations import BeforeTheBooks
from payouts import month_end
from tests import lovelace
from tests.examples.refusals import refused
from tests.firm.billing import retainers
from tests.firm.billing.retainers import DECEMBER, NOVEMBER
from tests.lovelace import AFTER, BEFORE, LEAD, OCTOBER, usd


@pytest.fixture
def firm(app: Flask) -> Flask:
    """A firm that sells, with nothing sold yet."""
    retainers.establish()
    return app


@pytest.mark.parametrize(
    ("cycle", "expected"),
    [
        ("monthly", ["2026-10 3,100.00", "2026-11 3,100.00", "2026-12 3,100.00", "2027-01 3,100.00"]),
        ("quarterly", ["2026-10 9,300.00", "2027-01 9,300.00"]),
        ("yearly", ["2026-10 37,200.00"]),
    ],
)
def test_a_retainer_is_invoiced_once_a_cycle_in_advance(firm: Flask, cycle: str, expected: list[str]) -> None:
    retainers.sell("Acme", cycle=cycle)
    for number in range(4):
        retainers.close(OCTOBER.plus(number))
    assert [" ".join(line.split()[1:3]) for line in retainers.totals()] == expected
    assert {amount for _, _, amount, _ in retainers.recognized()} == {310_000}
    lovelace.assert_books_hold()


def test_first_and_last_month_are_prorated_to_the_day(firm: Flask) -> None:
    retainers.sell("Acme", starts_on=date(2026, 10, 22), ends_on=date(2026, 12, 8))
    for month in (OCTOBER, NOVEMBER, DECEMBER):
        retainers.close(month)
    assert retainers.totals() == [
        "INV-2026-0001 2026-10 1,000.00 USD",
        "INV-2026-0002 2026-11 3,100.00 USD",
        "INV-2026-0003 2026-12 700.00 USD",
    ]
    assert "liabilities:deferred-revenue" not in lovelace.trial_balance()
    lovelace.assert_books_hold()


def test_a_yearly_invoice_names_the_shorter_months_of_its_ends(firm: Flask) -> None:
    retainers.sell("Acme", cycle="yearly", starts_on=date(2026, 10, 22), ends_on=date(2026, 12, 8))
    retainers.invoice(OCTOBER, on=date(2026, 10, 25))
    assert retainers.totals() == ["INV-2026-0001 2026-10 4,800.00 USD"]
    [one] = retainers.issued()
    assert '"months":[{"amount":"1000.00","month":"2026-10"},{"amount":"3100.00"' in one.figures
    assert (one.issued_on, one.due_on, str(one.until_month)) == (date(2026, 10, 25), date(2026, 11, 24), "2027-01")
    lovelace.assert_books_hold()


def test_invoicing_a_month_again_issues_nothing(firm: Flask) -> None:
    retainers.sell("Acme")
    assert retainers.invoice(OCTOBER).issued == 1
    assert retainers.invoice(OCTOBER).issued == 0
    retainers.close(OCTOBER)
    with refused(MonthClosed, "October 2026 is closed"):
        retainers.invoice(OCTOBER)
    assert len(retainers.totals()) == 1
    lovelace.assert_books_hold()


def test_a_client_that_requires_a_po_number_is_held_back_and_named(firm: Flask) -> None:
    engagement = retainers.sell("Acme", requires_po=True)
    retainers.sell("Globex")
    invoicing = retainers.invoice(OCTOBER)
    way_out = f"enter it with `chambers engagement po-number {engagement} NUMBER` and invoice again."
    assert invoicing == invoices.Invoicing(1, (f"Acme requires a purchase order number; {way_out}",))
    lovelace.assert_books_hold()


def test_a_po_number_stands_on_the_invoice(firm: Flask) -> None:
    retainers.sell("Acme", requires_po=True, po_number="PO-77")
    assert retainers.invoice(OCTOBER).held_back == ()
    assert '"po_number":"PO-77"' in retainers.issued()[0].figures


def test_a_firm_that_moves_leaves_the_papers_it_issued_as_they_are(firm: Flask) -> None:
    retainers.sell("Acme")
    retainers.invoice(OCTOBER)
    change_firm(name="Lovelace and Daughters", address=["12 St James's Square"], by=LEAD, now=AFTER)
    retainers.invoice(NOVEMBER)
    letterheads = [json.loads(one.figures)["firm"] for one in retainers.issued()]
    assert [head["name"] for head in letterheads] == ["Lovelace Maintainers", "Lovelace and Daughters"]
    assert letterheads[1]["address"] == ["12 St James's Square"]
    assert letterheads[1]["email"] == letterheads[0]["email"]


def test_what_was_earned_before_it_could_be_invoiced_comes_off_unbilled_revenue(firm: Flask) -> None:
    engagement = retainers.sell("Acme", requires_po=True, cycle="quarterly")
    retainers.close(OCTOBER)
    [entry] = retainers.entries(OCTOBER)
    assert entry == (
        "Retainer of October 2026\ndr assets:unbilled-revenue   3,100.00 USD\ncr income:retainers          3,100.00 USD"
    )
    # The purchase order arrives.
    engagements.set_po_number(engagement, "PO-77", by=LEAD, now=BEFORE)
    retainers.invoice(NOVEMBER)
    [entry] = retainers.entries(NOVEMBER)
    assert entry == (
        "Invoice INV-2026-0001\n"
        "dr assets:receivables             9,300.00 USD\n"
        "cr assets:unbilled-revenue        3,100.00 USD\n"
        "cr liabilities:deferred-revenue   6,200.00 USD"
    )
    for month in (NOVEMBER, DECEMBER):
        retainers.close(month)
    assert lovelace.trial_balance()["assets:receivables"] == "9,300.00 USD"
    assert {"assets:unbilled-revenue", "liabilities:deferred-revenue"}.isdisjoint(lovelace.trial_balance())
    lovelace.assert_books_hold()


def test_a_month_held_back_is_invoiced_with_a_later_one(firm: Flask) -> None:
    engagement = retainers.sell("Acme", requires_po=True)
    retainers.close(OCTOBER)
    engagements.set_po_number(engagement, "PO-77", by=LEAD, now=BEFORE)
    retainers.close(NOVEMBER)
    assert retainers.totals() == ["INV-2026-0001 2026-10 6,200.00 USD"]
    assert "assets:unbilled-revenue" not in lovelace.trial_balance()
    lovelace.assert_books_hold()


def test_numbers_have_no_gap_also_after_an_invoicing_that_was_undone(firm: Flask) -> None:
    retainers.sell("Acme")
    retainers.sell("Globex")

    def take_numbers_and_lose_power() -> None:
        with transaction() as session:
            assert take(session, "INV", 2026, 5)[-1] == "INV-2026-0005"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        take_numbers_and_lose_power()
    retainers.close(OCTOBER)
    retainers.close(NOVEMBER)
    assert [line.split()[0] for line in retainers.totals()] == [f"INV-2026-{n:04d}" for n in range(1, 5)]
    lovelace.assert_books_hold()


def test_a_new_year_begins_a_new_series(firm: Flask) -> None:
    retainers.sell("Acme")
    for number in range(4):
        retainers.close(OCTOBER.plus(number))
    assert retainers.totals()[-1] == "INV-2027-0001 2027-01 3,100.00 USD"
    lovelace.assert_books_hold()


def test_an_invoice_that_is_issued_late_is_dated_on_the_last_day_of_its_month(firm: Flask) -> None:
    retainers.sell("Acme")
    retainers.invoice(OCTOBER, on=date(2026, 11, 20))
    assert [(str(one.from_month), one.issued_on) for one in retainers.issued()] == [("2026-10", date(2026, 10, 31))]
    lovelace.assert_books_hold()


@pytest.mark.parametrize("month", [NOVEMBER, Month(2027, 6), Month(2150, 1), Month(2199, 11), Month(2199, 12)])
def test_a_month_that_has_not_begun_is_not_invoiced(firm: Flask, month: Month) -> None:
    retainers.sell("Acme")
    with refused(MonthNotBegun, f"{month.name} has not begun; invoice it from its first day on."):
        retainers.invoice(month, on=date(2026, 10, 31))
    assert retainers.invoice(NOVEMBER, on=date(2026, 11, 1)).issued == 1


@pytest.mark.parametrize("month", [Month(2026, 9), Month(2025, 1), Month(2000, 1)])
def test_a_month_before_the_books_is_not_invoiced(firm: Flask, month: Month) -> None:
    retainers.sell("Acme", starts_on=date(2024, 1, 1))
    with refused(BeforeTheBooks, f"The books begin with October 2026; {month.name} lies before."):
        retainers.invoice(month, on=date(2026, 10, 31))


def test_an_engagement_that_ended_is_invoiced_no_more(firm: Flask) -> None:
    engagement = retainers.sell("Acme")
    retainers.close(OCTOBER)
    engagements.end(engagement, on=date(2026, 11, 16), by=LEAD, now=BEFORE)
    retainers.close(NOVEMBER)
    retainers.close(DECEMBER)
    assert [line.split()[2] for line in retainers.totals()] == ["3,100.00", "1,550.00"]
    lovelace.assert_books_hold()


def test_a_day_too_cheap_for_a_cent_holds_up_nothing(firm: Flask) -> None:
    retainers.sell("Acme", usd("0.10"), starts_on=date(2026, 10, 31))
    retainers.close(OCTOBER)
    retainers.close(NOVEMBER)
    assert [amount for _, _, amount, _ in retainers.recognized()] == [10]
    lovelace.assert_books_hold()


@pytest.mark.parametrize(("cycle", "first"), [(1, "2027-03"), (3, "2027-01"), (12, "2026-10")])
def test_a_cycle_is_counted_from_the_first_month_of_the_term(cycle: int, first: str) -> None:
    term = Term(usd("1.00"), date(2026, 10, 15), None)
    begin, end = cycle_window(term, cycle, Month(2027, 3))
    assert (str(begin), end) == (first, begin.plus(cycle))


def test_months_before_the_books_are_not_invoiced() -> None:
    term = Term(usd("1.00"), date(2026, 7, 1), None)
    months = months_to_invoice(term, 12, OCTOBER, not_before=OCTOBER, invoiced={NOVEMBER})
    assert [str(service.month) for service in months][:2] == ["2026-10", "2026-12"]
    assert len(months) == 8


def test_what_was_held_back_is_invoiced_also_after_the_engagement_ended(firm: Flask) -> None:
    engagement = retainers.sell("Acme", requires_po=True, ends_on=date(2026, 11, 1))
    retainers.close(OCTOBER)
    engagements.set_po_number(engagement, "PO-77", by=LEAD, now=BEFORE)
    retainers.invoice(NOVEMBER)
    assert retainers.totals() == ["INV-2026-0001 2026-10 3,100.00 USD"]
    assert "assets:unbilled-revenue" not in lovelace.trial_balance()
    lovelace.assert_books_hold()


def test_what_other_records_stand_on_is_not_reversed_in_the_books_alone(app: Flask) -> None:
    lovelace.set_up()
    month_end.close(OCTOBER, by=LEAD, now=lovelace.AFTER)
    with reading() as session:
        kinds = ("allocation:", "earnings:", "invoice:", "recognition:")
        found = [entry.number for entry in ledger.entries(session) if entry.source.startswith(kinds)]
    for number in found:
        with pytest.raises(ReversedElsewhere, match="is not reversed in the books alone"):
            reverse_entry(number, on=date(2026, 11, 1), reason="wrong", by=LEAD, now=lovelace.AFTER)
    assert len(found) == 1 + 2 + 2 + 2
    lovelace.assert_books_hold()
