"""Assignments from a file, through the funding gate."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Annotated

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.intake.columns import Day, Name, Percent, YesNo, one_of, text_of
from firm.intake.desk import Desk, Kind, blaming, percentage, refuse_contradiction
from firm.intake.report import LineRefused
from firm.intake.rows import Row
from firm.month import Month
from firm.portfolio import operations as portfolio_operations
from firm.portfolio.model import Package
from firm.portfolio.queries import PackageNotFound
from staffing.assignments import queries
from staffing.assignments.model import ROLES, Assignment
from staffing.assignments.operations import (
    Draft,
    MoreThanWholeTime,
    PackageNotFunded,
    decide,
    facts_of,
    refuse_impossible,
    staffs,
)
from staffing.assignments.rules import Funding, Span
from staffing.maintainers.model import Maintainer
from staffing.maintainers.queries import MaintainerNotFound


class AssignmentRow(Row):
    """An assignment; maintainer, package and first day are what it is known by."""

    maintainer: Name
    package: Name
    role: Annotated[str, one_of(ROLES)]
    share: Percent
    from_on: Day
    until_on: Day | None = None
    paid: YesNo = True
    override_reason: Annotated[str, text_of(500)] | None = None


class AssignmentDesk(Desk[AssignmentRow]):
    """Knows people and packages by name, everybody's spans of time, and asks about each package's funding once."""

    def __init__(self, session: Session, *, by: Actor, now: datetime) -> None:
        super().__init__(session, by=by, now=now)
        self._people = {person.name: person for person in session.scalars(select(Maintainer))}
        self._packages = {package.name: package for package in session.scalars(select(Package))}
        self._known: dict[tuple[str, str, date], Assignment] = {}
        self._spans: dict[str, list[Span]] = {}
        for assignment in session.scalars(select(Assignment).order_by(Assignment.id)):
            self._remember(assignment)
        self._fundings: dict[tuple[str, Month], Funding] = {}
        self._staffed: set[str] = set()

    def settle(self, row: AssignmentRow, columns: Collection[str]) -> bool:
        person, package = self._person(row.maintainer), self._package(row.package)
        draft = Draft(row.role, row.share, row.from_on, row.until_on, row.paid, row.override_reason)
        refuse_impossible(draft)
        known = self._known.get((person.id, package.id, row.from_on))
        if known is not None:
            what = f"The assignment of {row.maintainer} to {row.package} from {row.from_on.isoformat()}"
            refuse_contradiction(what, _facts(known), _facts(draft), columns)
            return False
        assignment = self._decide(person, package, draft)
        self._remember(assignment)
        if staffs(assignment, package):
            self._staffed.add(package.id)
        self.keep(assignment, verb="assignment.made", subject=assignment.id, facts=facts_of(assignment))
        return True

    def _decide(self, person: Maintainer, package: Package, draft: Draft) -> Assignment:
        try:
            return decide(
                person,
                package,
                draft,
                funding=lambda: self._funding(package, Month.of(draft.from_on)),
                taken=lambda: self._spans.get(person.id, []),
                now=self.now,
            )
        except PackageNotFunded as error:
            raise LineRefused(error.message, column="package") from error
        except MoreThanWholeTime as error:
            raise LineRefused(error.message, column="share") from error

    def write(self) -> None:
        super().write()
        portfolio_operations.set_states(self.session, self._staffed, "staffed")

    def _person(self, name: str) -> Maintainer:
        if (person := self._people.get(name)) is None:
            with blaming("maintainer"):
                raise MaintainerNotFound(f"There is no maintainer {name!r}; import maintainers first, or correct it.")
        return person

    def _package(self, name: str) -> Package:
        if (package := self._packages.get(name)) is None:
            with blaming("package"):
                raise PackageNotFound(f"There is no package {name!r}; import packages first, or correct the name.")
        return package

    def _funding(self, package: Package, month: Month) -> Funding:
        key = (package.id, month)
        if key not in self._fundings:
            self._fundings[key] = queries.funding_of(self.session, package, month)
        return self._fundings[key]

    def _remember(self, assignment: Assignment) -> None:
        self._known[assignment.maintainer_id, assignment.package_id, assignment.from_on] = assignment
        if assignment.paid:
            span = Span(assignment.from_on, assignment.until_on, assignment.share_bp)
            self._spans.setdefault(assignment.maintainer_id, []).append(span)


def _facts(made: Assignment | Draft) -> dict[str, object]:
    """What a line and an assignment are compared by, column by column."""
    facts: dict[str, object] = {name: getattr(made, name) for name in ("role", "until_on", "paid", "override_reason")}
    return {"share": percentage(made.share_bp)} | facts


ASSIGNMENTS = Kind(
    "assignments",
    AssignmentRow,
    AssignmentDesk,
    {
        "maintainer": "Grace Hopper",
        "package": "golang.org/x/crypto/ssh",
        "role": "lead",
        "share": "100%",
        "from_on": "2026-10-01",
        "paid": "yes",
    },
)
