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
from firm.audit.rules import digest
from firm.db import transaction, use_case
from firm.errors import NothingToChange, Refused
from firm.particulars import checked_name
from firm.portfolio import queries
from firm.portfolio.model import Package
from firm.portfolio.rules import checked_folder, checked_package, checked_repository


class PackageNameTaken(Refused):
    """A package is in the portfolio once."""


@use_case
def adopt(*, name: str, ecosystem: str, repository: str = "", folder: str = "", by: Actor, now: datetime) -> Package:
    """Add a package to the portfolio. Raises `PackageNameTaken`."""
    with transaction() as session:
        package = new_package(name=name, ecosystem=ecosystem, repository=repository, folder=folder, now=now)
        if session.get(Package, package.name) is not None:
            raise PackageNameTaken("That is another package's id; write the package's own name.")
        session.add(package)
        try:
            session.flush()
        except IntegrityError as error:
            raise PackageNameTaken(f"The portfolio has a package {name!r} already.") from error
        audit.record(session, "package.adopted", package.id, {"name": package.name}, after=package, by=by, now=now)
    return package


@use_case
def change(
    key: str,
    *,
    ecosystem: str | None = None,
    repository: str | None = None,
    folder: str | None = None,
    by: Actor,
    now: datetime,
) -> Package:
    """Correct where a package lives; what is None stays. Raises `PackageNotFound`, `InvalidPackage`, `NothingToChange`.

    By its ecosystem an advisory knows the package from another of its name.
    """
    with transaction() as session:
        package = queries.find(session, key, locked=True)
        before, earlier = digest(package), _whereabouts(package)
        if ecosystem is not None:
            package.ecosystem = checked_name(ecosystem, field="ecosystem", most=40)
        if repository is not None:
            package.repository = checked_repository(repository)
        if folder is not None:
            package.folder = checked_folder(folder)
        facts = {"before": earlier, "after": _whereabouts(package)}
        if earlier == facts["after"]:
            raise NothingToChange(f"{package.name} is known there already; say what is different.")
        session.flush()
        audit.record(session, "package.changed", package.id, facts, before=before, after=package, by=by, now=now)
    return package


def _whereabouts(package: Package) -> dict[str, str]:
    return {"ecosystem": package.ecosystem, "repository": package.repository, "folder": package.folder}


def new_package(*, name: str, ecosystem: str, repository: str, folder: str, now: datetime) -> Package:
    """A package that is in no session yet; `folder` is kept without slashes around it. Raises `InvalidPackage`."""
    return Package(
        id=ids.new("pkg"),
        name=checked_package(name),
        ecosystem=checked_name(ecosystem, field="ecosystem", most=40),
        repository=checked_repository(repository),
        folder=checked_folder(folder),
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
