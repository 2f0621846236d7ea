"""Ending a process at a chosen moment, and comparing what the database holds afterwards."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Connection

from firm.db import db, reading
from tests.lovelace import AFTER
from tests.payouts.paying import LATER

# What is different each time without meaning anything: digests of ids, and numbers that a rollback leaves out.
_MEANINGLESS = {
    "audit_record": {"id", "subject", "before_sha256", "after_sha256"},
    "balance_delta": {"id"},
    "payout_attempt": {"request_digest"},
    "rail_file": {"content_sealed", "sha256"},
}
_ID = re.compile(r"\b([a-z]{3})_([0-9A-HJKMNP-TV-Z]{26})\b")

BEHIND = {"audit_link", "audit_sequencer"}
"""What is written behind the commits, at its own pace: the chain has checks of its own."""


class Killed(BaseException):
    """The process is gone; nothing that the product may catch."""


@dataclass
class Moments:
    """How many moments went by at which the process could have died: before each statement and each commit."""

    count: int = 0


@contextmanager
def dying_at(moment: int) -> Iterator[Moments]:
    """Die at the n-th moment from now; with zero, only count them."""
    moments = Moments()

    def pass_by(*_: object) -> None:
        moments.count += 1
        if moments.count == moment:
            raise Killed

    with _listening(pass_by):
        yield moments


@contextmanager
def losing_the_connection_at(moment: int) -> Iterator[Moments]:
    """PostgreSQL ends our connection at the n-th moment from now."""
    moments = Moments()
    other = create_engine(db.engine.url)

    def pass_by(connection: Connection, *_: object) -> None:
        moments.count += 1
        if moments.count == moment:
            process: Any = connection.connection.driver_connection
            with other.connect() as killer:
                killer.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": process.info.backend_pid})

    try:
        with _listening(pass_by):
            yield moments
    finally:
        other.dispose()


@contextmanager
def meanwhile(app: Flask, before: str, action: Callable[[], Any]) -> Iterator[list[Any]]:
    """When our next statement that holds the words is about to run, somebody else acts in another thread.

    They get a second for it, for they may have to wait for us; at the end they are waited for. Yields a list
    that then holds what came of their action.
    """
    ours = threading.get_ident()
    results: list[Any] = []
    begun: list[threading.Thread] = []

    def act() -> None:
        with app.app_context():
            try:
                results.append(action())
            except Exception as error:
                results.append(error)

    def let_them(connection: Connection, cursor: object, statement: str, *_: object) -> None:
        if not begun and threading.get_ident() == ours and before in statement:
            begun.append(threading.Thread(target=act, daemon=True))
            begun[0].start()
            begun[0].join(1)

    event.listen(db.engine, "before_cursor_execute", let_them)
    try:
        yield results
    finally:
        event.remove(db.engine, "before_cursor_execute", let_them)
        for thread in begun:
            thread.join(30)
    assert begun, f"No statement with the words {before!r} was run."


@contextmanager
def _listening(pass_by: Any) -> Iterator[None]:
    engine = db.engine
    event.listen(engine, "before_cursor_execute", pass_by)
    event.listen(engine, "commit", pass_by)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", pass_by)
        event.remove(engine, "commit", pass_by)


def whole_database() -> dict[str, list[str]]:
    """Every row of every table, comparable between two databases: ids are replaced by their order."""
    with reading() as session:
        tables = {name: _rows(session, name) for name in sorted(set(db.metadata.tables) - BEHIND)}
    entries = sorted(row["id"] for row in tables["journal_entry"])
    order = {number: rank for rank, number in enumerate(entries, 1)}
    for row in tables["journal_entry"]:
        row["id"] = order[row["id"]]
    for row in tables["posting"]:
        row["entry_id"] = order[row["entry_id"]]
    return _renamed({name: [repr(row) for row in rows] for name, rows in tables.items()})


def _rows(session: Any, table: str) -> list[dict[str, Any]]:
    left_out = _MEANINGLESS.get(table, set())
    return [
        {key: _of_the_same_hour(value) for key, value in row.items() if key not in left_out}
        for row in session.execute(text(f'SELECT * FROM "{table}"')).mappings()
    ]


def _of_the_same_hour(value: Any) -> Any:
    """What was done later, as if it had been done at once."""
    if isinstance(value, datetime):
        return AFTER if value == LATER else value
    return value.replace(f"{LATER:%Y-%m-%d %H}", f"{AFTER:%Y-%m-%d %H}") if isinstance(value, str) else value


def _renamed(tables: dict[str, list[str]]) -> dict[str, list[str]]:
    found = sorted({match.group() for rows in tables.values() for row in rows for match in _ID.finditer(row)})
    ranks = {identifier: f"{identifier[:3]}#{rank:03d}" for rank, identifier in enumerate(found)}
    return {
        name: sorted(_ID.sub(lambda match: ranks[match.group()], row) for row in rows) for name, rows in tables.items()
    }
