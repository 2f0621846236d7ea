"""Notices: what people were told, or have still to be told by somebody."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import MomentField, Schema, Text
from api.paging import PageQuery, page, page_schema
from firm.db import reading
from firm.notices import operations, queries
from firm.notices.model import STATES

blueprint = Blueprint("notices", __name__, description="Letters that a change made necessary")


class NoticeQuery(PageQuery):
    """Of one state, or of all."""

    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(STATES))


class NoticeSchema(Schema):
    """A letter to one address, as it was written on its day."""

    id = ma.fields.String()
    to = ma.fields.String(attribute="to_address")
    template = ma.fields.String()
    subject = ma.fields.String()
    text = ma.fields.String()
    state = ma.fields.String(validate=ma.validate.OneOf(STATES))
    created_at = MomentField()
    attempts = ma.fields.Integer()
    finished_at = MomentField(allow_none=True)
    detail = ma.fields.String(allow_none=True, metadata={"description": "Why it failed, or how a person gave it."})
    given_by = ma.fields.String(allow_none=True)


class HandingOver(Schema):
    """How a person gave it."""

    how = Text(required=True, most=400)


@blueprint.route("/notices", methods=["GET"])
@blueprint.arguments(NoticeQuery, location="query")
@blueprint.response(200, page_schema(NoticeSchema))
def listed(query: dict[str, Any]) -> Any:
    """List notices; those queued without a mail server, and those that failed, wait for a person."""
    with reading() as session:
        return page(
            query,
            NoticeSchema(),
            lambda part: queries.page(session, part, state=query["state"]),
        )


@blueprint.route("/notices/<key>", methods=["GET"])
@blueprint.response(200, NoticeSchema)
def shown(key: str) -> Any:
    """Show a notice."""
    with reading() as session:
        return queries.find(session, key)


@blueprint.route("/notices/<key>/handover", methods=["POST"])
@blueprint.arguments(HandingOver)
@blueprint.response(201, NoticeSchema)
def handed_over(body: dict[str, Any], key: str) -> Any:
    """Enter that a person gave a notice by another way, such as a call."""
    return operations.give_by_hand(key, **body, by=current_actor(), now=now())
