"""Sending a run and learning what became of it.

For each payout: commit the attempt with its key, call the rail with no transaction open, commit the outcome. To go
on after a crash, send again: what was under way is looked up first, and what is done is not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, leaving_the_house, reading, transaction, use_case
from firm.errors import Busy, Refused
from firm.ledger import accounts, journal
from firm.ledger.entry import Entry, credit, debit
from firm.profile import operations as profiles
from firm.recovery import operations as recovery
from firm.secrets import SecretKeys
from payouts.rails import rail as rails_
from payouts.rails.rail import Absent, Order, Rail
from payouts.runs import files, queries
from payouts.runs.model import Payout, PayoutAttempt, PayoutRun
from payouts.runs.model import payout as payouts_table
from payouts.runs.orders import order_of
from payouts.runs.preparation import RunNotInState
from payouts.runs.rules import request_digest, state_of_run

Progress = Callable[[int, int], None]


LEASE = timedelta(minutes=2)
"""How long a sender has an attempt to itself: far longer than any rail's own time limits."""


class PayoutNotInState(Refused):
    """The payout is not where this step begins."""


class StillSending(Busy):
    """Another sender has a payout under way, or died with it less than a lease ago."""


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A payout with its live attempt: `fresh` if nobody can have sent it yet, not even from books that were lost."""

    payout_id: str
    rail: str
    order: Order
    attempt_id: str
    fresh: bool


def send(
    key: str,
    *,
    rails: Mapping[str, Rail],
    keys: SecretKeys,
    by: Actor,
    now: datetime,
    progress: Progress = lambda done, total: None,
) -> PayoutRun:
    """Send every payout of an approved run over its rail, then write the files of file rails.

    May be repeated, and repeated after a crash: nothing is sent twice. What another sender has under way is left to
    it, and `StillSending` says so at the end. Raises `RunNotInState`, and `NotReconciled` in restored books.
    """
    waiting = _begin(key, by=by, now=now)
    for done, payout_id in enumerate(waiting, 1):
        _send_one(payout_id, rails=rails, keys=keys, by=by, now=now)
        progress(done, len(waiting))
    run = files.write_all(key, rails=rails, keys=keys, by=by, now=now)
    _refuse_under_way(run)
    return run


def refuse_unapproved(key: str) -> PayoutRun:
    """The run, if it was approved. Raises `RunNotInState`."""
    with reading() as session:
        recovery.refuse_unreconciled(session)
        run = queries.find(session, key)
        _refuse_not_approved(run)
        return run


@use_case
def settle(payout_id: str, *, reference: str, on: date, by: Actor, now: datetime) -> Payout:
    """Enter the proof that a sent payout left the bank. Raises `PayoutNotInState`, `MonthClosed`."""
    with transaction() as session:
        profiles.refuse_far_ahead(session, on, now)
        payout = queries.find_payout(session, payout_id)
        _move(session, payout, ("sent",), state="settled", reference=reference, settled_on=on)
        entry = Entry(
            f"payout-settled:{payout.id}",
            on,
            f"Payout settled, {reference}",
            (
                debit(accounts.IN_TRANSIT, payout.amount, maintainer_id=payout.maintainer_id),
                credit(accounts.BANK, payout.amount),
            ),
        )
        journal.post(session, entry, by=by, now=now)
        _finish_run(session, payout.run_id)
        facts = {"reference": reference}
        return _record_move(session, "payout.settled", payout, facts, by=by, now=now)


@use_case
def give_back(payout_id: str, *, reason: str, on: date, by: Actor, now: datetime) -> Payout:
    """Enter that a payment came back, before or after it settled: the money is payable again."""
    with transaction() as session:
        profiles.refuse_far_ahead(session, on, now)
        payout = queries.find_payout(session, payout_id)
        came_from = accounts.BANK if payout.state == "settled" else accounts.IN_TRANSIT
        # Only from the state just read: where the money comes back from depends on it.
        expected = payout.state if payout.state == "settled" else "sent"
        _move(session, payout, (expected,), state="returned", reason=reason)
        _make_payable(session, payout, came_from, f"payout-returned:{payout.id}", reason, on=on, by=by, now=now)
        _finish_run(session, payout.run_id)
        return _record_move(session, "payout.returned", payout, {"reason": reason}, by=by, now=now)


@use_case
def _begin(key: str, *, by: Actor, now: datetime) -> list[str]:
    """Move the run to releasing and list the payouts that still have to be sent or looked up."""
    with transaction() as session:
        recovery.refuse_unreconciled(session)
        run = queries.find(session, key)
        before = digest(run)
        approved = update(PayoutRun).where(PayoutRun.id == run.id, PayoutRun.state == "approved")
        released = claim(session, approved.values(state="releasing"))
        session.refresh(run)
        if released:
            audit.record(session, "run.released", run.id, {}, before=before, after=run, by=by, now=now)
        else:
            _refuse_not_approved(run)
        states = ("reserved", "sending", "unknown")
        return [p.id for p in queries.payouts_of(session, run.id) if p.state in states]


def _refuse_not_approved(run: PayoutRun) -> None:
    if run.state not in ("approved", "releasing", "settled", "partly-settled"):
        raise RunNotInState(f"{run.number} is {run.state}; it can be sent once it is approved.")


def _send_one(payout_id: str, *, rails: Mapping[str, Rail], keys: SecretKeys, by: Actor, now: datetime) -> None:
    under_way = _start_attempt(payout_id, keys=keys, by=by, now=now)
    if under_way is None:
        return
    rail = rails[under_way.rail]
    leaving_the_house()
    outcome: rails_.Outcome | Absent = Absent() if under_way.fresh else rail.find(under_way.order)
    if isinstance(outcome, Absent):
        # The look-up found nothing, or nothing was ever sent: the committed key makes this the only payment.
        outcome = rail.send(under_way.order)
    _store_outcome(under_way, outcome, by=by, now=now)


@use_case
def _start_attempt(payout_id: str, *, keys: SecretKeys, by: Actor, now: datetime) -> _UnderWay | None:
    """Commit the intent: the payout is sending, under a key that no other attempt has.

    None when another sender has it under way, or was done with it first.
    """
    with transaction() as session:
        recovery.refuse_unreconciled(session)
        payout = queries.find_payout(session, payout_id)
        first = payout.state == "reserved"
        attempt = _new_attempt(session, payout, now) if first else _taken_over(session, payout, now)
        if attempt is None:
            return None
        if first:
            facts = {"key": attempt.key, "destination": payout.destination_id}
            _record_move(session, "payout.sending", payout, facts, by=by, now=now)
        fresh = first and not recovery.ever(session)
        order = order_of(session, payout, attempt.key, keys, by=by, now=now)
        return _UnderWay(payout.id, payout.rail, order, attempt.id, fresh)


def _taken_over(session: Session, payout: Payout, now: datetime) -> PayoutAttempt | None:
    """The live attempt of a sender that must be dead by now, leased to us; None while it may still be alive."""
    live = (PayoutAttempt.payout_id == payout.id, PayoutAttempt.state.in_(["sending", "unknown"]))
    expired = update(PayoutAttempt).where(*live, PayoutAttempt.leased_until <= now)
    if not claim(session, expired.values(leased_until=now + LEASE)):
        return None
    return session.scalars(select(PayoutAttempt).where(*live)).one()


def _new_attempt(session: Session, payout: Payout, now: datetime) -> PayoutAttempt | None:
    """A first attempt, once the payout is ours to send; None when somebody else took it in this moment."""
    reserved = update(payouts_table).where(payouts_table.c.id == payout.id, payouts_table.c.state == "reserved")
    if not claim(session, reserved.values(state="sending")):
        return None
    earlier = select(func.count()).select_from(PayoutAttempt).where(PayoutAttempt.payout_id == payout.id)
    number = int(session.scalar(earlier) or 0) + 1
    key = f"{payout.id}-{number}"
    attempt = PayoutAttempt(
        id=ids.new("att"),
        payout_id=payout.id,
        number=number,
        key=key,
        request_digest=request_digest(payout, key),
        state="sending",
        started_at=now,
        leased_until=now + LEASE,
    )
    session.add(attempt)
    session.flush()
    return attempt


@use_case
def _store_outcome(under_way: _UnderWay, outcome: rails_.Outcome, *, by: Actor, now: datetime) -> None:
    """Commit what the rail said. A refusal makes the money payable again in the same commit."""
    with transaction() as session:
        payout = queries.find_payout(session, under_way.payout_id)
        state, detail = _read(outcome)
        # An answer may come after somebody took over and learned better: then it changes nothing.
        live = update(PayoutAttempt).where(
            PayoutAttempt.id == under_way.attempt_id, PayoutAttempt.state.in_(["sending", "unknown"])
        )
        values = {"state": state, "leased_until": now, "finished_at": now, "detail": detail[:500]}
        if not claim(session, live.values(**values)) or payout.state == state:
            return
        changes = {"reference": detail[:100]} if state == "sent" else {"reason": detail[:500]}
        _move(session, payout, ("sending", "unknown"), state=state, **changes)
        if state == "refused":
            today = now.astimezone(profiles.current(session).zone).date()
            source = f"payout-refused:{payout.id}"
            _make_payable(session, payout, accounts.IN_TRANSIT, source, detail, on=today, by=by, now=now)
            _finish_run(session, payout.run_id)
        _record_move(session, f"payout.{state}", payout, {"detail": detail[:500]}, by=by, now=now)


def _read(outcome: rails_.Outcome) -> tuple[str, str]:
    match outcome:
        case rails_.Sent(reference):
            return "sent", reference
        case rails_.Refused(reason):
            return "refused", reason
        case rails_.Unknown(detail) | rails_.OutOfFunds(detail) | rails_.Later(detail):
            return "unknown", detail


def _make_payable(
    session: Session,
    payout: Payout,
    came_from: str,
    source: str,
    reason: str,
    *,
    on: date,
    by: Actor,
    now: datetime,
) -> None:
    party = {"maintainer_id": payout.maintainer_id}
    back = debit(came_from, payout.amount, **({} if came_from == accounts.BANK else party))
    entry = Entry(
        source,
        on,
        f"Payable again: {reason}"[:500],
        (back, credit(accounts.PAYABLES, payout.amount, **party)),
    )
    journal.post(session, entry, by=by, now=now)


def _move(session: Session, one: Payout, before: tuple[str, ...], **changes: object) -> None:
    in_state = update(payouts_table).where(payouts_table.c.id == one.id, payouts_table.c.state.in_(before))
    if not claim(session, in_state.values(**changes)):
        found = queries.find_payout(session, one.id)
        raise PayoutNotInState(f"The payout to {one.payee_name} is {found.state}; this step is for a {before[0]} one.")


def _record_move(
    session: Session, verb: str, before: Payout, facts: Mapping[str, str], *, by: Actor, now: datetime
) -> Payout:
    """The audit record of a payout that has moved on, and the payout as it stands now."""
    after = queries.find_payout(session, before.id)
    audit.record(session, verb, before.id, facts, before=digest(before), after=after, by=by, now=now)
    return after


def _finish_run(session: Session, run_id: str) -> None:
    states = queries.states_of(session, run_id)
    session.execute(update(PayoutRun).where(PayoutRun.id == run_id).values(state=state_of_run(states)))


def _refuse_under_way(run: PayoutRun) -> None:
    with reading() as session:
        under_way = [payout for payout in queries.payouts_of(session, run.id) if payout.state == "sending"]
    if under_way:
        raise StillSending(
            f"{len(under_way)} payouts of {run.number} are under way by another sender, or were when it stopped;"
            f" send again in {LEASE.seconds // 60} minutes."
        )


def run_with_payouts(key: str) -> tuple[PayoutRun, list[Payout]]:
    """A run and its payouts as of one moment."""
    with reading() as session:
        run = queries.find(session, key)
        return run, queries.payouts_of(session, run.id)
