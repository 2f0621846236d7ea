"""Adjustments: what moves a payable besides a month's earnings and payouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from api.auth import current_actor, now, own
from api.blueprints import Blueprint
from api.fields import DateField, MomentField, MoneyField, MonthField, Schema, Text
from api.filters import MaintainerQuery, maintainer_id_of
from api.paging import page, page_schema
from firm.db import reading
from payouts.adjustments import operations, queries
from payouts.adjustments.model import KINDS, Adjustment
from payouts.adjustments.operations import MADE_BY_HAND, Draft

blueprint = Blueprint("adjustments", __name__, description="Corrections, advances, withholding and fees")

EFFECT = {"description": "What it does to the payable: positive is owed to the maintainer."}


class AdjustmentDraft(Schema):
    """An adjustment to make; maintainer and package by id or name."""

    maintainer = Text(required=True)
    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(MADE_BY_HAND))
    amount = MoneyField(required=True, metadata=EFFECT)
    reason = Text(required=True, most=400)
    adjusts = MonthField(
        load_default=None, allow_none=True, metadata={"description": "The earlier month; a correction names it."}
    )
    package = Text(
        load_default=None, allow_none=True, metadata={"description": "Whose fund a correction is charged to."}
    )
    on = DateField(load_default=None, allow_none=True, metadata={"description": "The day it is booked; today without."})


class AdjustmentReversal(Schema):
    """Why an adjustment is taken back, and on which day; today without one."""

    reason = Text(required=True, most=400)
    on = DateField(load_default=None, allow_none=True)


class AdjustmentSchema(Schema):
    """One adjustment, as it was booked."""

    id = ma.fields.String()
    number = ma.fields.String()
    maintainer_id = ma.fields.String()
    kind = ma.fields.String(validate=ma.validate.OneOf(KINDS))
    month = MonthField(metadata={"description": "The month it is booked in."})
    adjusts = MonthField(attribute="adjusts_month", allow_none=True)
    package_id = ma.fields.String()
    amount = MoneyField(metadata=EFFECT)
    funded = MoneyField(metadata={"description": "What the package's fund bears of it."})
    reason = ma.fields.String()
    payout_id = ma.fields.String(allow_none=True)
    reverses_id = ma.fields.String(allow_none=True)
    reversed_by_id = ma.fields.String(
        allow_none=True, metadata={"description": "The adjustment that takes this one back."}
    )
    made_at = MomentField()
    made_by = ma.fields.String()


class AdjustmentQuery(MaintainerQuery):
    """Filters of the list of adjustments."""

    month = MonthField(load_default=None, metadata={"description": "The month it is booked in."})
    kind = ma.fields.String(load_default=None, validate=ma.validate.OneOf(KINDS))


@blueprint.route("/adjustments", methods=["GET"])
@blueprint.arguments(AdjustmentQuery, location="query")
@blueprint.response(200, page_schema(AdjustmentSchema))
def listed(query: dict[str, Any]) -> Any:
    """List adjustments; maintainers see their own."""
    with reading() as session:
        maintainer_id = maintainer_id_of(session, query)
        return page(
            query,
            AdjustmentSchema(),
            lambda part: _shapes(
                session,
                queries.page(session, part, maintainer_id=maintainer_id, month=query["month"], kind=query["kind"]),
            ),
        )


@blueprint.route("/adjustments", methods=["POST"])
@blueprint.arguments(AdjustmentDraft)
@blueprint.response(201, AdjustmentSchema)
def made(body: dict[str, Any]) -> Any:
    """Book an adjustment in an open month; advances, and what exceeds the firm's limit, are the lead's alone."""
    return _shape(operations.make(Draft(**body), by=current_actor(), now=now()))


@blueprint.route("/adjustments/<key>", methods=["GET"])
@blueprint.response(200, AdjustmentSchema)
def shown(key: str) -> Any:
    """Show an adjustment, by id or number."""
    with reading() as session:
        found = queries.find(session, key)
        own(found.maintainer_id)
        return _shapes(session, [found])[0]


@blueprint.route("/adjustments/<key>/reversal", methods=["POST"])
@blueprint.arguments(AdjustmentReversal)
@blueprint.response(201, AdjustmentSchema)
def reversed_(body: dict[str, Any], key: str) -> Any:
    """Take an adjustment back by a further one, in an open month."""
    return _shape(operations.reverse(key, **body, by=current_actor(), now=now()))


def _shapes(session: Session, found: Sequence[Adjustment]) -> list[SimpleNamespace]:
    taken_back = queries.reversals_of(session, [one.id for one in found])
    return [_shape(one, taken_back.get(one.id)) for one in found]


def _shape(one: Adjustment, reversed_by_id: str | None = None) -> SimpleNamespace:
    facts = {field.name: getattr(one, field.name) for field in fields(one)}
    return SimpleNamespace(**facts, amount=one.amount, funded=one.funded, reversed_by_id=reversed_by_id)
