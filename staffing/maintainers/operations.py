"""Adding maintainers and their aliases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.db import transaction, use_case
from firm.errors import Invalid, Refused
from firm.particulars import checked_country, checked_email, checked_name
from staffing.maintainers import queries
from staffing.maintainers.model import GRADES, WORKS_AS, Alias, Maintainer


class MaintainerNameTaken(Refused):
    """Two maintainers of one name could not be told apart on a paper."""


class AliasTaken(Refused):
    """A name or address belongs to one person."""


@use_case
def add(
    *,
    name: str,
    email: str,
    country: str,
    grade: str,
    works_as: str,
    address: Sequence[str] = (),
    by: Actor,
    now: datetime,
) -> Maintainer:
    """Add a maintainer; name and e-mail address become the first aliases.

    Raises `MaintainerNameTaken`, and `AliasTaken` if another maintainer goes by that name or address.
    """
    with transaction() as session:
        maintainer = new_maintainer(
            name=name, email=email, country=country, grade=grade, works_as=works_as, address=address, now=now
        )
        session.add(maintainer)
        try:
            session.flush()
        except IntegrityError as error:
            raise MaintainerNameTaken(f"There is a maintainer named {name!r} already.") from error
        _add_alias(session, maintainer.id, "name", name)
        _add_alias(session, maintainer.id, "email", email)
        audit.record(session, "maintainer.added", maintainer.id, facts_of(maintainer), after=maintainer, by=by, now=now)
    return maintainer


def new_maintainer(
    *, name: str, email: str, country: str, grade: str, works_as: str, address: Sequence[str], now: datetime
) -> Maintainer:
    """A maintainer who is in no session yet. Raises `InvalidParticulars`."""
    if grade not in GRADES or works_as not in WORKS_AS:
        raise Invalid(f"A maintainer's grade is one of {', '.join(GRADES)}; works as {', '.join(WORKS_AS)}.")
    return Maintainer(
        id=ids.new("mnt"),
        name=checked_name(name),
        email=checked_email(email),
        address="\n".join(address),
        country=checked_country(country),
        grade=grade,
        works_as=works_as,
        created_at=now,
    )


def facts_of(maintainer: Maintainer) -> dict[str, str]:
    """What the audit record of a new maintainer says."""
    return {"name": maintainer.name, "grade": maintainer.grade, "works_as": maintainer.works_as}


@use_case
def add_alias(
    maintainer: str, *, name: str | None = None, email: str | None = None, by: Actor, now: datetime
) -> list[Alias]:
    """Add a name, an address or both under which a maintainer appears. May be repeated. Raises `AliasTaken`.

    Work imported before is not attributed anew; import it again, which touches nothing else.
    """
    with transaction() as session:
        found = queries.find(session, maintainer)
        for kind, value in (("name", name), ("email", email)):
            if value:
                _add_alias(session, found.id, kind, value)
        aliases = queries.aliases_of(session, found.id)
        after = {"aliases": sorted([alias.kind, alias.value] for alias in aliases)}
        audit.record(session, "maintainer.alias-added", found.id, {}, after=after, by=by, now=now)
        return aliases


def _add_alias(session: Session, maintainer_id: str, kind: str, value: str) -> None:
    found = select(Alias.maintainer_id).where(Alias.kind == kind, Alias.value == alias_text(value))
    alias = new_alias(maintainer_id, kind, value, owner=session.scalar(found))
    if alias is not None:
        session.add(alias)
        session.flush()


def new_alias(maintainer_id: str, kind: str, value: str, *, owner: str | None) -> Alias | None:
    """An alias in no session yet, or None where the maintainer owns it already. Raises `AliasTaken`."""
    if owner == maintainer_id:
        return None
    if owner is not None:
        raise AliasTaken(f"{value} is an alias of another maintainer already.")
    return Alias(id=ids.new("ali"), maintainer_id=maintainer_id, kind=kind, value=alias_text(value))


def alias_text(value: str) -> str:
    """An alias as it is kept and compared."""
    return value.strip().lower()
