"""Finding assignments, by package, person and month."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from firm.allocation.model import PlanWeight
from firm.allocation.queries import NoPlanInForce, in_force
from firm.engagements.queries import interested
from firm.errors import NotFound
from firm.ledger import accounts
from firm.ledger.queries import balance_of
from firm.listing import WHOLE, Slice, where_given
from firm.month import Month
from firm.portfolio.model import Package
from firm.profile import operations as profiles
from staffing.assignments.model import Assignment
from staffing.assignments.rules import Funding


class AssignmentNotFound(NotFound):
    """No assignment has this id."""


def find(session: Session, assignment_id: str) -> Assignment:
    """An assignment by id. Raises `AssignmentNotFound`."""
    found = session.get(Assignment, assignment_id)
    if found is None:
        raise AssignmentNotFound(f"There is no assignment {assignment_id!r}.")
    return found


def page(
    session: Session,
    part: Slice = WHOLE,
    *,
    maintainer_id: str | None = None,
    package_id: str | None = None,
    on: date | None = None,
) -> list[Assignment]:
    """Assignments in the order of their ids; with `on` those that run on that day."""
    whose = (Assignment.maintainer_id, maintainer_id), (Assignment.package_id, package_id)
    query = where_given(select(Assignment), *whose)
    if on is not None:
        query = query.where(Assignment.from_on <= on, or_(Assignment.until_on.is_(None), Assignment.until_on > on))
    return list(session.scalars(part.of(query, Assignment.id)))


def ids_on(session: Session, package_id: str) -> list[str]:
    """The ids of all assignments to a package, ended ones too."""
    return list(session.scalars(select(Assignment.id).where(Assignment.package_id == package_id)))


def running(month: Month) -> ColumnElement[bool]:
    """The condition that an assignment touches the month."""
    return and_(
        Assignment.from_on < month.next.first_day,
        or_(Assignment.until_on.is_(None), Assignment.until_on > month.first_day),
    )


def funding_of(session: Session, package: Package, month: Month) -> Funding:
    """What the gate asks about a package in a month."""
    engagements = interested(session, package.id, month)
    return Funding(
        package.name,
        has_money=_has_weight(session, package.id, month) or _has_fund(session, package.id),
        has_interest=bool(engagements),
        allows_subcontractors=any(engagement.subcontracting_allowed for engagement in engagements),
    )


def _has_weight(session: Session, package_id: str, month: Month) -> bool:
    try:
        plan = in_force(session, month)
    except NoPlanInForce:
        return False
    weight = session.scalar(
        select(PlanWeight.weight).where(PlanWeight.plan_id == plan.id, PlanWeight.package_id == package_id)
    )
    return bool(weight)


def _has_fund(session: Session, package_id: str) -> bool:
    currency = profiles.current(session).currency
    return balance_of(session, accounts.PACKAGE_FUNDS, currency, package_id=package_id).minor < 0
