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
    if grade not in GRADES or works_as not in WORKS_AS:
        raise Invalid(f"A maintainer's grade is one of {', '.join(GRADES)}; works as {', '.join(WORKS_AS)}.")
    maintainer = Maintainer(
        id=ids.new("mnt"),
        name=name,
        email=email,
        address="\n".join(address),
        country=country,
        grade=grade,
        works_as=works_as,
        created_at=now,
    )
    with transaction() as session:
        session.add(maintainer)
        try:
            session.flush()
        except IntegrityError as error:
            raise MaintainerNameTaken(f"There is a maintainer named {name!r} already.") from error
        _add_alias(session, maintainer.id, "name", name)
        _add_alias(session, maintainer.id, "email", email)
        facts = {"name": name, "grade": grade, "works_as": works_as}
        audit.record(session, "maintainer.added", maintainer.id, facts, by=by, now=now)
    return maintainer


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
        audit.record(session, "maintainer.alias-added", found.id, {}, by=by, now=now)
        return queries.aliases_of(session, found.id)


def _add_alias(session: Session, maintainer_id: str, kind: str, value: str) -> None:
    text = value.strip().lower()
    owner = session.scalar(select(Alias.maintainer_id).where(Alias.kind == kind, Alias.value == text))
    if owner == maintainer_id:
        return
    if owner is not None:
        raise AliasTaken(f"{value} is an alias of another maintainer already.")
    session.add(Alias(id=ids.new("ali"), maintainer_id=maintainer_id, kind=kind, value=text))
    session.flush()
