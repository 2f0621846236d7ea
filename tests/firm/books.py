"""What tests of the books share: people, entries, threads, raw connections and a digest of all rows."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pysqlite3.dbapi2 as sqlite
from flask import Flask
from sqlalchemy import text

from firm.actor import Actor, Role
from firm.db import transaction, use_case
from firm.invariant import Invariant
from firm.ledger import accounts, journal, periods
from firm.ledger.entry import Entry, credit, debit
from firm.ledger.invariants import CHECKS
from firm.money import Money
from firm.month import Month

CLERK = Actor("clerk", Role.ACCOUNTANT)
OCTOBER = Month(2026, 10)
NOW = datetime(2026, 10, 20, 9, 0, tzinfo=UTC)
DAY = date(2026, 10, 20)
DATABASE_ERRORS = (sqlite.Error, psycopg.Error)


def open_chart() -> None:
    with transaction() as session:
        accounts.open_currency(session, "USD")
        accounts.open_currency(session, "EUR")


def usd(amount: str) -> Money:
    return Money.parse(amount, "USD")


def sale(source: str, amount: Money, *, on: date = DAY, adjusts: Month | None = None, **who: str) -> Entry:
    """Money comes in at the bank and is earned at once."""
    lines = (debit(accounts.BANK, amount, **who), credit(accounts.RETAINERS, amount, **who))
    return Entry(source, on, f"Sale {source}", lines, adjusts=adjusts)


@use_case
def post(*entries: Entry, now: datetime = NOW, by: Actor = CLERK) -> list[int]:
    """Post each entry by itself, in one transaction."""
    with transaction() as session:
        return [journal.post(session, entry, by=by, now=now) for entry in entries]


@use_case
def post_many(entries: Sequence[Entry]) -> list[int]:
    """Post them as a batch."""
    with transaction() as session:
        return journal.post_many(session, entries, by=CLERK, now=NOW)


@use_case
def reverse(number: int, *, on: date = DAY) -> int:
    with transaction() as session:
        return journal.reverse(session, number, on=on, reason="a mistake", by=CLERK, now=NOW)


@use_case
def close(month: Month = OCTOBER, *, first: Month = OCTOBER, now: datetime = NOW) -> bool:
    with transaction() as session:
        periods.open_month(session, month)
        return periods.close(session, month, first=first, by=CLERK, now=now)


def breaches(checks: Sequence[Invariant] = CHECKS) -> dict[str, list[tuple[Any, ...]]]:
    """The checks that fail, with what they found."""
    with transaction() as session:
        found = {check.name: [tuple(row) for row in session.execute(text(check.query))] for check in checks}
    return {name: rows for name, rows in found.items() if rows}


def together(app: Flask, *work: Callable[[], Any], seconds: int = 60) -> list[Any]:
    """Run each piece of work in a thread of its own, all from the same moment; errors come back as results."""
    barrier = threading.Barrier(len(work))
    results: list[Any] = [None] * len(work)

    def run(position: int) -> None:
        with app.app_context():
            barrier.wait(seconds)
            try:
                results[position] = work[position]()
            except Exception as error:
                results[position] = error

    threads = [threading.Thread(target=run, args=(position,), daemon=True) for position in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
        assert not thread.is_alive(), "A thread still waits; the others wait for it or it for them."
    return results


@contextmanager
def bare_sqlite(url: str | Path, *, ours: bool = False) -> Iterator[Any]:
    """A raw connection that commits every statement; with `ours`, under the pragmas of the product."""
    path = str(url).removeprefix("sqlite:///")
    with closing(sqlite.connect(path, timeout=2, isolation_level=None)) as connection:
        if ours:
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA recursive_triggers=ON")
        yield connection


@contextmanager
def bare_postgresql(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A raw connection that commits every statement, and gives up waiting for locks soon."""
    with psycopg.connect(url, autocommit=True, options="-c lock_timeout=5s") as connection:
        yield connection


@contextmanager
def bare(url: str) -> Iterator[Any]:
    """A raw connection to either engine; on SQLite with our pragmas."""
    opened = bare_sqlite(url, ours=True) if url.startswith("sqlite") else bare_postgresql(url)
    with opened as connection:
        yield connection


def rows_of(url: str) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    with bare(url) as connection:
        if url.startswith("sqlite"):
            found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        else:
            found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {
            table: sorted(repr(row) for row in connection.execute(f'SELECT * FROM "{table}"').fetchall())
            for (table,) in sorted(found)
        }


def digest(url: str) -> str:
    """One figure for all rows: whoever changes anything changes it."""
    return hashlib.sha256(repr(rows_of(url)).encode()).hexdigest()
