"""Taking back what was approved and of which nothing has left."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.ledger import journal
from payouts.rails.rail import Description
from payouts.runs import entries, obstacles
from payouts.runs.model import Payout
from payouts.runs.moves import PayoutNotInState, finish_run, move, record_move, today


def void(session: Session, payout: Payout, reason: str, *, by: Actor, now: datetime) -> Payout:
    """Take back an approved payout of which nothing has left: the money is payable again, by another run.

    Raises `PayoutNotInState` once it is being sent.
    """
    move(session, payout, ("reserved", "waiting-for-funds"), state="canceled", reason=reason[:500])
    again = entries.payable_again(payout, "voided", reason, today(session, now))
    journal.post(session, again, by=by, now=now)
    finish_run(session, payout.run_id)
    return record_move(session, "payout.voided", payout, {"reason": reason[:500]}, by=by, now=now)


def voided_for_obstacle(session: Session, payout: Payout, rail: Description, *, by: Actor, now: datetime) -> bool:
    """Take the payout back if a rule holds its payee by now, and say whether it does; the next run then holds it."""
    reason = obstacles.since_approval(session, payout, rail, now=now)
    if not reason:
        return False
    # Another sender that was quicker has found the same, or has begun before it came up: it is theirs.
    with suppress(PayoutNotInState):
        void(session, payout, f"It was not sent: {payout.payee_name} {reason}.", by=by, now=now)
    return True
