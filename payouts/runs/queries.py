"""Finding runs and payouts, and what is payable."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from firm.errors import NotFound
from firm.ledger import accounts
from firm.ledger import queries as ledger
from firm.listing import WHOLE, Slice, where_given
from firm.money import Money
from payouts.runs.model import LIVE, Payout, PayoutApproval, PayoutAttempt, PayoutReversal, PayoutRun, RailFile, payout

SENT = ("sent", "settled", "returned")
"""States of a payout that a rail has carried out, whatever became of it since."""


class RunNotFound(NotFound):
    """No payout run has this id or number."""


class PayoutNotFound(NotFound):
    """No payout has this id."""


class FileNotWritten(NotFound):
    """The run has no file on this rail, or not yet."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Somebody with money payable whom a run cannot pay, and why."""

    maintainer_id: str
    name: str
    payable: Money
    reason: str


def find(session: Session, key: str) -> PayoutRun:
    """A run by id or number. Raises `RunNotFound`."""
    run = session.scalar(select(PayoutRun).where(or_(PayoutRun.id == key, PayoutRun.number == key)))
    if run is None:
        raise RunNotFound(f"There is no payout run {key!r}.")
    return run


def page(session: Session, part: Slice = WHOLE, *, state: str | None = None) -> list[PayoutRun]:
    """Runs in one state or in any, in the order of their ids."""
    return list(session.scalars(part.of(where_given(select(PayoutRun), (PayoutRun.state, state)), PayoutRun.id)))


def payouts_page(
    session: Session,
    part: Slice = WHOLE,
    *,
    run_id: str | None = None,
    maintainer_id: str | None = None,
    state: str | None = None,
    rail: str | None = None,
) -> list[Payout]:
    """Payouts of all runs, in the order of their ids; of one run or maintainer, in one state, over one rail."""
    table = payout.c
    whose = (table.run_id, run_id), (table.maintainer_id, maintainer_id), (table.state, state), (table.rail, rail)
    return [Payout(*row) for row in session.execute(part.of(where_given(select(payout), *whose), table.id))]


def payouts_of(session: Session, run_id: str) -> list[Payout]:
    """A run's payouts, in the order of their ids."""
    rows = session.execute(select(payout).where(payout.c.run_id == run_id).order_by(payout.c.id))
    return [Payout(*row) for row in rows]


def planned_of(session: Session, run_id: str) -> list[Payout]:
    """What a run that is not approved yet would pay."""
    return [one for one in payouts_of(session, run_id) if one.state == "planned"]


def approvals_of(session: Session, run_id: str) -> list[PayoutApproval]:
    """The approvals a run has been given, also those that are void, in the order they came."""
    query = select(PayoutApproval).where(PayoutApproval.run_id == run_id).order_by(PayoutApproval.id)
    return list(session.scalars(query))


def sent_attempts(session: Session, run_id: str) -> dict[str, PayoutAttempt]:
    """The attempt that carried out each payout of a run, by payout id."""
    query = (
        select(PayoutAttempt)
        .join(payout, payout.c.id == PayoutAttempt.payout_id)
        .where(payout.c.run_id == run_id, PayoutAttempt.state == "sent")
    )
    return {attempt.payout_id: attempt for attempt in session.scalars(query)}


def states_of(session: Session, run_id: str) -> list[str]:
    """The states that a run's payouts are in, each once."""
    return list(session.scalars(select(payout.c.state).where(payout.c.run_id == run_id).distinct()))


def booked_on(session: Session, paid: Payout) -> date | None:
    """The day on which the books have a payout as paid; None before that. It follows `settled_on`, the bank's day,
    where that lay in a month that was closed when the bank told us.
    """
    return None if paid.settled_on is None else ledger.entry_of(session, f"payout-settled:{paid.id}").on


def totals_in(session: Session, states: Collection[str]) -> list[tuple[str, int, Money]]:
    """For each run with payouts in one of these states: its number, how many they are, and what they come to."""
    query = (
        select(PayoutRun.number, func.count(), func.sum(payout.c.amount_minor), payout.c.currency)
        .join(PayoutRun, PayoutRun.id == payout.c.run_id)
        .where(payout.c.state.in_(states))
        .group_by(PayoutRun.number, payout.c.currency)
        .order_by(PayoutRun.number)
    )
    return [(number, count, Money(int(total), currency)) for number, count, total, currency in session.execute(query)]


def find_payout(session: Session, payout_id: str) -> Payout:
    """A payout by id. Raises `PayoutNotFound`."""
    row = session.execute(select(payout).where(payout.c.id == payout_id)).one_or_none()
    if row is None:
        raise PayoutNotFound(f"There is no payout {payout_id!r}.")
    return Payout(*row)


def attempts_of(session: Session, payout_id: str) -> list[PayoutAttempt]:
    """Every try to send a payout, in their order."""
    query = select(PayoutAttempt).where(PayoutAttempt.payout_id == payout_id).order_by(PayoutAttempt.number)
    return list(session.scalars(query))


def reversals_of(session: Session, payout_id: str) -> list[PayoutReversal]:
    """What the provider took back of a payout, in the order it was heard of."""
    query = select(PayoutReversal).where(PayoutReversal.payout_id == payout_id).order_by(PayoutReversal.id)
    return list(session.scalars(query))


def sent_as(session: Session, reference: str) -> Payout | None:
    """The payout that a provider knows by this reference, or None."""
    row = session.execute(select(payout).where(payout.c.reference == reference)).one_or_none()
    return None if row is None else Payout(*row)


def find_file(session: Session, run_id: str, rail: str) -> RailFile:
    """The file of a run on a rail. Raises `FileNotWritten`."""
    found = session.scalar(select(RailFile).where(RailFile.run_id == run_id, RailFile.rail == rail))
    if found is None and not any(one.rail == rail for one in payouts_of(session, run_id)):
        raise FileNotWritten(f"The run pays nobody over the rail {rail}, so that it has no {rail} file.")
    if found is None:
        raise FileNotWritten(f"The run has no {rail} file; it is written when the run is sent.")
    return found


def payables(session: Session, currency: str) -> dict[str, Money]:
    """What the books say the firm owes each maintainer, by id; what is reserved is no longer payable."""
    balances = ledger.balances_by(session, accounts.PAYABLES, currency, "maintainer_id")
    return {maintainer_id: -balance for maintainer_id, balance in balances.items()}


def rails_and_numbers(session: Session, payout_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """The rail of each payout and the number of its run."""
    if not payout_ids:
        return {}
    # A range instead of a list: a month has thousands of payouts, and their ids follow one another.
    rows = session.execute(
        select(payout.c.id, payout.c.rail, PayoutRun.number)
        .join(PayoutRun, PayoutRun.id == payout.c.run_id)
        .where(payout.c.id.between(min(payout_ids), max(payout_ids)))
    )
    return {row.id: (row.rail, row.number) for row in rows}


def with_live_payout(session: Session, currency: str) -> set[str]:
    """Maintainers who are in a run already that has not been sent."""
    return set(
        session.scalars(select(payout.c.maintainer_id).where(payout.c.state.in_(LIVE), payout.c.currency == currency))
    )


def files_of(session: Session, run_id: str) -> dict[str, str]:
    """The ids of a run's files for the bank, by rail."""
    return dict(session.execute(select(RailFile.rail, RailFile.id).where(RailFile.run_id == run_id)).all())
