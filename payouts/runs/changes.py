"""A destination changes while runs name the old one: what was approved for it is void, in the same commit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.db import transaction, use_case
from payouts.destinations import decisions
from payouts.destinations import queries as destinations
from payouts.destinations.decisions import Confirmed
from payouts.runs import approvals, voiding
from payouts.runs.model import Payout
from payouts.runs.model import payout as payouts_table
from payouts.runs.moves import move, record_move

REASON = "The payee's destination was changed."
LEFT = ("sending", "unknown")
"""Something may have left for the old destination; only a look-up says."""
IN_FLIGHT = (*LEFT, "sent")
"""Over a bank, what was sent is on its way until its proof or its return is in: the rail is not switched meanwhile."""


@use_case
def confirm_destination(key: str, *, by: Actor, now: datetime) -> Confirmed:
    """Confirm a proposed destination, and take back what was planned or approved for the one it replaces.

    A planned payout is held, which makes a proposed run a draft again; an approved one of which nothing has left is
    canceled, and its money payable again. Raises what `decisions.confirm_in` raises.
    """
    with transaction() as session:
        proposal = destinations.find(session, key)
        in_flight = [
            f"{one.amount} to {one.payee_name}"
            for one in _of_maintainer(session, proposal.maintainer_id)
            if one.state in IN_FLIGHT
        ]
        confirmed = decisions.confirm_in(session, key, in_flight=in_flight, by=by, now=now)
        if confirmed.replaced is not None:
            for payout in _of_maintainer(session, proposal.maintainer_id):
                _take_back(session, payout, by=by, now=now)
        return confirmed


def _of_maintainer(session: Session, maintainer_id: str) -> list[Payout]:
    rows = session.execute(
        select(payouts_table)
        .where(
            payouts_table.c.maintainer_id == maintainer_id,
            payouts_table.c.state.in_(["planned", "reserved", "waiting-for-funds", *IN_FLIGHT]),
        )
        .order_by(payouts_table.c.id)
    )
    return [Payout(*row) for row in rows]


def _take_back(session: Session, payout: Payout, *, by: Actor, now: datetime) -> None:
    if payout.state == "planned":
        approvals.reopen(session, payout.run_id, REASON, by=by, now=now)
        move(session, payout, ("planned",), state="held", reason=REASON)
        record_move(session, "payout.held", payout, {"reason": REASON}, by=by, now=now)
    elif payout.state not in IN_FLIGHT:
        voiding.void(session, payout, REASON, by=by, now=now)
