"""Finding maintainers, and who a name in public history is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from firm.errors import NotFound
from firm.listing import WHOLE, Slice
from staffing.maintainers.model import Alias, Maintainer


class MaintainerNotFound(NotFound):
    """No maintainer has this id or name."""


@dataclass(frozen=True, slots=True)
class Directory:
    """All aliases at once, to attribute a history in one pass."""

    by_email: Mapping[str, str]
    by_name: Mapping[str, str]

    def who(self, name: str, email: str) -> str | None:
        """The maintainer's id, or None for somebody who is not ours: never a guess.

        Where there is an address it alone says who this is: two people may share a name, and no two an address.
        """
        return self.by_email.get(email.lower()) if email else self.by_name.get(name.lower())


def find(session: Session, key: str, *, locked: bool = False) -> Maintainer:
    """A maintainer by id or name. Raises `MaintainerNotFound`."""
    query = select(Maintainer).where(or_(Maintainer.id == key, Maintainer.name == key))
    # An id means its owner, also where somebody bears a name like it.
    query = query.order_by((Maintainer.id == key).desc(), Maintainer.id).limit(1)
    found = session.scalar(query.with_for_update() if locked else query)
    if found is None:
        raise MaintainerNotFound(f"There is no maintainer {key!r}.")
    return found


def page(session: Session, part: Slice = WHOLE) -> list[Maintainer]:
    """Maintainers in the order of their ids."""
    return list(session.scalars(part.of(select(Maintainer), Maintainer.id)))


def aliases_of(session: Session, maintainer_id: str) -> list[Alias]:
    return list(session.scalars(select(Alias).where(Alias.maintainer_id == maintainer_id).order_by(Alias.id)))


def names(session: Session) -> dict[str, str]:
    """Names of all maintainers by id."""
    return dict(session.execute(select(Maintainer.id, Maintainer.name)).all())


def directory(session: Session) -> Directory:
    rows = session.execute(select(Alias.kind, Alias.value, Alias.maintainer_id)).all()
    return Directory(
        by_email={row.value: row.maintainer_id for row in rows if row.kind == "email"},
        by_name={row.value: row.maintainer_id for row in rows if row.kind == "name"},
    )
