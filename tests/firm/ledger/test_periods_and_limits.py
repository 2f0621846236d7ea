"""Edges of the books: months before the closed ones, clocks that differ, locks that last, very large sums."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from firm.billing import receipts
from firm.db import reading, transaction
from firm.errors import Busy
from firm.ledger import journal, queries
from firm.ledger.journal import AlreadyReversed
from firm.ledger.periods import MonthClosed
from firm.money import Money
from payouts import month_end
from tests import lovelace
from tests.firm import books
from tests.firm.books import NOW, OCTOBER, sale, usd

SEPTEMBER_DAY = date(2026, 9, 15)


def test_a_second_reversal_says_that_there_is_one(ledger: Flask) -> None:
    [number] = books.post(sale("sale:1", usd("12.34")))
    books.reverse(number)
    with pytest.raises(AlreadyReversed):
        books.reverse(number)


def test_a_month_before_the_last_closed_one_takes_no_entry(ledger: Flask) -> None:
    books.close()
    with pytest.raises(MonthClosed):
        books.post(sale("sale:1", usd("1.00"), on=SEPTEMBER_DAY))
    assert books.breaches() == {}


def test_a_receipt_dated_before_the_books_is_refused(app: Flask) -> None:
    lovelace.set_up()
    month_end.close(OCTOBER, by=lovelace.LEAD, now=lovelace.AFTER)
    with reading() as session:
        number = session.scalar(text("SELECT number FROM invoice ORDER BY number LIMIT 1"))
    with pytest.raises(MonthClosed):
        receipts.record(
            number,
            amount=usd("1.00"),
            received_on=SEPTEMBER_DAY,
            reference="early",
            by=lovelace.LEAD,
            now=lovelace.AFTER,
        )
    lovelace.assert_books_hold()


def test_a_close_is_never_dated_before_an_entry_of_its_month(ledger: Flask) -> None:
    books.post(sale("sale:1", usd("1.00")), now=NOW + timedelta(seconds=5))
    books.close(now=NOW)
    assert books.breaches() == {}


def test_a_batch_that_waits_too_long_for_a_lock_is_told_to_try_again(
    postgresql_ledger: Flask, postgresql_url: str
) -> None:
    books.post(sale("sale:0", usd("1.00")))

    def batch() -> None:
        with transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '100ms'"))
            journal.post_many(session, [sale("sale:1", usd("1.00"))], by=books.CLERK, now=NOW)

    with books.bare(postgresql_url) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM period FOR UPDATE")
        with pytest.raises(Busy):
            batch()
        other.execute("ROLLBACK")


def test_balances_above_the_largest_amount_can_be_read(ledger: Flask) -> None:
    books.post(sale("a", Money(10**15, "USD")), sale("b", Money(10**15, "USD")))
    with reading() as session:
        balances = [row.balance.minor for row in queries.trial_balance(session)]
    assert sorted(balances) == [-2 * 10**15, 2 * 10**15]
