"""How entries reach SQLite: one writer at a time holds the lock, so numbers and balances are plain rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.model import audit_record
from firm.bulk import bulk_insert
from firm.ledger import rows
from firm.ledger.entry import Entry
from firm.ledger.model import BALANCE_KEY, journal_entry, period, posting
from firm.ledger.periods import MonthClosed

_NEXT_AND_STATE = (
    "SELECT (SELECT COALESCE(MAX(id), 0) + 1 FROM journal_entry), (SELECT state FROM period WHERE month = ?)"
)
_ADD_BALANCE = (
    f"INSERT INTO balance ({', '.join(BALANCE_KEY)}, amount_minor) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
    f" ON CONFLICT ({', '.join(BALANCE_KEY)}) DO UPDATE SET amount_minor = amount_minor + excluded.amount_minor"
)


def post(session: Session, entry: Entry, *, by: Actor, now: datetime) -> int:
    """Five statements: number and period, lines, entry, balances, audit."""
    number = _claim_numbers(session, [entry])
    witness = audit.values("entry.posted", str(number), rows.facts([entry]), by=by, now=now)
    _write(session, [(entry, number)], witness, by=by, now=now)
    return number


def post_many(session: Session, entries: Sequence[Entry], *, by: Actor, now: datetime) -> list[int]:
    """The same five, each with the rows of all entries."""
    first = _claim_numbers(session, entries)
    numbers = list(range(first, first + len(entries)))
    span = f"{first}-{numbers[-1]}"
    witness = audit.values("entries.posted", span, rows.facts(entries), by=by, now=now)
    _write(session, list(zip(entries, numbers, strict=True)), witness, by=by, now=now)
    return numbers


def _write(
    session: Session,
    numbered: Sequence[tuple[Entry, int]],
    witness: dict[str, Any],
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Lines first; the entries seal them. Plain driver statements: building Core ones would take longer."""
    bulk_insert(session, posting, [line for entry, number in numbered for line in rows.of_lines(entry, number)])
    bulk_insert(session, journal_entry, [rows.of_entry(entry, number, by=by, now=now) for entry, number in numbered])
    changes = [tuple(change.values()) for change in rows.changes(entry for entry, _ in numbered)]
    session.connection().exec_driver_sql(_ADD_BALANCE, changes)
    bulk_insert(session, audit_record, [witness])


def _claim_numbers(session: Session, entries: Sequence[Entry]) -> int:
    """The next free number, once every month of the entries is known to be open."""
    connection = session.connection()
    number = 0
    for month in sorted({entry.month for entry in entries}):
        number, state = connection.exec_driver_sql(_NEXT_AND_STATE, (str(month),)).one()
        if state is None:
            session.execute(insert(period), {"month": month})
        elif state == "closed":
            raise MonthClosed(month)
    return int(number)
