"""From a payout to the order that its rail is handed, the same at every try."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.money import Money
from firm.profile import operations as profiles
from firm.secrets import SecretKeys
from payouts.destinations import opening
from payouts.destinations.model import Destination
from payouts.rails.rail import Order
from payouts.runs import queries
from payouts.runs.model import Payout


def frozen(session: Session, payout: Payout) -> str:
    """What an order for the payout says today, as canonical JSON without the payee's account.

    It is kept with the attempt: asking for something else under the same key is refused by a provider at best.
    """
    run = queries.find(session, payout.run_id)
    content = {
        "amount_minor": payout.amount_minor,
        "currency": payout.currency,
        "destination": payout.destination_id,
        "group": run.id,
        "memo": f"{profiles.current(session).name} {run.number}",
    }
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def order_of(
    session: Session, payout: Payout, key: str, request: str, keys: SecretKeys, *, by: Actor, now: datetime
) -> Order:
    """The order under a key, from its frozen request, with the payee's account opened, which is on record."""
    content = json.loads(request)
    destination = session.get_one(Destination, content["destination"])
    return Order(
        key=key,
        payout_id=payout.id,
        group=content["group"],
        amount=Money(content["amount_minor"], content["currency"]),
        payee=opening.payee_of(session, destination, keys, why=f"order:{key}", by=by, now=now),
        memo=content["memo"],
    )
