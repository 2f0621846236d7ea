"""Finding plans and what was allocated."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.allocation.model import AllocationPlan, PlanReserve, PlanWeight, allocation_share
from firm.allocation.rules import Plan, Target
from firm.engagements.model import Engagement, Interest
from firm.engagements.queries import running
from firm.errors import NotFound, Refused
from firm.listing import WHOLE, Slice
from firm.money import Money
from firm.month import Month
from firm.portfolio.model import Package


class NoPlanInForce(Refused):
    """Revenue cannot be divided without a plan."""


class PlanNotFound(NotFound):
    """No plan has this id."""


class PackageWithoutWeight(Refused):
    """A package that a client cares about or somebody works on must be in the plan, be it with zero."""


def in_force(session: Session, month: Month) -> AllocationPlan:
    """The plan of a month: the latest version that begins in or before it. Raises `NoPlanInForce`."""
    plan = session.scalar(
        select(AllocationPlan)
        .where(AllocationPlan.from_month <= month)
        .order_by(AllocationPlan.from_month.desc(), AllocationPlan.version.desc())
        .limit(1)
    )
    if plan is None:
        raise NoPlanInForce(
            f"No allocation plan is in force in {month.name}; make one with `chambers plan set --from {month} …`."
        )
    return plan


def find(session: Session, plan_id: str) -> AllocationPlan:
    """A plan by id. Raises `PlanNotFound`."""
    plan = session.get(AllocationPlan, plan_id)
    if plan is None:
        raise PlanNotFound(f"There is no allocation plan {plan_id!r}.")
    return plan


def page(session: Session, part: Slice = WHOLE) -> list[AllocationPlan]:
    """Versions of the plan in the order of their ids."""
    return list(session.scalars(part.of(select(AllocationPlan), AllocationPlan.id)))


def contents(session: Session, plan_id: str) -> Plan:
    """The rates and weights of a plan."""
    plan = find(session, plan_id)
    reserves = session.execute(select(PlanReserve.name, PlanReserve.rate_bp).where(PlanReserve.plan_id == plan_id))
    weights = session.execute(select(PlanWeight.package_id, PlanWeight.weight).where(PlanWeight.plan_id == plan_id))
    return Plan(plan.overhead_bp, dict(reserves.all()), dict(weights.all()))


def refuse_unweighted(session: Session, month: Month) -> None:
    """Raises `PackageWithoutWeight` if a package with a running interest, or staffed, is not in the plan."""
    plan = in_force(session, month)
    weighted = select(PlanWeight.package_id).where(PlanWeight.plan_id == plan.id)
    wanted = (
        select(Interest.package_id)
        .join(Engagement, Engagement.id == Interest.engagement_id)
        .where(running(month))
        .union(select(Package.id).where(Package.state == "staffed"))
    )
    missing = session.scalars(
        select(Package.name)
        .where(Package.id.in_(wanted.scalar_subquery()), Package.id.not_in(weighted))
        .order_by(Package.name)
    ).all()
    if missing:
        raise PackageWithoutWeight(
            f"{', '.join(missing)} {'has' if len(missing) == 1 else 'have'} no weight in version {plan.version} of"
            " the allocation plan; make a new version that gives each one (zero is allowed)."
        )


def totals(session: Session, month: Month, currency: str) -> dict[Target, Money]:
    """What the month's allocation gave each target."""
    rows = session.execute(
        select(allocation_share.c.kind, allocation_share.c.target, func.sum(allocation_share.c.amount_minor))
        .where(allocation_share.c.month == month)
        .group_by(allocation_share.c.kind, allocation_share.c.target)
        .order_by(allocation_share.c.kind, allocation_share.c.target)
    )
    return {(kind, target): Money(int(minor), currency) for kind, target, minor in rows}
