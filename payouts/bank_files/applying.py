"""Applying a file's lines, each through the use cases of runs and each again after a crash.

A line whose payout moved and which was not marked is known by the reference or reason that it left there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, reading, transaction, use_case
from firm.errors import InvariantBroken, Refused
from firm.ledger import periods
from firm.profile import operations as profiles
from payouts.bank_files import queries, rules
from payouts.bank_files.model import BankLine
from payouts.bank_files.rules import Applied, Mark
from payouts.runs import queries as runs
from payouts.runs import settling
from payouts.runs.model import Payout
from payouts.runs.moves import PayoutNotInState

Progress = Callable[[int, int], None]
MOST_REFERENCE = 60
LESS = ", less "
"""What stands before the bank's fee in the reason of a payment that came back less one."""
TRIES = 3
"""How often a line is judged anew when somebody moves its payout between the look and the step."""


def apply_all(file_id: str, *, by: Actor, now: datetime, progress: Progress) -> None:
    """Apply what waits in a file: money that left before money that came back."""
    with reading() as session:
        order = case({"settle": 0, "reject": 1}, value=BankLine.action, else_=2)
        waiting = select(BankLine.id).where(BankLine.file_id == file_id, BankLine.state == "waiting")
        found = list(session.scalars(waiting.order_by(order, BankLine.number)))
    for done, line_id in enumerate(found, 1):
        _apply(line_id, by=by, now=now)
        progress(done, len(found))


def _apply(line_id: str, *, by: Actor, now: datetime) -> None:
    for _ in range(TRIES):
        line, payout, others, on = _look(line_id)
        applied = rules.verdict(line.action or "", payout, left_behind(line), _mark(line), others)
        if applied is None:
            applied = _step(line, payout, on, by=by, now=now)
        if applied is not None:
            _mark_line(line_id, applied, by=by, now=now)
            return
    raise InvariantBroken(f"The payout of the bank line {line_id} does not come to rest.")


def _look(line_id: str) -> tuple[BankLine, Payout, list[Mark], date]:
    """A line with its payout, what other lines brought to that payout, and the day on which it can be posted."""
    with reading() as session:
        line = queries.find_line(session, line_id)
        states = ("settled", "noted") if line.action == "settle" else ("returned", "rejected", "noted", "resolved")
        actions = ("settle",) if line.action == "settle" else ("return", "reject")
        others = select(BankLine).where(
            BankLine.payout_id == line.payout_id,
            BankLine.id != line.id,
            BankLine.state.in_(states),
            BankLine.action.in_(actions),
        )
        payout = runs.find_payout(session, line.payout_id or "")
        brought = [one for one in session.scalars(others.order_by(BankLine.id)) if _moved(one, payout)]
        return line, payout, [_mark(one) for one in brought], open_day(session, line)


def _moved(line: BankLine, payout: Payout) -> bool:
    """Whether a line brought a movement: one that a person explained did where it left its fee on the payout."""
    return line.state != "resolved" or (payout.reason or "").startswith(f"{left_behind(line)}{LESS}")


def open_day(session: Session, line: BankLine) -> date:
    """The day of the movement, or the first day that the books have open after it."""
    if line.booked_on is None:
        raise InvariantBroken(f"The bank line {line.id} moves money on no day.")
    first = periods.earliest_open(session, first=profiles.current(session).first_month)
    return max(line.booked_on, first.first_day)


def _step(line: BankLine, payout: Payout, on: date, *, by: Actor, now: datetime) -> Applied | None:
    """Move the payout; the next look sees what it has become, by us or by somebody else meanwhile.

    What the books refuse for another reason is for a person, and holds up no other line.
    """
    late = "" if on == line.booked_on or line.booked_on is None else f", booked {line.booked_on.isoformat()}"
    text = left_behind(line) + late
    try:
        if line.action == "settle":
            at_bank = line.booked_on or on
            settling.settle(payout.id, reference=text, on=at_bank, posted_on=on, by=by, now=now)
        elif line.action == "reject":
            settling.reject(payout.id, reason=text, on=on, by=by, now=now)
        else:
            settling.give_back(payout.id, reason=text, on=on, by=by, now=now)
    except (PayoutNotInState, periods.MonthClosed):
        return None
    except Refused as error:
        return Applied("unmatched", error.message[:500])
    return None


def left_behind(line: BankLine) -> str:
    """What the line leaves on its payout: the bank's reference, or its reason and reference."""
    if line.action == "settle":
        return line.reference[:MOST_REFERENCE]
    return f"{line.reason} [{line.reference}]"[:400]


def _mark(line: BankLine) -> Mark:
    """Statuses of a report have no direction: they are no movement of their own."""
    booked_on = line.booked_on if line.direction is not None else None
    return Mark(line.file_id, booked_on, line.amount_minor, line.reference)


@use_case
def _mark_line(line_id: str, applied: Applied, *, by: Actor, now: datetime) -> None:
    """Write down what the line came to; somebody who applies the same file may have done so first."""
    with transaction() as session:
        line = queries.find_line(session, line_id)
        before = digest(line)
        waiting = update(BankLine).where(BankLine.id == line_id, BankLine.state == "waiting")
        if claim(session, waiting.values(state=applied.state, note=applied.note)):
            session.refresh(line)
            facts = {"payout": line.payout_id, "state": line.state}
            audit.record(session, "bank-line.applied", line.id, facts, before=before, after=line, by=by, now=now)
