"""Differences between the books and what rails say, who looks after them, and how they were resolved."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import MomentField, Schema, Text
from api.paging import PageQuery, page, page_schema
from firm.db import reading
from payouts.differences.model import KINDS
from payouts.reconciliation import operations, queries

blueprint = Blueprint(
    "reconciliation_differences", __name__, description="Where the books and a rail say different things"
)

STATES = ("open", "resolved")


class DifferenceQuery(PageQuery):
    """All of them, or those of one state."""

    state = ma.fields.String(
        validate=ma.validate.OneOf(STATES), load_default=None, metadata={"description": "Only those of this state."}
    )


class OwnerSchema(Schema):
    """Who looks after it: the name of a lead's or an administrator's principal."""

    owner = Text(required=True, most=200)


class ExplanationSchema(Schema):
    """How it was resolved: this stays on record."""

    note = Text(required=True, most=500)


class DifferenceSchema(Schema):
    """A difference. What a person has explained is opened again only when one of its sides changes."""

    id = ma.fields.String()
    rail = ma.fields.String()
    kind = ma.fields.String(validate=ma.validate.OneOf(KINDS))
    subject = ma.fields.String(
        metadata={"description": "What it is about: the id of a payout, a transfer or an event, or a currency."}
    )
    what = ma.fields.String(metadata={"description": "A sentence that says what differs."})
    our_side = ma.fields.String()
    their_side = ma.fields.String()
    opened_at = MomentField()
    seen_at = MomentField(metadata={"description": "When a comparison last found it."})
    owner = ma.fields.String(allow_none=True)
    resolved_at = MomentField(allow_none=True)
    resolved_by = ma.fields.String(allow_none=True)
    note = ma.fields.String(allow_none=True, metadata={"description": "How it was resolved."})


@blueprint.route("/reconciliation-differences", methods=["GET"])
@blueprint.arguments(DifferenceQuery, location="query")
@blueprint.response(200, page_schema(DifferenceSchema))
def listed(query: dict[str, Any]) -> Any:
    """List differences between the books and the rails."""
    with reading() as session:
        return page(
            query,
            DifferenceSchema(),
            lambda part: queries.page(session, part, state=query["state"]),
        )


@blueprint.route("/reconciliation-differences/<key>", methods=["GET"])
@blueprint.response(200, DifferenceSchema)
def shown(key: str) -> Any:
    """Show a difference."""
    with reading() as session:
        return queries.find(session, key)


@blueprint.route("/reconciliation-differences/<key>/assignment", methods=["POST"])
@blueprint.arguments(OwnerSchema)
@blueprint.response(201, DifferenceSchema)
def assigned(body: dict[str, Any], key: str) -> Any:
    """Say who looks after a difference."""
    return operations.assign(key, owner=body["owner"], by=current_actor(), now=now())


@blueprint.route("/reconciliation-differences/<key>/resolution", methods=["POST"])
@blueprint.arguments(ExplanationSchema)
@blueprint.response(201, DifferenceSchema)
def resolved(body: dict[str, Any], key: str) -> Any:
    """Explain a difference, and close it."""
    return operations.resolve(key, note=body["note"], by=current_actor(), now=now())
