"""From a payout to the order that its rail is handed."""

from __future__ import annotations

from sqlalchemy.orm import Session

from firm.profile import operations as profiles
from firm.secrets import SecretKeys
from payouts.destinations import operations as destinations
from payouts.destinations.model import Destination
from payouts.rails.rail import Order
from payouts.runs import queries
from payouts.runs.model import Payout


def order_of(session: Session, payout: Payout, key: str, keys: SecretKeys) -> Order:
    """The order under a key, with the payee's account opened."""
    destination = session.get_one(Destination, payout.destination_id)
    run = queries.find(session, payout.run_id)
    return Order(
        key=key,
        payout_id=payout.id,
        group=run.number,
        amount=payout.amount,
        payee=destinations.payee_of(destination, keys),
        memo=f"{profiles.current(session).name} {run.number}",
    )
