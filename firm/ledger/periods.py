"""Periods: months that are open or closed, and the steps of a close that are done.

A step is claimed by inserting its row, in the transaction that does the step: of two closes at the same moment
one finds the row taken, waits for it, and goes on with the next step.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Table, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim
from firm.errors import Refused
from firm.ledger.model import PERIOD_STATES, journal_entry, period, period_step
from firm.month import Month

STATES = PERIOD_STATES
"""What a month can be in."""


class MonthClosed(Refused):
    """A closed month takes no entry."""

    def __init__(self, month: Month, instead: str = "") -> None:
        instead = instead or f"post the correction in an open month and say that it adjusts {month.name}"
        super().__init__(f"{month.name} is closed; {instead}.")


class EarlierMonthOpen(Refused):
    """Months are closed in their order."""


@dataclass(frozen=True, slots=True)
class Step:
    """A finished step of a month's close: how many things it made, and their sum in the books' currency."""

    name: str
    done_at: datetime
    done_by: str
    items: int
    total_minor: int


def is_closed(session: Session, month: Month) -> bool:
    return session.scalar(select(period.c.state).where(period.c.month == month)) == "closed"


def refuse_if_closed(session: Session, month: Month, *, instead: str = "") -> None:
    """Raises `MonthClosed`, which says what to do `instead`."""
    if is_closed(session, month):
        raise MonthClosed(month, instead)


def hold(session: Session, month: Month) -> None:
    """Have the month to ourselves until the commit: no other holder, no close. Raises `MonthClosed`."""
    # On SQLite the transaction holds the only write lock already.
    row = select(period.c.state).where(period.c.month == month).with_for_update()
    state = session.scalar(row)
    if state is None:
        open_month(session, month)
        state = session.scalar(row)
    if state == "closed":
        raise MonthClosed(month)


def earliest_open(session: Session, *, first: Month) -> Month:
    """The month to close next: the one after the last closed, or the first of the books."""
    last = session.scalar(
        select(period.c.month).where(period.c.state == "closed").order_by(period.c.month.desc()).limit(1)
    )
    return first if last is None else last.next


def first_without(session: Session, step: str, first_open: Month) -> Month:
    """The first month whose close has not done a step. It stays so for who holds the first open month."""
    return first_open.next if any(done.name == step for done in steps(session, first_open)) else first_open


def open_month(session: Session, month: Month) -> None:
    """Make sure the month has its row. May be repeated; a closed month stays closed."""
    # The look first: on SQLite a guard refuses the row of a month that exists, whatever the statement says of it.
    if session.scalar(select(period.c.month).where(period.c.month == month)) is None:
        _insert_if_absent(session, period, {"month": month})


def claim_step(
    session: Session, month: Month, step: str, *, items: int, total_minor: int, by: Actor, now: datetime
) -> bool:
    """Write down that this transaction does the step. False if it is done already, by whomever."""
    row = {
        "month": month,
        "step": step,
        "done_at": now,
        "done_by": by.name,
        "items": items,
        "total_minor": total_minor,
    }
    return _insert_if_absent(session, period_step, row)


def set_result(session: Session, month: Month, step: str, *, items: int, total_minor: int) -> None:
    """Write down what the claimed step made, in the same transaction."""
    session.execute(update(period_step).where(*_is(month, step)).values(items=items, total_minor=total_minor))


def steps(session: Session, month: Month) -> list[Step]:
    """The finished steps of a month, in the order in which they were done."""
    rows = session.execute(
        select(period_step).where(period_step.c.month == month).order_by(period_step.c.done_at, period_step.c.step)
    )
    return [Step(row.step, row.done_at, row.done_by, row.items, row.total_minor) for row in rows]


def close(session: Session, month: Month, *, first: Month, by: Actor, now: datetime) -> bool:
    """Close the month and open the next. False if it is closed already. Raises `EarlierMonthOpen`."""
    earliest = earliest_open(session, first=first)
    if earliest < month:
        raise EarlierMonthOpen(f"Close {earliest.name} first: months are closed in their order.")
    # Never before an entry of the month: another machine's clock may be ahead of the caller's.
    last_posted = session.scalar(select(func.max(journal_entry.c.posted_at)).where(journal_entry.c.month == month))
    closed_at = max(now, last_posted or now)
    closed = {"state": "closed", "closed_at": closed_at, "closed_by": by.name}
    still_open = update(period).where(period.c.month == month, period.c.state == "open")
    if not claim(session, still_open.values(**closed)):
        return False
    open_month(session, month.next)
    before, after = digest({"month": month, "state": "open"}), {"month": month, **closed}
    audit.record(session, "month.closed", str(month), {}, before=before, after=after, by=by, now=now)
    return True


def _is(month: Month, step: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return period_step.c.month == month, period_step.c.step == step


def _insert_if_absent(session: Session, table: Table, row: dict[str, object]) -> bool:
    """Insert a row unless its key is there, waiting for a transaction that is inserting it. Whether it did."""
    engine = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = engine.insert(table).values(**row).on_conflict_do_nothing().returning(table.c.month)
    return session.execute(statement).one_or_none() is not None
