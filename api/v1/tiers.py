"""Tiers."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import Lines, Schema, Text
from api.paging import PageQuery, page, page_schema
from firm.db import reading
from firm.engagements import operations, queries

blueprint = Blueprint("tiers", __name__, description="The catalog that engagements are sold from")


class TierSchema(Schema):
    """One version of a tier."""

    id = ma.fields.String(dump_only=True)
    name = Text(required=True, most=60)
    version = ma.fields.Integer(dump_only=True)
    entitlements = Lines(dump_only=True)


class TierDraft(Schema):
    """A tier, or the next version of one."""

    name = Text(required=True, most=60)
    entitlements = ma.fields.List(Text(), load_default=list, validate=ma.validate.Length(max=50))


@blueprint.route("/tiers", methods=["GET"])
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(TierSchema))
def listed(query: dict[str, Any]) -> Any:
    """List tiers, all versions."""
    with reading() as session:
        return page(
            query,
            TierSchema(),
            lambda part: queries.tiers(session, part),
        )


@blueprint.route("/tiers", methods=["POST"])
@blueprint.arguments(TierDraft)
@blueprint.response(201, TierSchema)
def added(body: dict[str, Any]) -> Any:
    """Add a tier, or the next version of one."""
    return operations.add_tier(**body, by=current_actor(), now=now())


@blueprint.route("/tiers/<key>", methods=["GET"])
@blueprint.response(200, TierSchema)
def shown(key: str) -> Any:
    """Show one version of a tier by its id, or the newest by its name."""
    with reading() as session:
        return queries.find_tier(session, key)
