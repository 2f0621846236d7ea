"""Two people close October at the same moment, or somebody posts into it while it closes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

from flask import Flask
from sqlalchemy import text

from firm.billing import invoices, receipts
from firm.billing import queries as billing
from firm.db import reading
from firm.ledger import queries as ledger
from firm.ledger.periods import MonthClosed
from payouts import month_end
from tests import lovelace
from tests.firm.books import together
from tests.lovelace import ADMINISTRATOR, AFTER, BEFORE, LEAD, OCTOBER, usd
from tests.payouts.interruptions import meanwhile

Opens = Callable[[str], AbstractContextManager[Flask]]
ROUNDS = 3


def close_by_lead() -> month_end.Closing:
    return month_end.close(OCTOBER, by=LEAD, now=AFTER)


def close_by_administrator() -> month_end.Closing:
    return month_end.close(OCTOBER, by=ADMINISTRATOR, now=AFTER)


def booked() -> list[tuple[str, str]]:
    """Every entry of October as its narration and lines, in an order of its own."""
    with reading() as session:
        return sorted((entry.narration, str(entry)) for entry in ledger.entries(session, month=OCTOBER))


def steps_done() -> Counter[str]:
    with reading() as session:
        return Counter(session.scalars(text("SELECT verb FROM audit_record WHERE verb NOT LIKE 'entr%'")).all())


def test_two_closes_at_the_same_moment_do_each_step_once_and_see_the_same_closing(opens: Opens) -> None:
    with opens("ready"):
        close_by_lead()
        expected, steps = booked(), steps_done()
    for _ in range(ROUNDS):
        with opens("ready") as app:
            first, second = together(app, close_by_lead, close_by_administrator)
            assert isinstance(first, month_end.Closing), first
            assert first == second
            assert first.closed
            assert booked() == expected
            assert steps_done() == steps
            lovelace.assert_books_hold()


def test_four_closes_at_the_same_moment_make_one_closing(opens: Opens) -> None:
    with opens("ready") as app:
        closings = together(app, *[close_by_lead, close_by_administrator] * 2)
        assert all(closing == closings[0] for closing in closings), closings
        assert closings[0].earned == usd("6250.00")
        lovelace.assert_books_hold()


def test_invoicing_beside_a_close_bills_every_month_once(opens: Opens) -> None:
    def invoice() -> invoices.Invoicing:
        return invoices.issue_month(OCTOBER, by=ADMINISTRATOR, now=BEFORE)

    for _ in range(ROUNDS):
        with opens("ready") as app:
            closing, invoicing = together(app, close_by_lead, invoice)
            assert isinstance(closing, month_end.Closing), closing
            assert isinstance(invoicing, (invoices.Invoicing, MonthClosed)), invoicing
            assert "assets:unbilled-revenue" not in lovelace.trial_balance()
            with reading() as session:
                assert len(billing.invoices(session)) == 2
            lovelace.assert_books_hold()


def test_a_receipt_beside_a_close_is_in_time_or_refused_and_never_in_between(opens: Opens) -> None:
    for _ in range(ROUNDS):
        with opens("ready") as app:
            invoices.issue_month(OCTOBER, by=LEAD, now=BEFORE)
            with reading() as session:
                number = billing.invoices(session)[0].number

            def pay_late(number: str = number) -> object:
                return receipts.record(
                    number,
                    amount=usd("10.00"),
                    received_on=date(2026, 10, 31),
                    reference="late",
                    by=ADMINISTRATOR,
                    now=AFTER,
                )

            closing, receipt = together(app, close_by_lead, pay_late)
            assert isinstance(closing, month_end.Closing), closing
            refused = isinstance(receipt, MonthClosed)
            assert refused or receipt.amount == usd("10.00")
            assert lovelace.trial_balance().get("assets:bank") == (None if refused else "10.00 USD")
            lovelace.assert_books_hold()


def test_what_is_invoiced_while_it_is_recognized_never_stands_as_unbilled_too(postgresql_at: Opens) -> None:
    with postgresql_at("ready") as app:
        with meanwhile(app, "SELECT nextval", close_by_lead) as closed:
            invoices.issue_month(OCTOBER, by=ADMINISTRATOR, now=BEFORE)
        assert isinstance(closed[0], month_end.Closing), closed
        assert "assets:unbilled-revenue" not in lovelace.trial_balance()
        lovelace.assert_books_hold()
