"""Setting and reading destinations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import transaction, use_case
from firm.errors import Invalid
from firm.profile import operations as profiles
from firm.secrets import SecretKeys
from payouts.destinations.model import Destination
from payouts.rails.rail import Payee, Payer, Rail
from staffing.maintainers import queries as maintainers


class UnknownRail(Invalid):
    """The firm has no such way to pay."""


class InvalidIban(Invalid):
    """An account number that cannot be."""


@dataclass(frozen=True, slots=True)
class Way:
    """What a run needs to know of a live destination."""

    id: str
    maintainer_id: str
    rail: str
    holder: str


def checked_iban(text: str) -> str:
    """The IBAN in its compact form. Raises `InvalidIban`; the message never repeats the number."""
    from schwifty import IBAN  # imported here: its bank registry takes a third of a second
    from schwifty.exceptions import SchwiftyException

    try:
        return str(IBAN(text).compact)
    except SchwiftyException as error:
        raise InvalidIban("That is not a valid IBAN; check it against the paper it came from.") from error


@use_case
def set_destination(
    maintainer: str,
    *,
    rail: str,
    iban: str | None = None,
    bic: str | None = None,
    holder: str | None = None,
    rails: Mapping[str, Rail],
    keys: SecretKeys,
    by: Actor,
    now: datetime,
) -> Destination:
    """Set where a maintainer's pay goes from the next run on. Raises `UnknownRail`, `InvalidIban`."""
    if rail not in rails:
        raise UnknownRail(f"{rail!r} is no rail of this firm; use one of {', '.join(sorted(rails))}.")
    needs_iban = rails[rail].describe().needs_iban
    if needs_iban and not iban:
        raise InvalidIban(f"The rail {rail} pays to an IBAN; give it.")
    number = checked_iban(iban) if iban else None
    with transaction() as session:
        person = maintainers.find(session, maintainer)
        identifier = ids.new("dst")
        replaced = in_force(session, person.id)
        before = None if replaced is None else digest(replaced)
        session.execute(
            update(Destination)
            .where(Destination.maintainer_id == person.id, Destination.replaced_at.is_(None))
            .values(replaced_at=now)
        )
        destination = Destination(
            id=identifier,
            maintainer_id=person.id,
            rail=rail,
            holder=holder or person.name,
            country=number[:2] if number else person.country,
            iban_sealed=keys.seal(number, place=_place(identifier)) if number else None,
            iban_last4=number[-4:] if number else None,
            bic=bic,
            created_at=now,
        )
        session.add(destination)
        session.flush()
        facts = {"maintainer": person.id, "rail": rail, "last4": destination.iban_last4}
        audit.record(session, "destination.set", identifier, facts, before=before, after=destination, by=by, now=now)
    return destination


def live(session: Session) -> dict[str, Way]:
    """The way to every maintainer, by maintainer id."""
    rows = session.execute(
        select(Destination.id, Destination.maintainer_id, Destination.rail, Destination.holder).where(
            Destination.replaced_at.is_(None)
        )
    )
    return {row.maintainer_id: Way(*row) for row in rows}


def in_force(session: Session, maintainer_id: str) -> Destination | None:
    """Where a maintainer's pay goes now, or None."""
    mine = Destination.maintainer_id == maintainer_id, Destination.replaced_at.is_(None)
    return session.scalar(select(Destination).where(*mine))


def payee_of(destination: Destination, keys: SecretKeys) -> Payee:
    """The payee with the account number opened, to be handed to a rail and to nothing else."""
    sealed = destination.iban_sealed
    iban = keys.open(sealed, place=_place(destination.id)) if sealed else None
    return Payee(destination.holder, destination.country, iban, destination.bic)


def payer(session: Session, keys: SecretKeys) -> Payer | None:
    """The firm's own account, or None while it is not set."""
    profile = profiles.current(session)
    if profile.iban_sealed is None:
        return None
    return Payer(profile.name, keys.open(profile.iban_sealed, place=profiles.IBAN_PLACE), profile.bic)


def _place(identifier: str) -> str:
    return f"destination.iban:{identifier}"
