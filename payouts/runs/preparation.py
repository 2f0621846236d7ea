"""Preparing a run: draft it, hold somebody's payout back, cancel it.

What changes a proposed run takes it back to a draft, and voids the approvals that it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm import faults, ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest as state_of
from firm.bulk import bulk_insert
from firm.db import transaction, use_case
from firm.errors import Refused
from firm.jobs import operations as jobs
from firm.money import Money
from firm.numbering.operations import take
from firm.particulars import checked_words
from firm.profile import operations as profiles
from firm.recovery import operations as recovery
from payouts.destinations import queries as destinations
from payouts.destinations.queries import Way
from payouts.provider_accounts.operations import REFRESH
from payouts.rails.rail import Rail
from payouts.runs import approvals, obstacles, policies, queries
from payouts.runs.model import Payout, PayoutRun
from payouts.runs.model import payout as payouts_table
from payouts.runs.moves import move, move_run, record_move
from payouts.runs.queries import LeftOut
from payouts.runs.rules import Policy
from staffing.maintainers import queries as maintainers

DRAFTED = faults.point("run.drafted", "a run's row is written, its payouts are not")
FROZEN = faults.point("run.payouts_written", "a run's payouts are written, nothing is committed")


class NothingPayable(Refused):
    """A run without payouts is not drafted."""


class AlreadyInARun(Refused):
    """Somebody else drafted a run for the same people at the same moment."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A new run, its payouts, and whom it had to leave out."""

    run: PayoutRun
    payouts: Sequence[Payout]
    left_out: Sequence[LeftOut]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Somebody who has money payable and a way to it: planned, or held or carried over for a reason."""

    way: Way
    amount: Money
    state: str
    reason: str | None = None


@use_case
def draft(*, rails: Mapping[str, Rail], by: Actor, now: datetime) -> Drafted:
    """Collect everything payable in the currency of the books into a new run.

    People without a destination, or in a run already, are left out and named. Who may not be paid yet is held, and
    what is too little to pay is carried over; both stand in the run with their reason, and are paid by a later one.
    Raises `NothingPayable`, which names them too, `AlreadyInARun` when another draft came first, and `NotReconciled`
    in restored books.
    """
    with transaction() as session:
        recovery.refuse_unreconciled(session)
        profile = profiles.current(session)
        candidates, left_out = _sorted_out(session, profile.currency, rails, now)
        planned = [candidate for candidate in candidates if candidate.state == "planned"]
        if not planned:
            raise NothingPayable(_nothing(candidates, left_out))
        run = PayoutRun(
            id=ids.new("run"),
            number=take(session, "RUN", now.astimezone(profile.zone).year)[0],
            currency=profile.currency,
            state="draft",
            prepared_by=by.name,
            prepared_at=now,
        )
        session.add(run)
        session.flush()
        faults.reached(DRAFTED)
        try:
            bulk_insert(session, payouts_table, _rows(run, candidates))
        except IntegrityError as error:
            raise AlreadyInARun("Another run was drafted for the same people; use that one.") from error
        total = sum(candidate.amount.minor for candidate in planned)
        facts = {
            "number": run.number,
            "payouts": len(planned),
            "total_minor": total,
            "held": sum(candidate.state == "held" for candidate in candidates),
            "carried_over": sum(candidate.state == "carried-over" for candidate in candidates),
        }
        audit.record(session, "run.drafted", run.id, facts, after=run, by=by, now=now)
        if any(rails[one.way.rail].describe().needs_account for one in planned):
            # What we know of the accounts may be a day old: by the time that the run is sent it is not.
            jobs.enqueue(session, REFRESH, {}, key=f"provider-accounts:{run.id}", by=by, now=now)
        faults.reached(FROZEN)
        return Drafted(run, queries.payouts_of(session, run.id), left_out)


@use_case
def hold(payout_id: str, *, reason: str, by: Actor, now: datetime) -> Payout:
    """Hold one payout of a run that is not approved yet; a proposed run becomes a draft again.

    Raises `PayoutNotInState`, `RunNotInState`.
    """
    reason = checked_words(reason, "Say why it is held: the payee is told so.", field="reason", most=400)
    with transaction() as session:
        payout = queries.find_payout(session, payout_id)
        approvals.reopen(session, payout.run_id, f"The payout to {payout.payee_name} was held.", by=by, now=now)
        move(session, payout, ("planned",), state="held", reason=reason)
        return record_move(session, "payout.held", payout, {"reason": reason}, by=by, now=now)


@use_case
def take_up(payout_id: str, *, rails: Mapping[str, Rail], by: Actor, now: datetime) -> Payout:
    """Plan a held payout again; a proposed run becomes a draft again.

    Raises `obstacles.StillHeld` while the rules hold it, `PayoutNotInState`, `RunNotInState`, and `AlreadyInARun`
    when another run has taken the payee up meanwhile.
    """
    with transaction() as session:
        payout = queries.find_payout(session, payout_id)
        obstacles.refuse_held(session, payout, rails, now=now)
        approvals.reopen(session, payout.run_id, f"The payout to {payout.payee_name} was taken up.", by=by, now=now)
        try:
            move(session, payout, ("held",), state="planned", reason=None)
        except IntegrityError as error:
            raise AlreadyInARun(f"{payout.payee_name} is in another run by now; pay with that one.") from error
        return record_move(session, "payout.taken-up", payout, {}, by=by, now=now)


@use_case
def cancel(key: str, *, by: Actor, now: datetime) -> PayoutRun:
    """Cancel a run that is not approved yet; its people are free for the next one."""
    with transaction() as session:
        run = queries.find(session, key)
        before = state_of(run)
        move_run(session, run, run.state if run.state in ("draft", "proposed") else "draft", state="canceled")
        approvals.void(session, run.id, "The run was canceled.", now=now)
        open_states = payouts_table.c.state.in_(["planned", "held"])
        session.execute(
            update(payouts_table).where(payouts_table.c.run_id == run.id, open_states).values(state="canceled")
        )
        audit.record(session, "run.canceled", run.id, {}, before=before, after=run, by=by, now=now)
        return run


def _sorted_out(
    session: Session, currency: str, rails: Mapping[str, Rail], now: datetime
) -> tuple[list[_Candidate], list[LeftOut]]:
    """Who stands in a run, each with a destination; and who cannot, with the reason."""
    ways = destinations.live(session, now=now)
    taken = queries.with_live_payout(session, currency)
    names = maintainers.names(session)
    policy = policies.in_force(session, currency)
    held = obstacles.holds(session, ways.values(), rails, now=now)
    candidates: list[_Candidate] = []
    left_out: list[LeftOut] = []
    for maintainer_id, amount in queries.payables(session, currency).items():
        way = ways.get(maintainer_id)
        reason = _obstacle(maintainer_id, amount, way, taken, rails)
        if reason or way is None:
            left_out.append(LeftOut(maintainer_id, names[maintainer_id], amount, reason))
        else:
            candidates.append(_candidate(way, amount, rails[way.rail], policy, held.get(maintainer_id)))
    return candidates, left_out


def _candidate(way: Way, amount: Money, rail: Rail, policy: Policy, held: str | None) -> _Candidate:
    part = rail.describe().payable_part(amount)
    if held:
        return _Candidate(way, amount, "held", held[:500])
    if amount.minor < policy.minimum:
        return _Candidate(way, amount, "carried-over", f"is less than {Money(policy.minimum, amount.currency)}")
    if not part:
        return _Candidate(way, amount, "carried-over", f"is less than the rail {way.rail} can pay")
    return _Candidate(way, part, "planned")


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
    if way.rail not in rails or not rails[way.rail].describe().takes(amount.currency):
        return f"has a destination on the rail {way.rail}, which does not pay {amount.currency}"
    return ""


def _nothing(candidates: Sequence[_Candidate], left_out: Sequence[LeftOut]) -> str:
    reasons = [f"{out.name} ({out.payable}) {out.reason}" for out in left_out]
    reasons += [f"{one.way.holder} ({one.amount}) {one.reason}" for one in candidates]
    if not reasons:
        return "Nothing is payable; close a month first, or wait until there is something to pay."
    return f"Nobody can be paid: {'; '.join(reasons[:10])}."


def _rows(run: PayoutRun, candidates: Sequence[_Candidate]) -> list[dict[str, object]]:
    identifiers = ids.new_many("pay", len(candidates))
    return [
        {
            "id": identifier,
            "run_id": run.id,
            "maintainer_id": one.way.maintainer_id,
            "destination_id": one.way.id,
            "rail": one.way.rail,
            "amount_minor": one.amount.minor,
            "currency": one.amount.currency,
            "payee_name": one.way.holder,
            "state": one.state,
            "reason": one.reason,
        }
        for identifier, one in zip(identifiers, candidates, strict=True)
    ]
