"""Allocation plans."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import MonthField, Schema, Text, Whole
from api.paging import PageQuery, page, page_schema
from firm.allocation import operations, queries
from firm.allocation.model import AllocationPlan
from firm.allocation.rules import MOST_WEIGHT
from firm.db import reading
from firm.money import BASIS

blueprint = Blueprint("allocation_plans", __name__, description="How a month's revenue is divided")


class PlanSchema(Schema):
    """A version of the plan; rates in basis points, weights by package id or name."""

    id = ma.fields.String(dump_only=True)
    version = ma.fields.Integer(dump_only=True)
    from_month = MonthField(required=True)
    overhead_bp = Whole(required=True, least=0, most=BASIS)
    reserves = ma.fields.Dict(keys=Text(most=40), values=Whole(least=0, most=BASIS), load_default=dict)
    weights = ma.fields.Dict(keys=Text(), values=Whole(least=0, most=MOST_WEIGHT), required=True)


def _whole(session: Session, plan: AllocationPlan) -> dict[str, Any]:
    contents = queries.contents(session, plan.id)
    return {
        "id": plan.id,
        "version": plan.version,
        "from_month": plan.from_month,
        "overhead_bp": plan.overhead_bp,
        "reserves": contents.reserves,
        "weights": contents.weights,
    }


@blueprint.route("/allocation-plans", methods=["GET"])
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(PlanSchema))
def listed(query: dict[str, Any]) -> Any:
    """List the versions of the plan."""
    with reading() as session:
        return page(
            query,
            PlanSchema(),
            lambda part: [_whole(session, plan) for plan in queries.page(session, part)],
            key=lambda row: str(row["id"]),
        )


@blueprint.route("/allocation-plans", methods=["POST"])
@blueprint.arguments(PlanSchema)
@blueprint.response(201, PlanSchema)
def made(body: dict[str, Any]) -> Any:
    """Make the next version of the plan."""
    plan = operations.set_plan(**body, by=current_actor(), now=now())
    with reading() as session:
        return _whole(session, plan)


@blueprint.route("/allocation-plans/<plan_id>", methods=["GET"])
@blueprint.response(200, PlanSchema)
def shown(plan_id: str) -> Any:
    """Show a version of the plan."""
    with reading() as session:
        return _whole(session, queries.find(session, plan_id))
