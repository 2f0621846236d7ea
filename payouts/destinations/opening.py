"""Opening what is sealed: account numbers in clear for an order or a file, each opening on record."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.profile import operations as profiles
from firm.profile.changes import SEALED as FIRMS_SEALED
from firm.secrets import SealedColumn, SecretKeys
from payouts.destinations.model import Destination
from payouts.rails.rail import Payee, Payer

SEALED = SealedColumn("destination", "iban_sealed", "destination.iban:{id}")


def payee_of(
    session: Session, destination: Destination, keys: SecretKeys, *, why: str, by: Actor, now: datetime
) -> Payee:
    """The payee with the account number opened, to be handed to a rail and to nothing else.

    `why` names what it was opened for, such as the key of an order; it is on record with who opened it and which.
    """
    sealed = destination.iban_sealed
    iban = None
    if sealed is not None:
        iban = keys.open(sealed, place=SEALED.place_of(destination.id))
        facts = {"maintainer": destination.maintainer_id, "last4": destination.iban_last4, "for": why}
        same = digest(destination)
        audit.record(
            session, "destination.opened", destination.id, facts, before=same, after=destination, by=by, now=now
        )
    return Payee(destination.holder, destination.country, iban, destination.bic, destination.account)


def payer(session: Session, keys: SecretKeys, *, why: str, by: Actor, now: datetime) -> Payer | None:
    """The firm's own account, or None while it is not set; its opening is on record too."""
    profile = profiles.current(session)
    if profile.iban_sealed is None:
        return None
    facts = {"last4": profile.iban_last4, "for": why}
    same = digest(profile)
    audit.record(session, "firm.bank-account-opened", "firm", facts, before=same, after=profile, by=by, now=now)
    return Payer(profile.name, keys.open(profile.iban_sealed, place=FIRMS_SEALED.place), profile.bic)
