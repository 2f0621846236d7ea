"""Maintainers from a file."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.intake.columns import Address, Country, Email, Name, one_of
from firm.intake.desk import Desk, Kind, blaming, refuse_contradiction
from firm.intake.report import LineRefused
from firm.intake.rows import Row
from staffing.maintainers.model import GRADES, WORKS_AS, Alias, Maintainer
from staffing.maintainers.operations import alias_text, facts_of, new_alias, new_maintainer


class MaintainerRow(Row):
    """A maintainer, known by the name; the e-mail address is an alias, and belongs to one person."""

    name: Name
    email: Email
    country: Country
    grade: Annotated[str, one_of(GRADES)]
    works_as: Annotated[str, one_of(WORKS_AS)]
    address: Address = ()


class MaintainerDesk(Desk[MaintainerRow]):
    """Knows every maintainer by name, and who owns each alias."""

    def __init__(self, session: Session, *, by: Actor, now: datetime) -> None:
        super().__init__(session, by=by, now=now)
        people = list(session.scalars(select(Maintainer)))
        self._known = {person.name: person for person in people}
        self._names = {person.id: person.name for person in people}
        aliases = session.execute(select(Alias.kind, Alias.value, Alias.maintainer_id))
        self._owners = {(kind, value): owner for kind, value, owner in aliases}

    def settle(self, row: MaintainerRow, columns: Collection[str]) -> bool:
        person = self._known.get(row.name)
        if person is not None:
            self._refuse_contradiction(person, row, columns)
            return False
        self._refuse_other_name(row)
        person = new_maintainer(
            name=row.name,
            email=row.email,
            country=row.country,
            grade=row.grade,
            works_as=row.works_as,
            address=row.address,
            now=self.now,
        )
        aliases = [self._alias(person, kind) for kind in ("name", "email")]
        self._remember(person, aliases)
        self.keep(person, *aliases, verb="maintainer.added", subject=person.id, facts=facts_of(person))
        return True

    def _refuse_contradiction(self, person: Maintainer, row: MaintainerRow, columns: Collection[str]) -> None:
        said = {name: getattr(row, name) for name in ("country", "grade", "works_as")}
        said["address"] = "\n".join(row.address)
        known = {name: getattr(person, name) for name in said}
        if self._owners.get(("email", alias_text(row.email))) != person.id:
            said["email"], known["email"] = row.email, person.email
        refuse_contradiction(row.name, known, said, columns)

    def _refuse_other_name(self, row: MaintainerRow) -> None:
        """An address that is known says who the person is: a second record of them would be paid twice."""
        owner = self._owners.get(("email", alias_text(row.email)))
        if owner is not None:
            raise LineRefused(
                f"{row.email} belongs to {self._names[owner]}, and the line says {row.name}; write the name as it is"
                " known, or give the other person's own address.",
                column="email",
            )

    def _alias(self, person: Maintainer, kind: str) -> Alias:
        value: str = getattr(person, kind)
        with blaming(kind):
            alias = new_alias(person.id, kind, value, owner=self._owners.get((kind, alias_text(value))))
        if alias is None:
            raise LineRefused(f"{value} is theirs already.", column=kind)
        return alias

    def _remember(self, person: Maintainer, aliases: Collection[Alias]) -> None:
        self._known[person.name] = person
        self._names[person.id] = person.name
        self._owners.update({(alias.kind, alias.value): person.id for alias in aliases})


MAINTAINERS = Kind(
    "maintainers",
    MaintainerRow,
    MaintainerDesk,
    {
        "name": "Grace Hopper",
        "email": "grace@example.org",
        "country": "US",
        "grade": "associate",
        "works_as": "subcontractor",
        "address": "12 Navy Yard\nArlington",
    },
)
