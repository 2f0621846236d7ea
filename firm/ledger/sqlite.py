"""How entries reach SQLite: one writer at a time holds the lock, so numbers and balances are plain rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.db import bulk_insert
from firm.ledger import rows
from firm.ledger.entry import Entry
from firm.ledger.model import BALANCE_KEY, balance, journal_entry, period, posting
from firm.ledger.periods import MonthClosed

_next_and_state = select(
    select(func.coalesce(func.max(journal_entry.c.id), 0) + 1).scalar_subquery(),
    select(period.c.state).where(period.c.month == bindparam("month")).scalar_subquery(),
)
_add_balance = upsert(balance)
_add_balance = _add_balance.on_conflict_do_update(
    index_elements=list(BALANCE_KEY),
    set_={"amount_minor": balance.c.amount_minor + _add_balance.excluded.amount_minor},
)
_insert_entry = insert(journal_entry)
_insert_lines = insert(posting)


def post(session: Session, entry: Entry, *, by: Actor, now: datetime) -> int:
    """Five statements: number and period, lines, entry, balances, audit."""
    number = _claim_numbers(session, [entry])
    session.execute(_insert_lines, rows.of_lines(entry, number))
    session.execute(_insert_entry, rows.of_entry(entry, number, by=by, now=now))
    session.execute(_add_balance, rows.changes([entry]))
    audit.record(session, "entry.posted", str(number), rows.facts([entry]), by=by, now=now)
    return number


def post_many(session: Session, entries: Sequence[Entry], *, by: Actor, now: datetime) -> list[int]:
    """The same with one prepared statement a table."""
    first = _claim_numbers(session, entries)
    numbers = list(range(first, first + len(entries)))
    numbered = list(zip(entries, numbers, strict=True))
    bulk_insert(session, posting, [line for entry, number in numbered for line in rows.of_lines(entry, number)])
    bulk_insert(session, journal_entry, [rows.of_entry(entry, number, by=by, now=now) for entry, number in numbered])
    session.execute(_add_balance, rows.changes(entries))
    audit.record(session, "entries.posted", f"{first}-{numbers[-1]}", rows.facts(entries), by=by, now=now)
    return numbers


def _claim_numbers(session: Session, entries: Sequence[Entry]) -> int:
    """The next free number, once every month of the entries is known to be open."""
    number = 0
    for month in sorted({entry.month for entry in entries}):
        number, state = session.execute(_next_and_state, {"month": month}).one()
        if state is None:
            session.execute(insert(period), {"month": month})
        elif state == "closed":
            raise MonthClosed(month)
    return int(number)
