"""What posting and reading cost, counted instead of timed: statements, round trips, objects, scans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Mapper, Session

from firm.db import db, reading, transaction
from firm.ledger import accounts, balances, journal, queries
from firm.ledger.entry import Entry, credit, debit
from firm.listing import Slice
from tests.firm import books
from tests.firm.books import sale, usd


@dataclass
class Cost:
    """What happened: every statement with its parameters, commits, and ORM objects that were built."""

    statements: list[tuple[str, Any]] = field(default_factory=list)
    commits: int = 0
    loaded: int = 0

    @property
    def round_trips(self) -> int:
        return len(self.statements) + self.commits


@contextmanager
def counted() -> Iterator[Cost]:
    cost = Cost()

    def statement(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        cost.statements.append((sql, parameters))

    def commit(_connection: Any) -> None:
        cost.commits += 1

    def load(*_: Any) -> None:
        cost.loaded += 1

    listened = (
        (db.engine, "before_cursor_execute", statement),
        (db.engine, "commit", commit),
        (Mapper, "load", load),
    )
    for target, name, function in listened:
        event.listen(target, name, function)
    try:
        yield cost
    finally:
        for target, name, function in listened:
            event.remove(target, name, function)


def warm(run: Callable[[], object]) -> None:
    """First connections ask the server who it is; that is no part of an entry."""
    run()


def test_posting_an_entry_takes_six_statements_on_sqlite(sqlite_ledger: Flask) -> None:
    warm(lambda: books.post(sale("sale:0", usd("1.00"))))
    with counted() as cost:
        books.post(sale("sale:1", usd("1.00")))
    own = [sql for sql, _ in cost.statements if not sql.startswith("BEGIN")]
    assert len(own) <= 6
    assert (cost.commits, cost.loaded) == (1, 0)


def test_posting_an_entry_takes_two_round_trips_on_postgresql(postgresql_ledger: Flask) -> None:
    warm(lambda: books.post(sale("sale:0", usd("1.00"))))
    with counted() as cost:
        books.post(sale("sale:1", usd("1.00")))
    assert cost.round_trips <= 2
    assert cost.loaded == 0


def test_an_entry_of_many_lines_costs_no_more_statements(ledger: Flask) -> None:
    lines = tuple(debit(accounts.BANK, usd("1.00"), client_id=f"c{n}") for n in range(200))
    books.post(sale("sale:0", usd("1.00")))
    with counted() as cost:
        books.post(Entry("big:1", books.DAY, "Big", (*lines, credit(accounts.RETAINERS, usd("200.00")))))
    assert len(cost.statements) <= 7
    assert cost.loaded == 0


@pytest.mark.parametrize("size", [2, 400])
def test_a_batch_costs_the_same_statements_whatever_its_size(ledger: Flask, size: int) -> None:
    books.post(sale("sale:0", usd("1.00")))
    with counted() as cost:
        books.post_many([sale(f"batch:{n}", usd("1.00"), client_id=f"c{n}") for n in range(size)])
    assert len(cost.statements) <= 8
    assert cost.loaded == 0


def test_reading_a_balance_or_the_trial_balance_is_one_statement(ledger: Flask) -> None:
    books.post(sale("sale:0", usd("1.00")))
    for read in (a_balance, queries.trial_balance):
        with counted() as cost, reading() as session:
            read(session)
        assert len([sql for sql, _ in cost.statements if not sql.startswith("BEGIN")]) == 1
        assert cost.loaded == 0


def test_a_page_of_the_journal_is_two_statements(ledger: Flask) -> None:
    books.post_many([sale(f"sale:{n}", usd("1.00")) for n in range(60)])
    with counted() as cost, reading() as session:
        assert len(queries.entries(session, Slice(limit=50))) == 50
    assert len([sql for sql, _ in cost.statements if not sql.startswith("BEGIN")]) == 2
    assert cost.loaded == 0


# --- Plans ---


def a_balance(session: Session) -> object:
    return queries.balance_of(session, accounts.BANK, "USD", client_id="c7")


def an_entry(session: Session) -> object:
    return queries.entry_of(session, "sale:500")


def a_page(session: Session) -> object:
    return queries.entries(session, Slice((900,), 20))


@pytest.fixture
def busy_books(ledger: Flask) -> Flask:
    """Four thousand postings, with what the planner wants to know of them."""
    entries = [
        sale(f"sale:{n}", usd("1.00"), on=date(2026, 10, 1 + n % 31), client_id=f"c{n % 50}") for n in range(2_000)
    ]
    with transaction() as session:
        journal.post_many(session, entries, by=books.CLERK, now=books.NOW)
        balances.fold(session)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    return ledger


def plan_of(read: Callable[[Session], object]) -> str:
    """How the engine answers each of the statements."""
    with counted() as cost, reading() as session:
        read(session)
    explain = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN"
    with db.engine.connect() as connection:
        plans = [
            row[-1]
            for sql, parameters in cost.statements
            if sql.lstrip().startswith(("SELECT", "WITH"))
            for row in connection.exec_driver_sql(f"{explain} {sql}", parameters)
        ]
    return "\n".join(plans)


@pytest.mark.parametrize("read", [a_balance, queries.trial_balance])
def test_balances_are_read_without_the_postings(busy_books: Flask, read: Callable[[Session], object]) -> None:
    plan = plan_of(read)
    assert "balance" in plan
    assert "posting" not in plan


@pytest.mark.parametrize("read", [an_entry, a_page])
def test_entries_are_read_without_scanning_the_postings(busy_books: Flask, read: Callable[[Session], object]) -> None:
    plan = plan_of(read)
    assert "posting" in plan
    assert "SCAN posting" not in plan
    assert "Seq Scan on posting" not in plan
    assert "Seq Scan on journal_entry" not in plan
