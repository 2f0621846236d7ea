"""Finding packages."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from firm.errors import NotFound
from firm.listing import WHOLE, Slice, where_given
from firm.portfolio.model import Package


class PackageNotFound(NotFound):
    """No package has this id or name."""


def find(session: Session, key: str, *, locked: bool = False) -> Package:
    """A package by id or name. Raises `PackageNotFound`."""
    query = select(Package).where(or_(Package.id == key, Package.name == key))
    package = session.scalar(query.with_for_update() if locked else query)
    if package is None:
        raise PackageNotFound(f"There is no package {key!r} in the portfolio; add it with `chambers package add`.")
    return package


def page(session: Session, part: Slice = WHOLE, *, state: str | None = None) -> list[Package]:
    """Packages in one state or in any, in the order of their ids."""
    return list(session.scalars(part.of(where_given(select(Package), (Package.state, state)), Package.id)))


def names(session: Session, package_ids: Iterable[str] | None = None) -> dict[str, str]:
    """Package names by id: of these ids, or of all."""
    query = select(Package.id, Package.name)
    if package_ids is not None:
        query = query.where(Package.id.in_(list(package_ids)))
    return dict(session.execute(query).all())
