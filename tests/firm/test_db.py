"""Transactions: whole or not at all, never one in another, and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pysqlite3.dbapi2 as sqlite
import pytest
from flask import Flask
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from api.app import create_core
from firm import db as firm_db
from firm import envelope
from firm.bulk import bulk_insert
from firm.db import NestedTransaction, claim, commit_held, db, leaving_the_house, reading, transaction, use_case
from firm.engine import FIRST_SAFE_SQLITE, flask_config
from firm.errors import Busy, InvariantBroken, Misconfigured
from firm.ledger.model import period
from firm.month import Month
from firm.numbering.model import number_series
from tests.databases import settings_for
from tests.firm import books
from tests.firm.books import NOW, OCTOBER

SERIES = number_series


class Deadlock(Exception):
    """What a driver raises for the victim."""

    sqlstate = "40P01"


def add(name: str, last: int = 0) -> None:
    with transaction() as session:
        session.execute(SERIES.insert(), {"name": name, "last": last})


def count(name: str) -> int | None:
    with reading() as session:
        return session.scalar(select(SERIES.c.last).where(SERIES.c.name == name))


def add_two_and_then(error: BaseException) -> None:
    with transaction() as session:
        session.execute(SERIES.insert(), {"name": "INV-2026", "last": 1})
        session.execute(SERIES.insert(), {"name": "RUN-2026", "last": 1})
        raise error


def test_what_a_transaction_wrote_is_kept(app: Flask) -> None:
    add("INV-2026", 7)
    assert count("INV-2026") == 7


def test_an_exception_undoes_all_of_its_transaction(app: Flask) -> None:
    with pytest.raises(ZeroDivisionError):
        add_two_and_then(ZeroDivisionError())
    assert (count("INV-2026"), count("RUN-2026")) == (None, None)


def test_being_stopped_from_the_keyboard_undoes_all_too(app: Flask) -> None:
    with pytest.raises(KeyboardInterrupt):
        add_two_and_then(KeyboardInterrupt())
    assert (count("INV-2026"), count("RUN-2026")) == (None, None)


def test_a_use_case_never_contains_another(app: Flask) -> None:
    for inner in (transaction, reading):
        for outer in (transaction, reading):
            with pytest.raises(NestedTransaction, match="never contain"), outer(), inner():
                pass
    add("INV-2026")
    assert count("INV-2026") == 0


def test_a_refused_inner_transaction_undoes_the_outer_one(app: Flask) -> None:
    def contain_another() -> None:
        with transaction() as session:
            session.execute(SERIES.insert(), {"name": "INV-2026", "last": 1})
            add("RUN-2026")

    with pytest.raises(NestedTransaction):
        contain_another()
    assert count("INV-2026") is None


def test_after_an_error_the_next_transaction_begins_afresh(app: Flask) -> None:
    add("INV-2026")
    with pytest.raises(IntegrityError):
        add("INV-2026")
    add("RUN-2026")
    assert count("RUN-2026") == 0


def test_the_outside_is_not_called_inside_a_transaction(app: Flask) -> None:
    leaving_the_house()
    for unit in (transaction, reading):
        with pytest.raises(InvariantBroken, match="commit the intent first"), unit():
            leaving_the_house()
    leaving_the_house()


def test_what_is_written_while_reading_is_not_kept(app: Flask) -> None:
    def write() -> None:
        with reading() as session:
            session.execute(SERIES.insert(), {"name": "INV-2026", "last": 1})

    if db.engine.dialect.name == "postgresql":
        with pytest.raises(DBAPIError, match="read-only transaction"):
            write()
    else:
        write()
    assert count("INV-2026") is None


def test_a_report_of_several_statements_is_of_one_moment(app: Flask) -> None:
    add("INV-2026", 1)

    def change() -> None:
        with transaction() as session:
            session.execute(update(SERIES).values(last=2))

    with reading() as session:
        before = session.scalar(select(SERIES.c.last))
        assert books.together(app, change) == [None]
        assert session.scalar(select(SERIES.c.last)) == before == 1
    assert count("INV-2026") == 2


def test_of_two_who_claim_the_same_row_one_gets_it(app: Flask) -> None:
    add("INV-2026", 0)

    def take() -> bool:
        with transaction() as session:
            return claim(session, update(SERIES).where(SERIES.c.last == 0).values(last=1))

    assert sorted(books.together(app, *[take] * 6)) == [False] * 5 + [True]


def test_a_claim_of_two_rows_is_no_claim(app: Flask) -> None:
    add("INV-2026")
    add("RUN-2026")
    with transaction() as session:
        assert not claim(session, update(SERIES).values(last=5))


# --- Trying again ---


def test_a_use_case_runs_again_after_a_serialization_failure(postgresql_ledger: Flask) -> None:
    add("INV-2026", 0)
    barrier, attempts = threading.Barrier(2), []

    @use_case
    def count_up() -> None:
        with transaction() as session:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            last = session.scalar(select(SERIES.c.last))
            attempts.append(last)
            if len(attempts) <= 2:
                barrier.wait(5)
            session.execute(update(SERIES).values(last=last + 1))

    assert books.together(postgresql_ledger, count_up, count_up) == [None, None]
    assert count("INV-2026") == 2
    assert sorted(attempts) == [0, 0, 1]


def test_a_use_case_runs_again_after_a_deadlock(postgresql_ledger: Flask) -> None:
    add("INV-2026")
    add("RUN-2026")
    barrier, attempts = threading.Barrier(2), []

    def count_both(one: str, other: str) -> Any:
        @use_case
        def run() -> None:
            with transaction() as session:
                attempts.append(one)
                session.execute(text("SET LOCAL deadlock_timeout = '50ms'"))
                for name in (one, other):
                    session.execute(update(SERIES).where(SERIES.c.name == name).values(last=SERIES.c.last + 1))
                    if len(attempts) <= 2 and name == one:
                        barrier.wait(5)

        return run

    both = count_both("INV-2026", "RUN-2026"), count_both("RUN-2026", "INV-2026")
    assert books.together(postgresql_ledger, *both) == [None, None]
    assert (count("INV-2026"), count("RUN-2026")) == (2, 2)
    assert len(attempts) == 3


def test_a_use_case_gives_up_after_five_attempts(postgresql_ledger: Flask) -> None:
    attempts = []

    @use_case
    def never_works() -> None:
        attempts.append(1)
        with transaction() as session:
            session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$"))

    with pytest.raises(OperationalError, match="again"):
        never_works()
    assert len(attempts) == 5


def test_a_mistake_is_not_tried_again(app: Flask) -> None:
    attempts = []

    @use_case
    def wrong() -> None:
        attempts.append(1)
        with transaction() as session:
            session.execute(text("SELECT nothing FROM nowhere"))

    with pytest.raises((OperationalError, ProgrammingError)):
        wrong()
    assert len(attempts) == 1


# --- Waiting for others ---


@contextmanager
def somebody_writing(url: str) -> Iterator[None]:
    """Another process holds the write lock, and has changed what nobody may see yet."""
    with books.bare(url) as connection:
        connection.execute("BEGIN IMMEDIATE" if url.startswith("sqlite") else "BEGIN")
        connection.execute("UPDATE number_series SET last = 99")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def impatience() -> Iterator[None]:
    """Connections made from now on wait a tenth of a second only."""

    def wait_less(connection: Any, _record: object) -> None:
        if db.engine.dialect.name == "sqlite":
            connection.execute("PRAGMA busy_timeout=100")
        else:
            connection.execute("SET lock_timeout = '100ms'")
            connection.commit()

    event.listen(db.engine, "connect", wait_less)
    db.engine.dispose()
    try:
        yield
    finally:
        event.remove(db.engine, "connect", wait_less)
        db.engine.dispose()


def test_who_waits_too_long_for_another_writer_is_told_so(app: Flask, fresh_url: str) -> None:
    add("INV-2026", 1)
    begun = time.monotonic()
    sentence = r"^Somebody else is writing to the books; try again in a moment\.$"
    with impatience(), somebody_writing(fresh_url), pytest.raises(Busy, match=sentence), transaction() as session:
        session.execute(update(SERIES).values(last=2))
    assert time.monotonic() - begun < 2
    with transaction() as session:
        session.execute(update(SERIES).values(last=2))
    assert count("INV-2026") == 2


def test_reading_goes_on_while_somebody_writes(app: Flask, fresh_url: str) -> None:
    add("INV-2026", 1)
    with impatience(), somebody_writing(fresh_url):
        assert count("INV-2026") == 1


def test_reading_does_not_hold_up_a_writer(app: Flask, fresh_url: str) -> None:
    add("INV-2026", 1)
    with reading() as session:
        assert session.scalar(select(SERIES.c.last)) == 1
        with books.bare(fresh_url) as connection:
            connection.execute(
                "PRAGMA busy_timeout=100" if fresh_url.startswith("sqlite") else "SET lock_timeout = '100ms'"
            )
            connection.execute("UPDATE number_series SET last = 2")
        assert session.scalar(select(SERIES.c.last)) == 1
    assert count("INV-2026") == 2


def test_a_reader_s_connection_writes_again_afterwards(app: Flask) -> None:
    assert count("INV-2026") is None
    add("INV-2026", 1)
    assert count("INV-2026") == 1
    with transaction() as session:
        session.execute(update(SERIES).values(last=2))
    assert count("INV-2026") == 2


# --- The engine below ---


@pytest.mark.parametrize("synchronous", ["FULL", "NORMAL"])
def test_every_sqlite_connection_has_our_pragmas(sqlite_url: str, synchronous: str) -> None:
    settings = settings_for(sqlite_url).model_copy(update={"sqlite_synchronous": synchronous})
    app = create_core(settings)
    with app.app_context():
        connections = [db.engine.connect() for _ in range(3)]
        for connection in connections:
            found = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("foreign_keys", "recursive_triggers", "journal_mode", "synchronous", "busy_timeout")
            }
            assert found == {
                "foreign_keys": 1,
                "recursive_triggers": 1,
                "journal_mode": "wal",
                "synchronous": {"FULL": 2, "NORMAL": 1}[synchronous],
                "busy_timeout": 8000,
            }
            connection.close()
        db.engine.dispose()


def test_a_sqlite_library_that_corrupts_books_is_refused(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "sqlite_version_info", (3, 51, 2))
    monkeypatch.setattr(sqlite, "sqlite_version", "3.51.2")
    with pytest.raises(Misconfigured, match=r"3\.51\.2 can corrupt"):
        flask_config(settings_for(sqlite_url))


def test_the_library_in_use_is_a_safe_one() -> None:
    assert sqlite.sqlite_version_info >= FIRST_SAFE_SQLITE


def test_the_books_folder_is_made_when_missing(tmp_path: Any) -> None:
    flask_config(settings_for(f"sqlite:///{tmp_path}/new/deeper/chambers.db"))
    assert (tmp_path / "new" / "deeper").is_dir()


def test_a_moment_without_a_zone_is_refused(app: Flask) -> None:
    naive = datetime(2026, 10, 20)  # noqa: DTZ001
    with pytest.raises(Exception, match="without a time zone"), transaction() as session:
        session.execute(period.insert(), {"month": OCTOBER, "state": "closed", "closed_at": naive})


def test_moments_and_months_come_back_as_they_went(app: Flask) -> None:
    moment = NOW.replace(microsecond=123456)
    with transaction() as session:
        session.execute(period.insert(), {"month": OCTOBER, "state": "closed", "closed_at": moment})
    with reading() as session:
        row = session.execute(select(period)).one()
    assert (row.month, row.closed_at, row.closed_at.tzinfo is not None) == (OCTOBER, moment, True)


def test_many_rows_arrive_whole_or_not_at_all(app: Flask) -> None:
    rows = [{"name": f"S-{number}", "last": number} for number in range(300)]
    with transaction() as session:
        bulk_insert(session, SERIES, [])
        bulk_insert(session, SERIES, rows)
    assert count("S-299") == 299
    fresh = [{"name": "T-1", "last": 1}, {"name": "S-7", "last": 1}]
    with pytest.raises(IntegrityError), transaction() as session:
        bulk_insert(session, SERIES, fresh)
    assert count("T-1") is None


def test_bulk_rows_are_converted_like_single_ones(app: Flask) -> None:
    with transaction() as session:
        bulk_insert(
            session, period, [{"month": Month(2026, 11), "state": "closed", "closed_at": NOW, "closed_by": "é\t\\N\n"}]
        )
    with reading() as session:
        row = session.execute(select(period)).one()
    assert (row.month, row.closed_at, row.closed_by) == (Month(2026, 11), NOW, "é\t\\N\n")


def test_on_sqlite_a_writer_has_the_lock_before_it_makes_an_id(sqlite_app: Flask) -> None:
    """Lists run by id: what is committed later must not bear an id made before it had the lock."""
    with transaction(), books.bare_sqlite(sqlite_app.config["SQLALCHEMY_DATABASE_URI"].database) as other:
        other.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(sqlite.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")


def test_what_runs_again_after_a_deadlock_asks_its_conditions_again(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, falls, held_back = [], [1], firm_db._held_back

    def fall_once(wrapped: envelope.Envelope, session: Session) -> bool:
        found = held_back(wrapped, session)
        if falls:
            falls.pop()
            raise DBAPIError("COMMIT", {}, Deadlock())
        return found

    @use_case
    def work() -> None:
        with transaction() as session:
            session.execute(SERIES.insert(), {"name": "INV-2026", "last": 1})

    monkeypatch.setattr(firm_db, "_held_back", fall_once)
    with envelope.wrapping(envelope.Envelope([lambda _: asked.append("a version")], keeps_answer=True)):
        work()
        commit_held()
    assert asked == ["a version"] * 2
    assert count("INV-2026") == 1
