"""Adopting packages and changing their state."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.db import transaction, use_case
from firm.errors import Refused
from firm.portfolio.model import Package


class PackageNameTaken(Refused):
    """A package is in the portfolio once."""


@use_case
def adopt(*, name: str, ecosystem: str, repository: str = "", folder: str = "", by: Actor, now: datetime) -> Package:
    """Add a package to the portfolio. Raises `PackageNameTaken`."""
    with transaction() as session:
        package = new_package(name=name, ecosystem=ecosystem, repository=repository, folder=folder, now=now)
        session.add(package)
        try:
            session.flush()
        except IntegrityError as error:
            raise PackageNameTaken(f"The portfolio has a package {name!r} already.") from error
        audit.record(session, "package.adopted", package.id, {"name": name}, after=package, by=by, now=now)
    return package


def new_package(*, name: str, ecosystem: str, repository: str, folder: str, now: datetime) -> Package:
    """A package that is in no session yet; `folder` is kept without slashes around it."""
    return Package(
        id=ids.new("pkg"),
        name=name,
        ecosystem=ecosystem,
        repository=repository,
        folder=folder.strip("/"),
        state="adopted",
        created_at=now,
    )


def set_state(session: Session, package_id: str, state: str) -> None:
    """Move a package to another state, in the transaction of what caused it, which is what is audited."""
    session.execute(update(Package).where(Package.id == package_id).values(state=state))


def set_states(session: Session, package_ids: Collection[str], state: str) -> None:
    """Move many packages at once. Those that the session holds already keep what they show."""
    statement = update(Package).where(Package.id.in_(package_ids)).values(state=state)
    session.execute(statement, execution_options={"synchronize_session": False})
