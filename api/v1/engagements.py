"""Engagements and interests."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now, own
from api.blueprints import Blueprint
from api.fields import DateField, Flag, Lines, MomentField, MoneyField, Schema, Text, Whole
from api.filters import ClientQuery, client_id_of
from api.paging import PageQuery, page, page_schema
from api.shapes import with_parts
from firm.db import reading
from firm.engagements import operations, queries
from firm.engagements.interests import NamedInterest, name_interests, withdraw_interest
from firm.engagements.model import CYCLES, STATES

blueprint = Blueprint("engagements", __name__, description="What clients have signed")


class InterestDraft(Schema):
    """A client's interest in a package, with the two answers that say how critical it is."""

    package = Text(required=True, metadata={"description": "Id or name."})
    may_stop = Flag(required=True, metadata={"description": "Is it OK if we stop?"})
    months_to_replace = Whole(required=True, least=0, most=1200, metadata={"description": "Engineer-months."})

    @ma.post_load
    def _named(self, values: dict[str, Any], **kwargs: Any) -> NamedInterest:
        return NamedInterest(**values)


class InterestSchema(Schema):
    """A client's interest in a package."""

    package_id = ma.fields.String()
    may_stop = ma.fields.Boolean()
    months_to_replace = ma.fields.Integer()


class EngagementSchema(Schema):
    """A retainer agreement."""

    id = ma.fields.String(dump_only=True)
    client_id = ma.fields.String(dump_only=True)
    tier_id = ma.fields.String(dump_only=True)
    fee = MoneyField(dump_only=True, metadata={"description": "Of one whole month."})
    cycle = ma.fields.String(dump_only=True, validate=ma.validate.OneOf(list(CYCLES)))
    starts_on = DateField(dump_only=True)
    ends_on = DateField(dump_only=True, allow_none=True)
    renews_on = DateField(dump_only=True, allow_none=True)
    notice_days = ma.fields.Integer(dump_only=True)
    subcontracting_allowed = ma.fields.Boolean(dump_only=True)
    po_number = ma.fields.String(dump_only=True, allow_none=True)
    clauses = Lines(dump_only=True)
    state = ma.fields.String(dump_only=True, validate=ma.validate.OneOf(STATES))
    signed_at = MomentField(dump_only=True, allow_none=True)


class WholeEngagementSchema(EngagementSchema):
    """A retainer agreement with the interests that it names."""

    interests = ma.fields.List(ma.fields.Nested(InterestSchema), dump_only=True)


class EngagementDraft(Schema):
    """An engagement to draft; client, tier and packages by id or name."""

    client = Text(required=True)
    tier = Text(required=True)
    fee = MoneyField(required=True)
    cycle = ma.fields.String(required=True, validate=ma.validate.OneOf(list(CYCLES)))
    starts_on = DateField(required=True)
    ends_on = DateField(
        load_default=None, allow_none=True, metadata={"description": "The first day it no longer runs."}
    )
    renews_on = DateField(load_default=None, allow_none=True)
    notice_days = Whole(least=0, most=730, load_default=90)
    subcontracting_allowed = Flag(load_default=False)
    po_number = Text(most=60, load_default=None, allow_none=True)
    clauses = ma.fields.List(Text(most=60), load_default=list, validate=ma.validate.Length(max=50))
    interests = ma.fields.List(ma.fields.Nested(InterestDraft), load_default=list, validate=ma.validate.Length(max=200))
    duplicate_of = Text(
        most=34,
        load_default=None,
        allow_none=True,
        metadata={"description": "The engagement with the same terms that this one is meant to stand beside."},
    )


class InterestsDraft(Schema):
    """Interests to add."""

    interests = ma.fields.List(
        ma.fields.Nested(InterestDraft), required=True, validate=ma.validate.Length(min=1, max=200)
    )


class InterestWithdrawal(Schema):
    """The package that an engagement names no more, and why."""

    package = Text(required=True, metadata={"description": "Id or name."})
    reason = Text(required=True, most=500)


class InterestsSchema(Schema):
    """All interests of an engagement."""

    interests = ma.fields.List(ma.fields.Nested(InterestSchema), required=True)


class PoNumber(Schema):
    """The client's purchase order number."""

    po_number = Text(required=True, most=60)


class Ending(Schema):
    """The first day on which it no longer runs."""

    on = DateField(required=True)


class EngagementQuery(ClientQuery):
    """Filters of the list of engagements."""

    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(STATES))


@blueprint.route("/engagements", methods=["GET"])
@blueprint.arguments(EngagementQuery, location="query")
@blueprint.response(200, page_schema(EngagementSchema))
def listed(query: dict[str, Any]) -> Any:
    """List engagements; a client sees its own."""
    with reading() as session:
        client_id = client_id_of(session, query)
        return page(
            query,
            EngagementSchema(),
            lambda part: queries.page(session, part, client_id=client_id, state=query["state"]),
        )


@blueprint.route("/engagements", methods=["POST"])
@blueprint.arguments(EngagementDraft)
@blueprint.response(201, EngagementSchema)
def drafted(body: dict[str, Any]) -> Any:
    """Draft an engagement."""
    return operations.draft(**body, by=current_actor(), now=now())


@blueprint.route("/engagements/<engagement_id>", methods=["GET"])
@blueprint.response(200, WholeEngagementSchema)
def shown(engagement_id: str) -> Any:
    """Show an engagement with its interests."""
    with reading() as session:
        engagement = queries.find(session, engagement_id)
        own(engagement.client_id)
        interests = queries.interests_of(session, engagement_id)
        return with_parts(engagement, fee=engagement.fee, cycle=engagement.cycle, interests=interests)


@blueprint.route("/engagements/<engagement_id>/interests", methods=["GET"])
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(InterestSchema))
def interests_listed(query: dict[str, Any], engagement_id: str) -> Any:
    """List the interests that an engagement names."""
    with reading() as session:
        own(queries.find(session, engagement_id).client_id)
        return page(query, InterestSchema(), lambda part: queries.interests_of(session, engagement_id, part))


@blueprint.route("/engagements/<engagement_id>/interests", methods=["POST"])
@blueprint.arguments(InterestsDraft)
@blueprint.response(201, InterestsSchema)
def interests_named(body: dict[str, Any], engagement_id: str) -> Any:
    """Add interests, also after the signature."""
    found = name_interests(engagement_id, body["interests"], by=current_actor(), now=now())
    return {"interests": found}


@blueprint.route("/engagements/<engagement_id>/interest-withdrawals", methods=["POST"])
@blueprint.arguments(InterestWithdrawal)
@blueprint.response(201, InterestsSchema)
def interest_withdrawn(body: dict[str, Any], engagement_id: str) -> Any:
    """Take an interest back that was named by mistake or is none any more; reports that were issued keep it."""
    found = withdraw_interest(engagement_id, body["package"], reason=body["reason"], by=current_actor(), now=now())
    return {"interests": found}


@blueprint.route("/engagements/<engagement_id>/signature", methods=["POST"])
@blueprint.response(201, EngagementSchema)
def signed(engagement_id: str) -> Any:
    """Sign a draft; its terms stand from then on."""
    return operations.sign(engagement_id, by=current_actor(), now=now())


@blueprint.route("/engagements/<engagement_id>/po-number", methods=["POST"])
@blueprint.arguments(PoNumber)
@blueprint.response(201, EngagementSchema)
def po_number_set(body: dict[str, Any], engagement_id: str) -> Any:
    """Enter the client's purchase order number, also after the signature."""
    return operations.set_po_number(engagement_id, body["po_number"], by=current_actor(), now=now())


@blueprint.route("/engagements/<engagement_id>/ending", methods=["POST"])
@blueprint.arguments(Ending)
@blueprint.response(201, EngagementSchema)
def ended(body: dict[str, Any], engagement_id: str) -> Any:
    """End a signed engagement."""
    return operations.end(engagement_id, on=body["on"], by=current_actor(), now=now())
