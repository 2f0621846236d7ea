"""What became of money between a payee's account at the provider and the payee's bank.

Our debt ended with the transfer. What fails here is back in the payee's account, and a new transfer would pay twice:
so this is kept apart from payouts, and told to somebody who can ask the payee for other bank details.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, leaving_the_house, transaction, use_case
from payouts.provider_accounts.model import ProviderAccount
from payouts.provider_events import failed_payouts, rows
from payouts.provider_events.model import PAYEE_PAYOUT_EDGES, PAYEE_PAYOUT_STATES, PayeePayout
from payouts.provider_events.sources import Applied, Outcome, Source, Waits
from payouts.rails.stripe import values

STATES = {"in_transit": "in-transit"}
"""The provider's words where ours differ."""


def fetch(payout_id: str, *, account: ProviderAccount, source: Source, by: Actor, now: datetime) -> Outcome:
    """Fetch the payout and bring our row to its state. May be repeated, in any order."""
    leaving_the_house()
    found = source.log.payout(payout_id, account=str(account.account_id))
    if found is None:
        return Waits(f"Stripe knows no payout {payout_id} of this account.")
    return bring_up(found, account=account, by=by, now=now)


def bring_up(found: values.PayeePayout, *, account: ProviderAccount, by: Actor, now: datetime) -> Outcome:
    """The same for one that was just read. An answer that is older than what we know changes nothing."""
    state = STATES.get(found.status, found.status)
    if state not in PAYEE_PAYOUT_STATES:
        return Waits(f"The payout {found.id} is {found.status[:40]!r}, a word that this version does not know.")
    return Applied(_note(found, state, account, by=by, now=now))


@use_case
def _note(found: values.PayeePayout, state: str, account: ProviderAccount, *, by: Actor, now: datetime) -> bool:
    with transaction() as session:
        known = _known(session, account, found.id)
        if known is None:
            new = _row(found, state, account, now)
            if rows.insert_new(session, PayeePayout, new, ("provider", "account", "reference")):
                made = session.get_one(PayeePayout, new["id"])
                _record(session, made, None, by=by, now=now)
                return True
            known = _known(session, account, found.id)
        return known is not None and _moved(session, known, found, state, by=by, now=now)


def _known(session: Session, account: ProviderAccount, reference: str) -> PayeePayout | None:
    return session.scalar(
        select(PayeePayout).where(
            PayeePayout.provider == account.provider,
            PayeePayout.account == account.account_id,
            PayeePayout.reference == reference,
        )
    )


def _moved(
    session: Session, known: PayeePayout, found: values.PayeePayout, state: str, *, by: Actor, now: datetime
) -> bool:
    """Along an edge, or not at all: two answers may be stored in another order than they were given."""
    if state not in PAYEE_PAYOUT_EDGES.get(known.state, ()):
        return False
    before = digest(known)
    as_known = update(PayeePayout).where(PayeePayout.id == known.id, PayeePayout.state == known.state)
    changes = {"state": state, "failure": _failure(found), "arrives_on": found.arrives_on}
    if not claim(session, as_known.values(**changes, seen_at=max(now, known.seen_at))):
        return False
    session.refresh(known)
    _record(session, known, before, by=by, now=now)
    return True


def _row(found: values.PayeePayout, state: str, account: ProviderAccount, now: datetime) -> dict[str, object]:
    return {
        "id": ids.new("pbp"),
        "provider": account.provider,
        "account": account.account_id,
        "reference": found.id,
        "maintainer_id": account.maintainer_id,
        "amount_minor": found.amount.minor,
        "currency": found.amount.currency,
        "state": state,
        "failure": _failure(found),
        "made_at": found.created_at,
        "arrives_on": found.arrives_on,
        "seen_at": now,
    }


def _failure(found: values.PayeePayout) -> str | None:
    return found.failure_code[:100] if found.failure_code else None


def _record(session: Session, one: PayeePayout, before: str | None, *, by: Actor, now: datetime) -> None:
    facts = {"maintainer": one.maintainer_id, "reference": one.reference, "amount": str(one.amount)}
    failure = {"failure": one.failure} if one.failure else {}
    verb = f"payee-payout.{one.state}"
    audit.record(session, verb, one.id, facts | failure, before=before, after=one, by=by, now=now)
    if one.state == "failed":
        failed_payouts.tell(session, one, by=by, now=now)
