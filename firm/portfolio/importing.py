"""Packages from a file."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.intake.columns import Name, text_of
from firm.intake.desk import Desk, Kind, refuse_contradiction
from firm.intake.rows import Row
from firm.portfolio.model import Package
from firm.portfolio.operations import new_package


class PackageRow(Row):
    """A package; its name is what it is known by."""

    name: Name
    ecosystem: Annotated[str, text_of(40)]
    repository: Annotated[str, text_of(300)] = ""
    folder: Annotated[str, text_of(200)] = ""


class PackageDesk(Desk[PackageRow]):
    """Knows every package by name."""

    def __init__(self, session: Session, *, by: Actor, now: datetime) -> None:
        super().__init__(session, by=by, now=now)
        self._known = {package.name: package for package in session.scalars(select(Package))}

    def settle(self, row: PackageRow, columns: Collection[str]) -> bool:
        package = new_package(
            name=row.name, ecosystem=row.ecosystem, repository=row.repository, folder=row.folder, now=self.now
        )
        if (known := self._known.get(row.name)) is not None:
            facts = ("ecosystem", "repository", "folder")
            before, said = ({name: getattr(each, name) for name in facts} for each in (known, package))
            refuse_contradiction(row.name, before, said, columns)
            return False
        self._known[row.name] = package
        self.keep(package, verb="package.adopted", subject=package.id, facts={"name": package.name})
        return True


PACKAGES = Kind(
    "packages",
    PackageRow,
    PackageDesk,
    {
        "name": "golang.org/x/crypto/ssh",
        "ecosystem": "Go",
        "repository": "https://github.com/golang/crypto",
        "folder": "ssh",
    },
)
