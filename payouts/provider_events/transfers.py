"""Bringing a payout to what the provider says of its transfer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.db import leaving_the_house, reading
from firm.errors import InvariantBroken, Refused
from payouts.destinations.model import Destination
from payouts.provider_events import movements
from payouts.provider_events.sources import Applied, Ignored, Outcome, Source, Waits
from payouts.rails.stripe.values import Transfer
from payouts.runs import attempts, queries, settling
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
        account = None if payout is None else session.get_one(Destination, payout.destination_id).account
    if payout is None:
        return Waits(f"The transfer {found.id} is for a payout that is not in these books.")
    if payout.amount != found.amount:
        return Waits(f"The transfer {found.id} is of {found.amount}, and its payout of {payout.amount}.")
    # What came back whole moved nothing in the end, whomever it went to.
    there = found.came_back or found.destination == account
    if not there or found.live != source.log.live:
        return Waits(_elsewhere(found, payout))
    try:
        outcome = _bring_up(payout, found, source=source, by=by, now=now)
        late = isinstance(outcome, Applied) and movements.charge_late(found, provider=payout.rail, by=by, now=now)
    except (Refused, InvariantBroken) as error:
        # The books say otherwise, and money moved: nothing is guessed, a person has to look.
        return Waits(error.message[:500])
    return Applied(changed=True) if late else outcome


def _elsewhere(found: Transfer, payout: Payout) -> str:
    return (
        f"This is an incident: the transfer {found.id} names the payout to {payout.payee_name}, and went to"
        f" {found.destination} in {'live' if found.live else 'test'} mode, where no order of ours sent it. Look at who"
        " made it, and take it back."
    )


def _bring_up(payout: Payout, found: Transfer, *, source: Source, by: Actor, now: datetime) -> Outcome:
    with reading() as session:
        waits_for_answer = attempts.live(session, payout.id) is not None
        # Read after the attempt: an answer that is stored in this moment is then seen by one of them.
        payout = queries.find_payout(session, payout.id)
        booked = {one.reference: one.amount_minor for one in queries.reversals_of(session, payout.id)}
    is_ours = found.id == payout.reference
    if is_ours and found.reversed.minor == sum(booked.values()):
        return Applied()
    # Only where something would be booked: a look at the others of the run is a call to the provider.
    beside = _standing_beside(found, payout, source) if is_ours or waits_for_answer or found.came_back else []
    if not is_ours and found.came_back and (beside or not waits_for_answer):
        return Ignored(f"The transfer {found.id} was taken back whole; it is not the one that paid its payout.")
    if beside:
        return Waits(_several(found, beside, payout))
    after = settling.note_sent(payout.id, reference=found.id, at=found.created_at, rail=source.rail, by=by, now=now)
    if found.reversed.minor == sum(booked.values()):
        return Applied(after != payout)
    _book_reversals(payout, found, booked, source=source, by=by, now=now)
    return Applied(True)


def _book_reversals(
    payout: Payout, found: Transfer, booked: Collection[str], *, source: Source, by: Actor, now: datetime
) -> None:
    leaving_the_house()
    told = sorted(source.log.reversals(found.id), key=lambda one: (one.created_at, one.id))
    for reversal in (one for one in told if one.id not in booked):
        settling.reverse(payout.id, reference=reversal.id, amount=reversal.amount, by=by, now=now)


def _standing_beside(found: Transfer, payout: Payout, source: Source) -> list[Transfer]:
    """The other transfers of the payout's run that pay the same payout and were not taken back."""
    leaving_the_house()
    listed = source.log.transfers_of(payout.run_id)
    return [one for one in listed if one.payout_id == payout.id and one.id != found.id and not one.came_back]


def _several(found: Transfer, beside: Sequence[Transfer], payout: Payout) -> str:
    """While another one stands the payee has the money, so that nothing of it may become payable."""
    others = ", ".join(one.id for one in beside[:5])
    if found.id == payout.reference:
        return (
            f"This is an incident: the transfer {found.id}, which paid {payout.payee_name}, was taken back, and for the"
            f" same payout {others} still stands. Nothing is payable again before that is taken back too; if it is to"
            " stay as the payment, leave the books as they are and explain the difference."
        )
    return (
        f"This is an incident: the transfers {found.id} and {others} pay the same payout to {payout.payee_name}. Take"
        " all but one back; the books then take the one that is left."
    )


def _payout(session: Session, payout_id: str) -> Payout | None:
    try:
        return queries.find_payout(session, payout_id)
    except PayoutNotFound:
        return None
