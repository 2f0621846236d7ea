"""Many writers at the same moment: nothing lost, nothing booked twice, nobody stuck."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from firm.db import reading, transaction
from firm.ledger import accounts, balances, queries
from firm.ledger.journal import AlreadyPosted, AlreadyReversed
from firm.ledger.model import balance, balance_delta, journal_entry
from firm.ledger.periods import MonthClosed
from firm.numbering.operations import take
from tests.firm import books
from tests.firm.books import sale, usd


def errors(results: list[Any]) -> list[Any]:
    return [result for result in results if isinstance(result, Exception)]


def count(table: Any) -> int:
    with reading() as session:
        return int(session.scalar(select(func.count()).select_from(table)) or 0)


def bank() -> str:
    with reading() as session:
        return str(queries.balance_of(session, accounts.BANK, "USD"))


def fold() -> None:
    with transaction() as session:
        balances.fold(session)


def test_twenty_writers_post_and_reverse(ledger: Flask) -> None:
    def writer(name: int) -> Callable[[], list[int]]:
        def write() -> list[int]:
            numbers = [books.post(sale(f"sale:{name}:{turn}", usd("1.00"), client_id=f"c{name}"))[0] for turn in "ab"]
            return [*numbers, books.reverse(numbers[0])]

        return write

    results = books.together(ledger, *(writer(name) for name in range(20)))
    assert errors(results) == []
    numbers = sorted(number for found in results for number in found)
    assert len(set(numbers)) == count(journal_entry) == 60
    assert bank() == "20.00 USD"
    assert books.breaches() == {}


def test_one_cause_posted_by_ten_at_once_is_booked_once(ledger: Flask) -> None:
    results = books.together(ledger, *[lambda: books.post(sale("sale:1", usd("1.00")))] * 10)
    assert [type(error) for error in errors(results)] == [AlreadyPosted] * 9
    assert bank() == "1.00 USD"
    assert books.breaches() == {}


def test_one_entry_reversed_by_ten_at_once_is_reversed_once(ledger: Flask) -> None:
    [number] = books.post(sale("sale:1", usd("1.00")))
    results = books.together(ledger, *[lambda: books.reverse(number)] * 10)
    assert len(errors(results)) == 9
    assert {type(error) for error in errors(results)} <= {AlreadyReversed, AlreadyPosted}
    assert bank() == "0.00 USD"
    assert books.breaches() == {}


def test_posting_beside_a_close_is_either_in_time_or_refused(ledger: Flask) -> None:
    def write(name: int) -> Callable[[], Any]:
        return lambda: [books.post(sale(f"sale:{name}:{turn}", usd("1.00"))) for turn in range(5)]

    books.post(sale("sale:0", usd("1.00")))
    *posted, closed = books.together(ledger, *(write(name) for name in range(1, 5)), books.close)
    assert closed is True
    assert {type(error) for error in errors(posted)} <= {MonthClosed}
    with pytest.raises(MonthClosed):
        books.post(sale("sale:late", usd("1.00")))
    assert books.breaches() == {}


def test_two_closes_at_once_close_once(ledger: Flask) -> None:
    books.post(sale("sale:1", usd("1.00")))
    assert sorted(books.together(ledger, *[books.close] * 4)) == [False, False, False, True]
    assert books.breaches() == {}


def test_batches_and_single_entries_are_posted_side_by_side(ledger: Flask) -> None:
    def batch(name: int) -> Callable[[], list[int]]:
        return lambda: books.post_many([sale(f"batch:{name}:{n}", usd("1.00")) for n in range(40)])

    def single(name: int) -> Callable[[], list[int]]:
        return lambda: books.post(*(sale(f"single:{name}:{n}", usd("1.00")) for n in range(10)))

    results = books.together(ledger, *(batch(n) for n in range(3)), *(single(n) for n in range(3)))
    assert errors(results) == []
    assert bank() == "150.00 USD"
    assert books.breaches() == {}


def deadlocks() -> int:
    """How many circles the server has broken in this database so far."""
    with reading() as session:
        session.execute(text("SELECT pg_stat_clear_snapshot()"))
        return session.scalar(text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")) or 0


def test_eight_writers_of_one_busy_account_never_wait_in_a_circle(postgresql_ledger: Flask) -> None:
    def writer(name: int) -> Callable[[], None]:
        def write() -> None:
            for turn in range(15):
                books.post(sale(f"sale:{name}:{turn}", usd("0.01"), client_id=f"c{turn % 4}"))
                if turn % 5 == name % 5:
                    fold()

        return write

    before = deadlocks()
    results = books.together(postgresql_ledger, *(writer(name) for name in range(8)))
    assert errors(results) == []
    assert deadlocks() == before
    assert bank() == "1.20 USD"
    assert books.breaches() == {}
    fold()
    assert count(balance_delta) == 0
    assert bank() == "1.20 USD"
    assert books.breaches() == {}


def test_folding_changes_no_balance_and_may_be_repeated(ledger: Flask) -> None:
    books.post(*(sale(f"sale:{n}", usd("1.00"), client_id=f"c{n % 3}") for n in range(9)))
    with reading() as session:
        before = queries.trial_balance(session)
    for _ in range(3):
        fold()
        with reading() as session:
            assert queries.trial_balance(session) == before
            assert str(queries.balance_of(session, accounts.BANK, "USD", client_id="c1")) == "3.00 USD"
    assert (count(balance), count(balance_delta)) == (6, 0)
    assert books.breaches() == {}


def test_a_fold_that_fails_loses_nothing(postgresql_ledger: Flask) -> None:
    books.post(sale("sale:1", usd("1.00")))

    def fold_and_fail() -> None:
        with transaction() as session:
            balances.fold(session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fold_and_fail()
    assert (count(balance), count(balance_delta)) == (0, 2)
    assert bank() == "1.00 USD"


def test_folds_at_the_same_moment_count_each_delta_once(postgresql_ledger: Flask) -> None:
    books.post_many([sale(f"sale:{n}", usd("1.00"), client_id=f"c{n}") for n in range(60)])
    books.post(*(sale(f"more:{n}", usd("1.00"), client_id=f"c{n}") for n in range(30)))
    assert errors(books.together(postgresql_ledger, *[fold] * 6)) == []
    fold()
    assert count(balance_delta) == 0
    assert bank() == "90.00 USD"
    assert books.breaches() == {}


def test_numbers_taken_at_once_have_no_gap(ledger: Flask) -> None:
    def take_some(count: int) -> Callable[[], list[str]]:
        def run() -> list[str]:
            with transaction() as session:
                return take(session, "INV", 2026, count)

        return run

    results = books.together(ledger, *(take_some(1 + n % 3) for n in range(9)))
    assert sorted(number for taken in results for number in taken) == [f"INV-2026-{n:04d}" for n in range(1, 19)]
