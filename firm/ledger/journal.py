"""Posting and reversing: the only writers of entries, postings and balances.

Both engines are written in the fewest round trips they allow (`docs/performance.md` has the figures):
PostgreSQL takes an entry in one statement, SQLite in five short ones under its single write lock. Nothing here
builds an ORM object.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.errors import InvariantBroken, NotFound, Refused
from firm.ledger import postgresql, sqlite
from firm.ledger.entry import Entry, Line
from firm.ledger.model import DIMENSIONS, journal_entry, posting
from firm.ledger.periods import MonthClosed
from firm.money import Money
from firm.month import Month


class AlreadyPosted(Refused):
    """An entry of this source is in the books; one cause is booked once."""


class ReversalTooEarly(Refused):
    """A reversal is not dated before the entry that it reverses."""


class AlreadyReversed(Refused):
    """It was reversed already, or is a reversal that cannot be."""


class UnknownAccount(InvariantBroken):
    """A line names an account that the chart does not have in that currency."""


class EntryNotFound(NotFound):
    """No journal entry has this number."""


def post(session: Session, entry: Entry, *, by: Actor, now: datetime) -> int:
    """Post one entry and return its number.

    Raises `AlreadyPosted` if its source is in the books, and `MonthClosed` if its month is closed.
    """
    try:
        if session.get_bind().dialect.name == "postgresql":
            return postgresql.post(session, entry, by=by, now=now)
        return sqlite.post(session, entry, by=by, now=now)
    except IntegrityError as error:
        raise _explained(error, [entry]) from error


def post_many(session: Session, entries: Sequence[Entry], *, by: Actor, now: datetime) -> list[int]:
    """Post many entries, all or none, and return their numbers in order. Raises as `post` does."""
    if not entries:
        return []
    try:
        if session.get_bind().dialect.name == "postgresql":
            return postgresql.post_many(session, entries, by=by, now=now)
        return sqlite.post_many(session, entries, by=by, now=now)
    except IntegrityError as error:
        raise _explained(error, entries) from error


def reverse(
    session: Session,
    entry_id: int,
    *,
    on: date,
    reason: str,
    by: Actor,
    now: datetime,
) -> int:
    """Post the exact negation of an entry, on a day of an open month, and return its number.

    Says which month it adjusts when that is an earlier one. Raises `EntryNotFound`, `AlreadyReversed`,
    `ReversalTooEarly`, `MonthClosed`.
    """
    original = session.execute(
        select(journal_entry.c.month, journal_entry.c.narration).where(journal_entry.c.id == entry_id)
    ).one_or_none()
    if original is None:
        raise EntryNotFound(f"There is no journal entry number {entry_id}.")
    month = Month.of(on)
    if month < original.month:
        raise ReversalTooEarly(f"A reversal cannot be dated before the entry it reverses, in {original.month.name}.")
    return post(
        session,
        Entry(
            source=f"reversal:{entry_id}",
            on=on,
            narration=f"Reversal of: {original.narration} ({reason})"[:500],
            lines=tuple(line.negated() for line in lines_of(session, entry_id)),
            adjusts=original.month if original.month < month else None,
            reverses_id=entry_id,
        ),
        by=by,
        now=now,
    )


def lines_of(session: Session, entry_id: int) -> list[Line]:
    """The lines of one entry, in order."""
    rows = session.execute(select(posting).where(posting.c.entry_id == entry_id).order_by(posting.c.line))
    return [
        Line(row.account, Money(row.amount_minor, row.currency), *(getattr(row, name) for name in DIMENSIONS))
        for row in rows
    ]


def _explained(error: IntegrityError, entries: Sequence[Entry]) -> Exception:
    text = str(error.orig)
    if "fk_posting_account" in text or "FOREIGN KEY" in text:
        accounts = sorted({f"{line.account} in {line.amount.currency}" for e in entries for line in e.lines})
        return UnknownAccount(f"The chart of accounts lacks one of: {', '.join(accounts[:20])}.")
    if "period is not open" in text:
        return MonthClosed(min(entry.month for entry in entries))
    known = "source" in text or "already posted" in text
    if "reverses_id" in text or (known and entries[0].reverses_id is not None):
        return AlreadyReversed(f"{entries[0].narration}: that entry has been reversed already.")
    if known:
        which = entries[0].source if len(entries) == 1 else f"one of {len(entries)} entries"
        return AlreadyPosted(f"{which} is in the books already; one cause is booked once.")
    return error
