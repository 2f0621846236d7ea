"""From a payout to the order that its rail is handed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.profile import operations as profiles
from firm.secrets import SecretKeys
from payouts.destinations import opening
from payouts.destinations.model import Destination
from payouts.rails.rail import Order
from payouts.runs import queries
from payouts.runs.model import Payout


def order_of(session: Session, payout: Payout, key: str, keys: SecretKeys, *, by: Actor, now: datetime) -> Order:
    """The order under a key, with the payee's account opened, which is on record."""
    destination = session.get_one(Destination, payout.destination_id)
    run = queries.find(session, payout.run_id)
    return Order(
        key=key,
        payout_id=payout.id,
        group=run.number,
        amount=payout.amount,
        payee=opening.payee_of(session, destination, keys, why=f"order:{key}", by=by, now=now),
        memo=f"{profiles.current(session).name} {run.number}",
    )
