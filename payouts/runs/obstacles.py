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

OTHER_ACCOUNT = (
    "has a destination that names another account at the payment provider than the one they have now; propose it anew"
    " with `chambers maintainer destination`, and have it confirmed"
)


class StillHeld(Refused):
    """What held the payout holds it still."""


def holds(session: Session, ways: Collection[Way], rails: Mapping[str, Rail], *, now: datetime) -> dict[str, str]:
    """By maintainer id, the end of a sentence for each who may not be paid yet: of a payment that they may have got
    already, a destination that is not usable or names another account than theirs, an account at a provider that may
    not be paid into, or a tax form that is missing.
    """
    found = tax_forms.gates(session, [way.maintainer_id for way in ways], today(session, now))
    for name, rail in rails.items():
        if rail.describe().needs_account:
            theirs = [way for way in ways if way.rail == name]
            found |= _elsewhere(session, theirs, name)
            found |= provider_accounts.obstacles_of(session, [way.maintainer_id for way in theirs], name)
    found |= {way.maintainer_id: way.obstacle for way in ways if way.obstacle}
    return found | incidents.holds(session)


def since_approval(session: Session, payout: Payout, rail: Description, *, now: datetime) -> str:
    """What has come up since the run was approved, as the end of a sentence; empty while the payee may be paid.

    A changed destination is not asked for here: confirming one takes back what was approved for the other.
    """
    return (
        incidents.since_approval(session, payout)
        or (_of_account(session, payout, rail.name) if rail.needs_account else "")
        or tax_forms.gate(session, payout.maintainer_id, today(session, now))
    )


def refuse_held(session: Session, payout: Payout, rails: Mapping[str, Rail], *, now: datetime) -> None:
    """Raises `StillHeld` while a rule holds the payee, or when the destination is another one by now."""
    way = destinations.live(session, now=now).get(payout.maintainer_id)
    if way is None or way.id != payout.destination_id or way.rail not in rails:
        raise StillHeld(f"{payout.payee_name} has another destination by now; cancel the run and draft another.")
    reason = holds(session, [way], rails, now=now).get(payout.maintainer_id)
    if reason:
        raise StillHeld(f"{payout.payee_name} {reason}.")


def _elsewhere(session: Session, ways: Collection[Way], provider: str) -> dict[str, str]:
    """Those whose destination names an account at the provider that is not the one they have now."""
    now_theirs = provider_accounts.account_ids(session, provider)
    return {way.maintainer_id: OTHER_ACCOUNT for way in ways if way.account != now_theirs.get(way.maintainer_id)}


def _of_account(session: Session, payout: Payout, provider: str) -> str:
    reason = provider_accounts.obstacle(session, payout.maintainer_id, provider)
    named = destinations.find(session, payout.destination_id).account
    theirs = provider_accounts.account_id_of(session, payout.maintainer_id, provider)
    return reason or ("" if named == theirs else OTHER_ACCOUNT)
