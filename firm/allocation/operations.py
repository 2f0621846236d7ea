"""Making plans and allocating months."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.allocation import queries
from firm.allocation.model import AllocationPlan, PlanReserve, PlanWeight, allocation, allocation_share
from firm.allocation.rules import Plan, Share, Target, by_target, divide_all
from firm.audit import operations as audit
from firm.audit.rules import whole
from firm.billing.recognition import revenue
from firm.bulk import bulk_insert
from firm.db import transaction, use_case
from firm.errors import Refused
from firm.ledger import accounts, journal, periods
from firm.ledger.entry import Entry, Line, credit, debit
from firm.money import Money
from firm.month import Month
from firm.portfolio import queries as portfolio
from firm.profile import operations as profiles

STEP = "allocation"


class PlanTooLate(Refused):
    """A plan cannot begin in a month that is divided already."""


@use_case
def set_plan(
    *,
    from_month: Month,
    overhead_bp: int,
    reserves: Mapping[str, int],
    weights: Mapping[str, int],
    by: Actor,
    now: datetime,
) -> AllocationPlan:
    """Add a version of the plan; `weights` are by package id or name. Raises `InvalidPlan`, `PlanTooLate`."""
    with transaction() as session:
        profile = profiles.current(session)
        by_id = {portfolio.find(session, key).id: weight for key, weight in weights.items()}
        Plan(overhead_bp, reserves, by_id)
        _refuse_divided(session, from_month, first=profile.first_month)
        version = (session.scalar(select(func.max(AllocationPlan.version))) or 0) + 1
        plan = AllocationPlan(
            id=ids.new("pln"),
            version=version,
            from_month=from_month,
            overhead_bp=overhead_bp,
            created_at=now,
            created_by=by.name,
        )
        session.add(plan)
        session.flush()
        parts: list[PlanReserve | PlanWeight] = [
            *(PlanReserve(plan_id=plan.id, name=name, rate_bp=bp) for name, bp in reserves.items()),
            *(PlanWeight(plan_id=plan.id, package_id=key, weight=w) for key, w in by_id.items()),
        ]
        session.add_all(parts)
        for name in reserves:
            accounts.open_reserve(session, name, profile.currency)
        facts = {"version": version, "from": str(from_month), "overhead_bp": overhead_bp}
        audit.record(session, "plan.set", plan.id, facts, after=whole(plan, parts), by=by, now=now)
    return plan


def _refuse_divided(session: Session, from_month: Month, *, first: Month) -> None:
    """Have the first open month to ourselves: nobody divides it while the plan that divides it changes."""
    first_open = periods.earliest_open(session, first=first)
    if from_month < first_open:
        raise PlanTooLate(f"{from_month.name} is closed; let the plan begin in an open month.")
    periods.hold(session, first_open)
    undivided = periods.first_without(session, STEP, first_open)
    if from_month < undivided:
        raise PlanTooLate(
            f"The revenue of {from_month.name} is divided; finish it with `chambers month close {from_month}`, and let"
            f" the plan begin with {undivided.name}."
        )


@use_case
def allocate_month(month: Month, *, by: Actor, now: datetime) -> None:
    """Divide the month's recognized revenue by the plan in force; the step is done once."""
    with transaction() as session:
        if not periods.claim_step(session, month, STEP, items=0, total_minor=0, by=by, now=now):
            return
        plan = queries.in_force(session, month)
        currency = profiles.current(session).currency
        shares = divide_all(queries.contents(session, plan.id), revenue(session, month))
        total = Money(sum(share.minor for share in shares), currency)
        _write(session, month, plan.id, total, shares)
        if total:
            lines = fund_lines(by_target(shares), currency)
            entry = Entry(f"allocation:{month}", month.last_day, f"Allocation of {month.name}", tuple(lines))
            journal.post(session, entry, by=by, now=now)
        periods.set_result(session, month, STEP, items=len(shares), total_minor=total.minor)
        facts = {"plan_version": plan.version, "total_minor": total.minor, "shares": len(shares)}
        audit.record(session, "revenue.allocated", str(month), facts, by=by, now=now)


def fund_lines(sums: Mapping[Target, int], currency: str) -> list[Line]:
    """What setting money aside moves: each fund against `equity:allocated`."""
    lines = [debit(accounts.ALLOCATED, Money(sum(sums.values()), currency))]
    for (kind, target), minor in sums.items():
        amount = Money(minor, currency)
        if kind == "package":
            lines.append(credit(accounts.PACKAGE_FUNDS, amount, package_id=target))
        else:
            fund = accounts.reserve_fund(target) if kind == "reserve" else accounts.OVERHEAD_FUND
            lines.append(credit(fund, amount))
    return lines


def _write(session: Session, month: Month, plan_id: str, total: Money, shares: list[Share]) -> None:
    row = {"month": month, "plan_id": plan_id, "total_minor": total.minor, "currency": total.currency}
    session.execute(insert(allocation), row)
    bulk_insert(
        session,
        allocation_share,
        [
            {
                "month": month,
                "engagement_id": share.engagement_id,
                "kind": share.kind,
                "target": share.target,
                "amount_minor": share.minor,
            }
            for share in shares
        ],
    )
