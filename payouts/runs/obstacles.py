"""Why somebody who has money payable and a destination may not be paid yet: the payout is held, with the reason."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from firm.errors import Refused
from payouts.destinations import queries as destinations
from payouts.destinations.queries import Way
from payouts.provider_accounts import queries as provider_accounts
from payouts.rails.rail import Description, Rail
from payouts.runs import incidents
from payouts.runs.model import Payout
from payouts.runs.moves import today
from payouts.tax_forms import queries as tax_forms


class StillHeld(Refused):
    """What held the payout holds it still."""


def holds(session: Session, ways: Collection[Way], rails: Mapping[str, Rail], *, now: datetime) -> dict[str, str]:
    """By maintainer id, the end of a sentence for each who may not be paid yet: of a payment that they may have got
    already, a destination that is not usable, an account at a provider that may not be paid into, or a tax form that is
    missing.
    """
    found = tax_forms.gates(session, [way.maintainer_id for way in ways], today(session, now))
    for name, rail in rails.items():
        if rail.describe().needs_account:
            theirs = [way.maintainer_id for way in ways if way.rail == name]
            found |= provider_accounts.obstacles_of(session, theirs, name)
    found |= {way.maintainer_id: way.obstacle for way in ways if way.obstacle}
    return found | incidents.holds(session)


def since_approval(session: Session, payout: Payout, rail: Description, *, now: datetime) -> str:
    """What has come up since the run was approved, as the end of a sentence; empty while the payee may be paid.

    A changed destination is not asked for here: confirming one takes back what was approved for the other.
    """
    incident = incidents.since_approval(session, payout)
    account = provider_accounts.obstacle(session, payout.maintainer_id, rail.name) if rail.needs_account else ""
    return incident or account or tax_forms.gate(session, payout.maintainer_id, today(session, now))


def refuse_held(session: Session, payout: Payout, rails: Mapping[str, Rail], *, now: datetime) -> None:
    """Raises `StillHeld` while a rule holds the payee, or when the destination is another one by now."""
    way = destinations.live(session, now=now).get(payout.maintainer_id)
    if way is None or way.id != payout.destination_id or way.rail not in rails:
        raise StillHeld(f"{payout.payee_name} has another destination by now; cancel the run and draft another.")
    reason = holds(session, [way], rails, now=now).get(payout.maintainer_id)
    if reason:
        raise StillHeld(f"{payout.payee_name} {reason}.")
