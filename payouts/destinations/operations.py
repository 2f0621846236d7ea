"""Proposing where pay goes, and ending proposals that nobody confirmed. `decisions.py` has what becomes of others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor, Role
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import transaction, use_case
from firm.errors import Refused
from firm.particulars import checked_name
from firm.secrets import SecretKeys
from payouts.destinations import notices, queries
from payouts.destinations.model import Destination
from payouts.destinations.opening import SEALED
from payouts.destinations.rules import PROPOSAL_LASTS, Wanted, checked
from payouts.provider_accounts import queries as provider_accounts
from payouts.rails.rail import Rail
from staffing.maintainers import queries as maintainers
from staffing.maintainers.model import Maintainer

CHORES = Actor("destinations", Role.SYSTEM)


class ChangePending(Refused):
    """One proposal at a time: whoever confirms must know what is confirmed."""


@use_case
def propose(
    maintainer: str,
    *,
    rail: str,
    iban: str | None = None,
    bic: str | None = None,
    holder: str | None = None,
    country: str | None = None,
    account: str | None = None,
    rails: Mapping[str, Rail],
    keys: SecretKeys,
    by: Actor,
    now: datetime,
) -> Destination:
    """Propose where a maintainer's pay goes; nobody is paid there before somebody else has confirmed it.

    `account` is the payee's at the rail's provider. Raises `ChangePending`, and what `rules.checked` raises.
    """
    with transaction() as session:
        person = maintainers.find(session, maintainer)
        name = person.name
        wanted = checked(
            rail,
            iban=iban,
            bic=bic,
            country=country,
            account=account or provider_accounts.account_id_of(session, person.id, rail),
            home=person.country,
            rails=rails,
        )
        _expire(session, Destination.maintainer_id == person.id, now=now)
        proposal = _proposal(person, wanted, _holder(holder) or name, keys, by=by, now=now)
        session.add(proposal)
        try:
            session.flush()
        except IntegrityError as error:
            raise ChangePending(
                f"A change of {name}'s destination waits to be confirmed already; confirm, reject or withdraw it first."
            ) from error
        facts = {"maintainer": person.id, "rail": rail, "last4": proposal.iban_last4}
        audit.record(session, "destination.proposed", proposal.id, facts, after=proposal, by=by, now=now)
        notices.of_proposal(session, person, proposal, queries.in_force(session, person.id), by=by, now=now)
        return proposal


@use_case
def expire(*, now: datetime) -> int:
    """End every proposal that waited too long; says how many. May be repeated."""
    with transaction() as session:
        return _expire(session, Destination.state == "proposed", now=now)


def _holder(text: str | None) -> str | None:
    return None if text is None else checked_name(text, field="holder")


def _proposal(
    person: Maintainer, wanted: Wanted, holder: str, keys: SecretKeys, *, by: Actor, now: datetime
) -> Destination:
    identifier = ids.new("dst")
    iban = wanted.iban
    return Destination(
        id=identifier,
        maintainer_id=person.id,
        rail=wanted.rail,
        holder=holder,
        country=wanted.country,
        iban_sealed=keys.seal(iban, place=SEALED.place_of(identifier)) if iban else None,
        iban_last4=iban[-4:] if iban else None,
        bic=wanted.bic,
        account=wanted.account,
        contact=person.email,
        state="proposed",
        proposed_by=by.name,
        created_at=now,
        expires_at=now + PROPOSAL_LASTS,
        sole_approval=False,
    )


def _expire(session: Session, mine: ColumnElement[bool], *, now: datetime) -> int:
    waited = select(Destination).where(mine, Destination.state == "proposed", Destination.expires_at <= now)
    expired = session.scalars(waited.order_by(Destination.id).with_for_update()).all()
    for one in expired:
        before = digest(one)
        one.state, one.decided_by, one.decided_at = "expired", CHORES.name, now
        session.flush()
        facts = {"maintainer": one.maintainer_id}
        audit.record(session, "destination.expired", one.id, facts, before=before, after=one, by=CHORES, now=now)
    return len(expired)
