"""Proposing a run, and the approvals that release its money.

An approval is bound to the digest of what was proposed: amounts, payees, rails and destinations. It is a row, counted
by the database before the run is approved; whatever changes the run voids it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm import faults, ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest as state_of
from firm.db import transaction, use_case
from firm.errors import InvariantBroken, Refused
from firm.ledger import journal
from firm.money import Money
from firm.particulars import checked_words
from firm.profile import operations as profiles
from payouts.adjustments import booking as adjustments
from payouts.destinations import queries as destinations
from payouts.runs import entries, policies, queries
from payouts.runs.model import Payout, PayoutApproval, PayoutRun
from payouts.runs.model import payout as payouts_table
from payouts.runs.moves import RunNotInState, move_run, today
from payouts.runs.rules import digest

APPROVED_ONCE = faults.point("run.approval_written", "an approval is written and counted, nothing is committed")
RESERVED = faults.point("run.reserved", "a run's money is reserved in the books, nothing is committed")


class ApproverIsPreparer(Refused):
    """Whoever prepares a run does not approve it."""


class AlreadyApproved(Refused):
    """Each person approves a run once; a further approval is somebody else's."""


class NothingToPropose(Refused):
    """A run is proposed for the payouts that it would make."""


class PayableChanged(Refused):
    """Since the draft, the books owe somebody less than the run would pay."""


class DestinationChanged(Refused):
    """A payout of the run names a destination to which its payee may not be paid now."""


@use_case
def propose(key: str, *, by: Actor, now: datetime) -> PayoutRun:
    """Propose a draft for approval; its content is digested, and a change makes it a draft again."""
    with transaction() as session:
        run = queries.find(session, key)
        before = state_of(run)
        # Claim before deciding: what is counted and digested below can no longer change.
        move_run(session, run, "draft", state="draft")
        payouts = queries.planned_of(session, run.id)
        if not payouts:
            raise NothingToPropose(f"Every payout of {run.number} is held; take one up, or cancel the run.")
        _refuse_other_destinations(session, run, payouts, now=now)
        content = digest(payouts)
        needed = policies.approvals_for(session, run, _total(payouts), now=now)
        proposed = {"proposed_by": by.name, "proposed_at": now, "digest": content, "approvals_needed": needed}
        move_run(session, run, "draft", state="proposed", **proposed)
        facts = {"digest": content, "approvals_needed": needed}
        audit.record(session, "run.proposed", run.id, facts, before=before, after=run, by=by, now=now)
        return run


@use_case
def approve(key: str, *, by: Actor, now: datetime) -> PayoutRun:
    """Approve a proposed run; the last approval it takes reserves its money in the books, payable to in transit.

    The run stays proposed while more people have to approve it. Raises `ApproverIsPreparer` (unless the firm
    switched on sole approval, which the audit record then says), `AlreadyApproved`, `RunNotInState`, `PayableChanged`,
    `DestinationChanged`.
    """
    with transaction() as session:
        run = queries.find(session, key)
        before = state_of(run)
        alone = _refuse_preparer(session, run, by)
        # Claim before deciding: of two approvals at the same moment the second sees the first.
        move_run(session, run, "proposed", approved_by=by.name, approved_at=now, sole_approval=alone)
        payouts = queries.planned_of(session, run.id)
        if digest(payouts) != run.digest:
            raise InvariantBroken(f"{run.number} is not what was proposed.")
        _refuse_other_destinations(session, run, payouts, now=now)
        needed = max(run.approvals_needed, policies.approvals_for(session, run, _total(payouts), now=now))
        given = _give(session, run, by, alone, now)
        faults.reached(APPROVED_ONCE)
        if given < needed:
            _set(session, run, approvals_needed=needed, approved_by=None, approved_at=None, sole_approval=False)
            facts = {"digest": run.digest, "sole_approval": alone, "given": given, "needed": needed}
            audit.record(session, "run.approval-given", run.id, facts, before=before, after=run, by=by, now=now)
            return run
        _set(session, run, state="approved", approvals_needed=needed)
        # No adjustment comes between the look at what is owed and its reservation.
        adjustments.hold(session)
        _refuse_changed(session, run, payouts)
        _reserve(session, run, payouts, by=by, now=now)
        facts = {"digest": run.digest, "sole_approval": alone, "payouts": len(payouts), "given": given}
        audit.record(session, "run.approved", run.id, facts, before=before, after=run, by=by, now=now)
        faults.reached(RESERVED)
        return run


@use_case
def take_back(key: str, *, reason: str, by: Actor, now: datetime) -> PayoutRun:
    """Make a proposed run a draft again; the approvals it has are void. Raises `RunNotInState`."""
    reason = checked_words(
        reason, "Say why it becomes a draft again: the reason stays on record.", field="reason", most=400
    )
    with transaction() as session:
        run = queries.find(session, key)
        if run.state != "proposed":
            raise RunNotInState(f"{run.number} is {run.state}, not proposed; only a proposed run is taken back.")
        return reopen(session, run.id, reason, by=by, now=now)


def reopen(session: Session, run_id: str, reason: str, *, by: Actor, now: datetime) -> PayoutRun:
    """A run whose content is about to change: a draft stays one, a proposed run becomes one and loses its approvals.

    Holds the run's row, so that nobody approves meanwhile. Raises `RunNotInState` for any other.
    """
    run = queries.find(session, run_id)
    before = state_of(run)
    if run.state == "draft":
        move_run(session, run, "draft", state="draft")
        return run
    move_run(session, run, "proposed", state="draft", proposed_by=None, proposed_at=None, digest=None)
    void(session, run.id, reason, now=now)
    audit.record(session, "run.reopened", run.id, {"reason": reason}, before=before, after=run, by=by, now=now)
    return run


def void(session: Session, run_id: str, reason: str, *, now: datetime) -> None:
    """Void the approvals that a run has."""
    valid = update(PayoutApproval).where(PayoutApproval.run_id == run_id, PayoutApproval.voided_at.is_(None))
    session.execute(valid.values(voided_at=now, void_reason=reason[:500]))


def _refuse_preparer(session: Session, run: PayoutRun, by: Actor) -> bool:
    """Whether the approver is the preparer, which only a firm that allowed it may let pass."""
    alone = by.name in (run.prepared_by, run.proposed_by)
    if alone and not profiles.current(session).sole_approval:
        raise ApproverIsPreparer(f"{run.number} was prepared by {by.name}; somebody else has to approve it.")
    return alone


def _give(session: Session, run: PayoutRun, by: Actor, alone: bool, now: datetime) -> int:
    """Write the approval down, and count how many different people have given one by now."""
    approval = PayoutApproval(
        id=ids.new("apr"),
        run_id=run.id,
        approved_by=by.name,
        approved_at=now,
        digest=str(run.digest),
        sole=alone,
    )
    session.add(approval)
    number = run.number  # after a failure the session reads nothing any more
    try:
        session.flush()
    except IntegrityError as error:
        raise AlreadyApproved(f"{by.name} has approved {number}; the next approval is somebody else's.") from error
    valid = PayoutApproval.voided_at.is_(None), PayoutApproval.digest == run.digest
    count = select(func.count(PayoutApproval.approved_by.distinct())).where(PayoutApproval.run_id == run.id, *valid)
    return int(session.scalar(count) or 0)


def _set(session: Session, run: PayoutRun, **changes: object) -> None:
    """Change the row of a run that this transaction has claimed."""
    session.execute(update(PayoutRun).where(PayoutRun.id == run.id).values(**changes))
    session.refresh(run)


def _total(payouts: Sequence[Payout]) -> int:
    return sum(payout.amount_minor for payout in payouts)


def _refuse_other_destinations(session: Session, run: PayoutRun, payouts: Sequence[Payout], *, now: datetime) -> None:
    """Whoever confirms a destination takes back what names the one before it, but does not see a draft that is being
    written at the same moment.
    """
    changed = destinations.changed_since(session, {one.destination_id for one in payouts}, now=now)
    names = sorted(one.payee_name for one in payouts if one.destination_id in changed)
    if names:
        raise DestinationChanged(
            f"{', '.join(names)} may not be paid to the destination that {run.number} names; hold each payout of"
            " theirs, or cancel the run and draft another."
        )


def _refuse_changed(session: Session, run: PayoutRun, payouts: Sequence[Payout]) -> None:
    payable = queries.payables(session, run.currency)
    for one in payouts:
        if payable.get(one.maintainer_id, Money.zero(run.currency)) < one.amount:
            raise PayableChanged(
                f"{one.payee_name} is owed less than {run.number} would pay; cancel the run and draft another."
            )


def _reserve(session: Session, run: PayoutRun, payouts: Sequence[Payout], *, by: Actor, now: datetime) -> None:
    on = today(session, now)
    planned = payouts_table.c.run_id == run.id, payouts_table.c.state == "planned"
    session.execute(update(payouts_table).where(*planned).values(state="reserved"))
    journal.post_many(session, [entries.reserved(one, run.number, on) for one in payouts], by=by, now=now)
