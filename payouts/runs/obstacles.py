"""Why somebody who has money payable and a destination may not be paid yet: the payout is held, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from firm.errors import Refused
from payouts.destinations import operations as destinations
from payouts.destinations.operations import Way
from payouts.rails.rail import Rail
from payouts.runs.model import Payout


class StillHeld(Refused):
    """What held the payout holds it still."""


def holds(session: Session, ways: Iterable[Way], *, now: datetime) -> dict[str, str]:
    """By maintainer id, a sentence for each who may not be paid yet."""
    return {}


def refuse_held(session: Session, payout: Payout, rails: Mapping[str, Rail], *, now: datetime) -> None:
    """Raises `StillHeld` while a rule holds the payee, or when the destination is another one by now."""
    way = destinations.live(session).get(payout.maintainer_id)
    if way is None or way.id != payout.destination_id or way.rail not in rails:
        raise StillHeld(f"{payout.payee_name} has another destination by now; cancel the run and draft another.")
    reason = holds(session, [way], now=now).get(payout.maintainer_id)
    if reason:
        raise StillHeld(f"The payout to {payout.payee_name} is still held: {reason}.")
