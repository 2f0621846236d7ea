"""Preparing a run: draft, propose, approve, cancel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest as state_of
from firm.bulk import bulk_insert
from firm.db import claim, transaction, use_case
from firm.errors import InvariantBroken, Refused
from firm.ledger import accounts, journal
from firm.ledger.entry import Entry, credit, debit
from firm.money import Money
from firm.numbering.operations import take
from firm.profile import operations as profiles
from firm.recovery import operations as recovery
from payouts.destinations import queries as destinations
from payouts.destinations.queries import Way
from payouts.rails.rail import Rail
from payouts.runs import queries
from payouts.runs.model import Payout, PayoutRun
from payouts.runs.model import payout as payouts_table
from payouts.runs.queries import LeftOut
from payouts.runs.rules import digest


class NothingPayable(Refused):
    """A run without payouts is not drafted."""


class RunNotInState(Refused):
    """The run is not where this step begins."""


class ApproverIsPreparer(Refused):
    """Whoever prepares a run does not approve it."""


class PayableChanged(Refused):
    """Since the draft, the books owe somebody less than the run would pay."""


class AlreadyInARun(Refused):
    """Somebody else drafted a run for the same people at the same moment."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A new run, its payouts, and whom it had to leave out."""

    run: PayoutRun
    payouts: Sequence[Payout]
    left_out: Sequence[LeftOut]


@use_case
def draft(*, rails: Mapping[str, Rail], by: Actor, now: datetime) -> Drafted:
    """Collect everything payable in the currency of the books into a new run.

    People without a destination, or in a run already, are left out and named. Raises `NothingPayable`, which
    names them too, `AlreadyInARun` when another draft came first, and `NotReconciled` in restored books.
    """
    with transaction() as session:
        recovery.refuse_unreconciled(session)
        profile = profiles.current(session)
        payable, left_out = _sorted_out(session, profile.currency, rails, now)
        if not payable:
            raise NothingPayable(_nothing(left_out))
        year = now.astimezone(profile.zone).year
        run = PayoutRun(
            id=ids.new("run"),
            number=take(session, "RUN", year)[0],
            currency=profile.currency,
            state="draft",
            prepared_by=by.name,
            prepared_at=now,
        )
        session.add(run)
        session.flush()
        try:
            bulk_insert(session, payouts_table, _rows(run, payable))
        except IntegrityError as error:
            raise AlreadyInARun("Another run was drafted for the same people; use that one.") from error
        total = sum(amount.minor for _, amount in payable)
        facts = {"number": run.number, "payouts": len(payable), "total_minor": total}
        audit.record(session, "run.drafted", run.id, facts, after=run, by=by, now=now)
        return Drafted(run, queries.payouts_of(session, run.id), left_out)


@use_case
def propose(key: str, *, by: Actor, now: datetime) -> PayoutRun:
    """Propose a draft for approval; its content is digested and cannot change any more."""
    with transaction() as session:
        run = queries.find(session, key)
        before = state_of(run)
        content = digest(queries.payouts_of(session, run.id))
        _move(session, run, "draft", state="proposed", proposed_by=by.name, proposed_at=now, digest=content)
        facts = {"digest": content}
        audit.record(session, "run.proposed", run.id, facts, before=before, after=run, by=by, now=now)
        return run


@use_case
def approve(key: str, *, by: Actor, now: datetime) -> PayoutRun:
    """Approve a proposed run and reserve its money in the books: payables become in transit.

    Raises `ApproverIsPreparer` (unless the firm switched on sole approval, which the audit record then says),
    `RunNotInState`, `PayableChanged`.
    """
    with transaction() as session:
        profile = profiles.current(session)
        run = queries.find(session, key)
        before = state_of(run)
        alone = by.name in (run.prepared_by, run.proposed_by)
        if alone and not profile.sole_approval:
            raise ApproverIsPreparer(f"{run.number} was prepared by {by.name}; somebody else has to approve it.")
        # Claim before deciding: of two approvals at the same moment one changes the row and the other none.
        _move(
            session,
            run,
            "proposed",
            state="approved",
            approved_by=by.name,
            approved_at=now,
            sole_approval=alone,
        )
        payouts = queries.payouts_of(session, run.id)
        if digest(payouts) != run.digest:
            raise InvariantBroken(f"{run.number} is not what was proposed.")
        _refuse_changed(session, run, payouts)
        _reserve(session, run, payouts, by=by, now=now)
        facts = {"digest": run.digest, "sole_approval": alone, "payouts": len(payouts)}
        audit.record(session, "run.approved", run.id, facts, before=before, after=run, by=by, now=now)
        return run


@use_case
def cancel(key: str, *, by: Actor, now: datetime) -> PayoutRun:
    """Cancel a run that is not approved yet; its people are free for the next one."""
    with transaction() as session:
        run = queries.find(session, key)
        before = state_of(run)
        _move(session, run, run.state if run.state in ("draft", "proposed") else "draft", state="canceled")
        session.execute(
            update(payouts_table)
            .where(payouts_table.c.run_id == run.id, payouts_table.c.state == "planned")
            .values(state="canceled")
        )
        audit.record(session, "run.canceled", run.id, {}, before=before, after=run, by=by, now=now)
        return run


def _sorted_out(
    session: Session, currency: str, rails: Mapping[str, Rail], now: datetime
) -> tuple[list[tuple[Way, Money]], list[LeftOut]]:
    """Who can be paid, with their destination; and who cannot, with the reason."""
    ways = destinations.live(session, now=now)
    taken = queries.with_live_payout(session, currency)
    payable: list[tuple[Way, Money]] = []
    left_out: list[LeftOut] = []
    for maintainer_id, amount in queries.payables(session, currency).items():
        reason = _obstacle(maintainer_id, amount, ways.get(maintainer_id), taken, rails)
        if reason:
            left_out.append(LeftOut(maintainer_id, amount, reason))
        else:
            payable.append((ways[maintainer_id], amount))
    return payable, left_out


def _obstacle(
    maintainer_id: str,
    amount: Money,
    way: Way | None,
    taken: set[str],
    rails: Mapping[str, Rail],
) -> str:
    if amount.minor <= 0:
        return "owes the firm; the next month's earnings are set against it"
    if maintainer_id in taken:
        return "is in another run that has not been sent"
    if way is None:
        return "has no destination; set one with `chambers maintainer destination`"
    if way.obstacle:
        return way.obstacle
    if way.rail not in rails or not rails[way.rail].describe().takes(amount.currency):
        return f"has a destination on the rail {way.rail}, which does not pay {amount.currency}"
    return ""


def _nothing(left_out: Sequence[LeftOut]) -> str:
    if not left_out:
        return "Nothing is payable; close a month first, or wait until there is something to pay."
    reasons = "; ".join(f"{out.maintainer_id} ({out.payable}) {out.reason}" for out in left_out[:10])
    return f"Nobody can be paid: {reasons}."


def _rows(run: PayoutRun, payable: Sequence[tuple[Way, Money]]) -> list[dict[str, object]]:
    identifiers = ids.new_many("pay", len(payable))
    return [
        {
            "id": identifier,
            "run_id": run.id,
            "maintainer_id": way.maintainer_id,
            "destination_id": way.id,
            "rail": way.rail,
            "amount_minor": amount.minor,
            "currency": amount.currency,
            "payee_name": way.holder,
            "state": "planned",
        }
        for identifier, (way, amount) in zip(identifiers, payable, strict=True)
    ]


def _move(session: Session, run: PayoutRun, before: str, **changes: object) -> None:
    """Change the run's row if it is still in the state; raises `RunNotInState` otherwise."""
    in_state = update(PayoutRun).where(PayoutRun.id == run.id, PayoutRun.state == before)
    moved = claim(session, in_state.values(**changes))
    session.refresh(run)
    if not moved:
        raise RunNotInState(f"{run.number} is {run.state}, not {before}; this step is for a {before} run.")


def _refuse_changed(session: Session, run: PayoutRun, payouts: Sequence[Payout]) -> None:
    payable = queries.payables(session, run.currency)
    for one in payouts:
        if payable.get(one.maintainer_id, Money.zero(run.currency)) < one.amount:
            raise PayableChanged(
                f"{one.payee_name} is owed less than {run.number} would pay; cancel the run and draft another."
            )


def _reserve(session: Session, run: PayoutRun, payouts: Sequence[Payout], *, by: Actor, now: datetime) -> None:
    today = now.astimezone(profiles.current(session).zone).date()
    session.execute(
        update(payouts_table)
        .where(payouts_table.c.run_id == run.id, payouts_table.c.state == "planned")
        .values(state="reserved")
    )
    entries = [
        Entry(
            f"payout:{one.id}",
            today,
            f"Payout in {run.number}",
            (
                debit(accounts.PAYABLES, one.amount, maintainer_id=one.maintainer_id),
                credit(accounts.IN_TRANSIT, one.amount, maintainer_id=one.maintainer_id),
            ),
        )
        for one in payouts
    ]
    journal.post_many(session, entries, by=by, now=now)
