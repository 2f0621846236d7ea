"""Bringing a payout to what the provider says of its transfer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.db import leaving_the_house, reading
from firm.errors import InvariantBroken, Refused
from payouts.provider_events.sources import Applied, Ignored, Outcome, Source, Waits
from payouts.rails.stripe.values import Transfer
from payouts.runs import queries, settling
from payouts.runs.model import Payout
from payouts.runs.queries import PayoutNotFound


def fetch(transfer_id: str, *, source: Source, by: Actor, now: datetime) -> Outcome:
    """Fetch the transfer and bring its payout there. May be repeated, in any order and by several at once."""
    leaving_the_house()
    found = source.log.transfer(transfer_id)
    if found is None:
        return Waits(f"Stripe knows no transfer {transfer_id}.")
    return bring_up(found, source=source, by=by, now=now)


def bring_up(found: Transfer, *, source: Source, by: Actor, now: datetime) -> Outcome:
    """The same for a transfer that was just read. What came back is booked once for each reversal's id."""
    if found.payout_id is None:
        return Ignored(f"The transfer {found.id} names no payout: it was not made by these books.", alarm=True)
    with reading() as session:
        payout = _payout(session, found.payout_id)
    if payout is None:
        return Waits(f"The transfer {found.id} is for a payout that is not in these books.")
    if payout.amount != found.amount:
        return Waits(f"The transfer {found.id} is of {found.amount}, and its payout of {payout.amount}.")
    try:
        changed = _bring_up(payout, found, source=source, by=by, now=now)
    except (Refused, InvariantBroken) as error:
        # The books say otherwise, and money moved: nothing is guessed, a person has to look.
        return Waits(error.message[:500])
    return Applied(changed)


def _bring_up(payout: Payout, found: Transfer, *, source: Source, by: Actor, now: datetime) -> bool:
    after = settling.note_sent(payout.id, reference=found.id, at=found.created_at, rail=source.rail, by=by, now=now)
    with reading() as session:
        booked = {one.reference: one.amount_minor for one in queries.reversals_of(session, payout.id)}
    if found.reversed.minor == sum(booked.values()):
        return after != payout
    leaving_the_house()
    told = sorted(source.log.reversals(found.id), key=lambda one: (one.created_at, one.id))
    for reversal in (one for one in told if one.id not in booked):
        settling.reverse(payout.id, reference=reversal.id, amount=reversal.amount, by=by, now=now)
    return True


def _payout(session: Session, payout_id: str) -> Payout | None:
    try:
        return queries.find_payout(session, payout_id)
    except PayoutNotFound:
        return None
