"""One try to send a payout: committed before the call, and what the rail said committed after it.

An attempt has a key of its own and the request frozen with it. Its sender has it to itself for a lease; a sender that
died is taken over from, under the same key. Whether an attempt that nobody knows the outcome of was carried out is
only ever looked up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, literal, select, update
from sqlalchemy.orm import Session

from firm import faults, ids
from firm.actor import Actor
from firm.columns import UtcMoment
from firm.db import claim, transaction, use_case
from firm.jobs import operations as jobs
from firm.ledger import journal
from firm.recovery import operations as recovery
from firm.secrets import SecretKeys
from payouts.rails import rail as rails
from payouts.rails.rail import Description, Order
from payouts.runs import entries, queries, voiding
from payouts.runs.model import Payout, PayoutAttempt
from payouts.runs.model import payout as payouts_table
from payouts.runs.moves import finish_run, move, record_move, today
from payouts.runs.orders import frozen, order_of
from payouts.runs.rules import request_digest
from payouts.sweeps import operations as sweeps

LEASE = timedelta(minutes=2)
"""How long a sender has an attempt to itself: far longer than any rail's own time limits."""

BETWEEN_LOOKS = timedelta(hours=1)
"""A look-up that finds nothing counts again after this; a provider's lists may be a little behind."""
CLEAN_LOOKS = 2
"""So many look-ups that found nothing say that an order was never carried out."""

KEYED = faults.point("payout.key_written", "an attempt's key is written, nothing is committed")
STORED = faults.point("payout.result_stored", "the outcome is stored, its journal entry is not posted")
POSTED = faults.point("payout.journal_posted", "outcome and journal entry are written, nothing is committed")

ADVISE = "remittance.issue"
"""The job that issues a payout's remittance advice: promised in the commit that says it was sent."""

Outcome = rails.Outcome


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A payout with its live attempt, ours until `leased_until`.

    `fresh` if nobody can have sent it yet to any effect, not even from books that were lost. `lost` if its outcome is
    unknown, so that it is looked up and never sent again.
    """

    payout_id: str
    rail: str
    order: Order
    attempt_id: str
    fresh: bool
    lost: bool
    started_at: datetime
    leased_until: datetime


@use_case
def begin(payout_id: str, *, rail: Description, keys: SecretKeys, by: Actor, now: datetime) -> UnderWay | None:
    """Commit the intent: the payout is sending, under a key that no other attempt has.

    None when another sender has it under way, or was done with it first; also when the payee may not be paid any more,
    and then it is canceled with the reason and its money payable again. Raises `NotReconciled` in restored books, and
    `NotSwept` until the rail's provider was asked what happened since.
    """
    with transaction() as session:
        recovery.refuse_unreconciled(session)
        payout = queries.find_payout(session, payout_id)
        sweeps.refuse_unswept(session, payout.rail)
        first = payout.state in ("reserved", "waiting-for-funds")
        if first and voiding.voided_for_obstacle(session, payout, rail, by=by, now=now):
            return None
        attempt = _new(session, payout, now) if first else _taken_over(session, payout, now)
        if attempt is None:
            return None
        if first:
            # Its destination is decrypted for the order: that is on record with it.
            facts = {"key": attempt.key, "destination": payout.destination_id}
            record_move(session, "payout.sending", payout, facts, by=by, now=now)
        faults.reached(KEYED)
        return UnderWay(
            payout_id=payout.id,
            rail=payout.rail,
            order=order_of(session, payout, attempt.key, attempt.request, keys, by=by, now=now),
            attempt_id=attempt.id,
            fresh=first and not recovery.ever(session) and _guarded_from_the_start(session, payout, rail, now),
            lost=attempt.state == "unknown",
            started_at=attempt.started_at,
            leased_until=attempt.leased_until,
        )


@use_case
def store(under_way: UnderWay, outcome: Outcome, *, rail: Description, by: Actor, now: datetime) -> PayoutAttempt:
    """Commit what the rail said, and return the attempt as it stands then. A refusal makes the money payable again in
    the same commit.

    An answer that comes after somebody took over and learned better changes nothing: the attempt is what they made it.
    """
    with transaction() as session:
        store_in(session, under_way.payout_id, under_way.attempt_id, outcome, rail=rail, by=by, now=now)
        return session.get_one(PayoutAttempt, under_way.attempt_id, populate_existing=True)


def store_in(
    session: Session,
    payout_id: str,
    attempt_id: str,
    outcome: Outcome,
    *,
    rail: Description,
    by: Actor,
    now: datetime,
) -> None:
    payout = queries.find_payout(session, payout_id)
    state, detail = _attempt_after(outcome)
    live = update(PayoutAttempt).where(PayoutAttempt.id == attempt_id, PayoutAttempt.state.in_(["sending", "unknown"]))
    ended = None if state in ("sending", "unknown") else now
    # Never later than it was: to lease an attempt anew is to begin to send, which restored books may not.
    over = case((PayoutAttempt.leased_until > now, literal(now, UtcMoment())), else_=PayoutAttempt.leased_until)
    values = {"leased_until": over, "finished_at": ended, "detail": detail[:500]}
    if not isinstance(outcome, rails.Later):
        # "Not now" moves nothing. Told late, it must not make an attempt that was lost meanwhile one to send again.
        values["state"] = state
    if not claim(session, live.values(**values)):
        return
    match outcome:
        case rails.Sent():
            _note_sent(session, payout, outcome, rail, by=by, now=now)
        case rails.Refused(reason):
            _note_refused(session, payout, reason, by=by, now=now)
        case rails.OutOfFunds(detail):
            _note(session, payout, "waiting-for-funds", detail, by=by, now=now)
        case rails.Unknown(detail) if payout.state != "unknown":
            _note(session, payout, "unknown", detail, by=by, now=now)


@use_case
def count_clean_look(under_way: UnderWay, *, now: datetime) -> int:
    """Count a look-up that found nothing, once an hour, and say how many there are. Holds the lease no longer."""
    with transaction() as session:
        attempt = session.get_one(PayoutAttempt, under_way.attempt_id, with_for_update=True)
        if attempt.looked_at is None or now - attempt.looked_at >= BETWEEN_LOOKS:
            attempt.clean_looks, attempt.looked_at = attempt.clean_looks + 1, now
        attempt.leased_until = min(attempt.leased_until, now)
        session.flush()
        return attempt.clean_looks


def live(session: Session, payout_id: str) -> PayoutAttempt | None:
    """The attempt whose outcome is still to come, or None."""
    mine = PayoutAttempt.payout_id == payout_id, PayoutAttempt.state.in_(["sending", "unknown"])
    return session.scalars(select(PayoutAttempt).where(*mine)).one_or_none()


def _guarded_from_the_start(session: Session, payout: Payout, rail: Description, now: datetime) -> bool:
    """Whether the rail still keeps every key that this payout can ever have been sent under.

    Books that were rolled back as a file (a snapshot of the machine, a copy) do not know it: what they take for unsent
    may have been paid by the ones they replaced. It was paid under the same key, and not before the run was drafted.
    The margin is for a clock that was rolled back too and has not caught up yet.
    """
    if rail.keeps_keys_for is None:
        return True
    run = queries.find(session, payout.run_id)
    return now - run.prepared_at < rail.keeps_keys_for // 2


def _new(session: Session, payout: Payout, now: datetime) -> PayoutAttempt | None:
    """A new attempt, once the payout is ours to send; None when somebody else took it in this moment."""
    here = update(payouts_table).where(payouts_table.c.id == payout.id, payouts_table.c.state == payout.state)
    if not claim(session, here.values(state="sending", reason=None)):
        return None
    earlier = select(func.count()).select_from(PayoutAttempt).where(PayoutAttempt.payout_id == payout.id)
    number = int(session.scalar(earlier) or 0) + 1
    key, request = f"{payout.id}-{number}", frozen(session, payout)
    attempt = PayoutAttempt(
        id=ids.new("att"),
        payout_id=payout.id,
        number=number,
        key=key,
        request=request,
        request_digest=request_digest(payout, key, request),
        state="sending",
        started_at=now,
        leased_until=now + LEASE,
    )
    session.add(attempt)
    session.flush()
    return attempt


def _taken_over(session: Session, payout: Payout, now: datetime) -> PayoutAttempt | None:
    """The live attempt of a sender that must be dead by now, leased to us; None while it may still be alive."""
    mine = (PayoutAttempt.payout_id == payout.id, PayoutAttempt.state.in_(["sending", "unknown"]))
    expired = update(PayoutAttempt).where(*mine, PayoutAttempt.leased_until <= now)
    if not claim(session, expired.values(leased_until=now + LEASE)):
        return None
    return session.scalars(select(PayoutAttempt).where(*mine)).one()


def _attempt_after(outcome: Outcome) -> tuple[str, str]:
    match outcome:
        case rails.Sent(reference):
            return "sent", reference
        case rails.Refused(reason):
            return "refused", reason
        case rails.OutOfFunds(detail):
            return "refused", detail
        case rails.Later(detail):
            return "sending", detail
        case rails.Unknown(detail):
            return "unknown", detail


def _note_sent(
    session: Session, payout: Payout, outcome: rails.Sent, rail: Description, *, by: Actor, now: datetime
) -> None:
    reference = outcome.reference
    move(session, payout, ("sending", "unknown"), state="sent", reference=reference[:100], reason=None)
    faults.reached(STORED)
    sent = record_move(session, "payout.sent", payout, {"detail": reference[:500]}, by=by, now=now)
    # A paper is nothing to fail a payment for: it is made by a job of its own.
    jobs.enqueue(session, ADVISE, {"payout_id": payout.id}, key=f"remittance:{payout.id}", by=by, now=now)
    if rail.settles_when_sent:
        settle_in(session, sent, outcome, rail.pays_from, by=by, now=now)
    faults.reached(POSTED)


def settle_in(
    session: Session, payout: Payout, outcome: rails.Sent, paid_from: str, *, by: Actor, now: datetime
) -> Payout:
    """Book today that what was sent is paid, as of the day on which the rail took it."""
    on, reference = today(session, now), outcome.reference
    # Whoever hears of it late, in another month or year, was paid all the same when the provider says. A clock of
    # theirs that is ahead of ours would have it paid after it is booked.
    taken_on = on if outcome.at is None else min(on, today(session, outcome.at))
    changes = {"reference": reference[:100], "settled_on": taken_on, "paid_from": paid_from}
    move(session, payout, ("sent",), state="settled", **changes)
    journal.post(session, entries.paid(payout, paid_from, reference, on), by=by, now=now)
    finish_run(session, payout.run_id)
    return record_move(session, "payout.settled", payout, {"reference": reference}, by=by, now=now)


def _note_refused(session: Session, payout: Payout, reason: str, *, by: Actor, now: datetime) -> None:
    move(session, payout, ("sending", "unknown"), state="refused", reason=reason[:500])
    faults.reached(STORED)
    again = entries.payable_again(payout, "refused", reason, today(session, now))
    journal.post(session, again, by=by, now=now)
    finish_run(session, payout.run_id)
    record_move(session, "payout.refused", payout, {"detail": reason[:500]}, by=by, now=now)
    faults.reached(POSTED)


def _note(session: Session, payout: Payout, state: str, detail: str, *, by: Actor, now: datetime) -> None:
    move(session, payout, ("sending", "unknown"), state=state, reason=detail[:500])
    record_move(session, f"payout.{state}", payout, {"detail": detail[:500]}, by=by, now=now)
