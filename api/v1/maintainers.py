"""Maintainers, their aliases and destinations, and their way to a firm of their own."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.app import parts
from api.auth import current_actor, now, own
from api.blueprints import Blueprint
from api.fields import DateField, MomentField, MoneyField, Schema, Text, Whole
from api.paging import PageQuery, page, page_schema
from firm.actor import Role
from firm.db import reading
from firm.profile import operations as profiles
from payouts.destinations import operations as destinations
from staffing.maintainers import operations, queries
from staffing.maintainers.model import GRADES, WORKS_AS
from staffing.onramp import operations as onramp
from staffing.onramp import queries as onramps
from staffing.onramp.model import STAGES

blueprint = Blueprint("maintainers", __name__, description="The people who maintain packages")


class MaintainerSchema(Schema):
    """A maintainer."""

    id = ma.fields.String(dump_only=True)
    name = Text(required=True)
    email = Text(required=True)
    country = Text(required=True, least=2, most=2)
    grade = ma.fields.String(required=True, validate=ma.validate.OneOf(GRADES))
    works_as = ma.fields.String(required=True, validate=ma.validate.OneOf(WORKS_AS))


class MaintainerDraft(MaintainerSchema):
    """A maintainer to add."""

    address = ma.fields.List(Text(), load_default=list, validate=ma.validate.Length(max=8))


class AliasDraft(Schema):
    """A name or an address under which a maintainer appears."""

    name = Text(load_default=None)
    email = Text(load_default=None)


class AliasSchema(Schema):
    """One alias."""

    kind = ma.fields.String()
    value = ma.fields.String()


class AliasesSchema(Schema):
    """All aliases of a maintainer."""

    aliases = ma.fields.List(ma.fields.Nested(AliasSchema))


class DestinationDraft(Schema):
    """Where a maintainer's pay goes."""

    rail = Text(required=True, most=20)
    iban = Text(most=50, load_default=None, load_only=True)
    bic = Text(most=11, load_default=None)
    holder = Text(load_default=None)


class DestinationSchema(Schema):
    """A destination; of an account only the last four characters are ever shown."""

    id = ma.fields.String()
    rail = ma.fields.String()
    holder = ma.fields.String()
    country = ma.fields.String()
    iban_last4 = ma.fields.String(allow_none=True)
    created_at = MomentField()


class StageDraft(Schema):
    """A stage entered on a day."""

    stage = ma.fields.String(required=True, validate=ma.validate.OneOf(STAGES))
    on = DateField(required=True)
    note = Text(most=500, least=0, load_default="")


class StageSchema(Schema):
    """A stage of the on-ramp."""

    stage = ma.fields.String()
    entered_on = DateField()
    note = ma.fields.String()


class LetterSchema(Schema):
    """A pre-commitment letter: a company's promise to retain the junior's future firm."""

    id = ma.fields.String(dump_only=True)
    company = Text(required=True)
    amount = MoneyField(required=True, metadata={"description": "A month."})
    term_months = Whole(required=True, least=1, most=120)
    signed_on = DateField(required=True)
    expires_on = DateField(required=True)
    condition = Text(most=500, least=0, load_default="")
    withdrawn_on = DateField(dump_only=True, allow_none=True)


class RunwaySchema(Schema):
    """How the junior lives until the new firm earns."""

    months_covered = Whole(required=True, least=0, most=60)
    text = Text(required=True, most=10_000)


class CriterionSchema(Schema):
    """A line of the readiness list."""

    name = ma.fields.String()
    met = ma.fields.Boolean()
    explanation = ma.fields.String()


class OnrampSchema(Schema):
    """Where a maintainer stands on the on-ramp today."""

    maintainer_id = ma.fields.String()
    stage = ma.fields.String(allow_none=True)
    ready = ma.fields.Boolean()
    stages = ma.fields.List(ma.fields.Nested(StageSchema))
    letters = ma.fields.List(ma.fields.Nested(LetterSchema))
    criteria = ma.fields.List(ma.fields.Nested(CriterionSchema))


@blueprint.route("/maintainers", methods=["GET"])
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(MaintainerSchema))
def listed(query: dict[str, Any]) -> Any:
    """List maintainers."""
    with reading() as session:
        return page(query, MaintainerSchema(), lambda after, limit: queries.page(session, after=after, limit=limit))


@blueprint.route("/maintainers", methods=["POST"])
@blueprint.arguments(MaintainerDraft)
@blueprint.response(201, MaintainerSchema)
def added(body: dict[str, Any]) -> Any:
    """Add a maintainer."""
    return operations.add(**body, by=current_actor(), now=now())


@blueprint.route("/maintainers/<key>", methods=["GET"])
@blueprint.response(200, MaintainerSchema)
def shown(key: str) -> Any:
    """Show a maintainer, by id or name; maintainers see themselves."""
    with reading() as session:
        maintainer = queries.find(session, _visible(key))
        own(maintainer.id)
        return maintainer


@blueprint.route("/maintainers/<key>/aliases", methods=["POST"])
@blueprint.arguments(AliasDraft)
@blueprint.response(201, AliasesSchema)
def alias_added(body: dict[str, Any], key: str) -> Any:
    """Add a name or an address under which a maintainer appears."""
    return {"aliases": operations.add_alias(key, **body, by=current_actor(), now=now())}


@blueprint.route("/maintainers/<key>/destination", methods=["POST"])
@blueprint.arguments(DestinationDraft)
@blueprint.response(201, DestinationSchema)
def destination_set(body: dict[str, Any], key: str) -> Any:
    """Set where a maintainer's pay goes."""
    return destinations.set_destination(
        key, **body, rails=parts().rails, keys=parts().keys, by=current_actor(), now=now()
    )


@blueprint.route("/maintainers/<key>/on-ramp", methods=["GET"])
@blueprint.response(200, OnrampSchema)
def onramp_shown(key: str) -> Any:
    """Show stages, letters and the readiness list of today."""
    with reading() as session:
        maintainer = queries.find(session, _visible(key))
        own(maintainer.id)
        today = now().astimezone(profiles.current(session).zone).date()
        return onramps.onramp(session, maintainer.id, on=today)


@blueprint.route("/maintainers/<key>/on-ramp/stages", methods=["POST"])
@blueprint.arguments(StageDraft)
@blueprint.response(201, StageSchema)
def stage_entered(body: dict[str, Any], key: str) -> Any:
    """Enter the next stage."""
    return onramp.enter_stage(key, body["stage"], on=body["on"], note=body["note"], by=current_actor(), now=now())


@blueprint.route("/maintainers/<key>/on-ramp/letters", methods=["POST"])
@blueprint.arguments(LetterSchema)
@blueprint.response(201, LetterSchema)
def letter_recorded(body: dict[str, Any], key: str) -> Any:
    """Record a signed pre-commitment letter."""
    return onramp.record_letter(key, **body, by=current_actor(), now=now())


@blueprint.route("/pre-commitment-letters/<letter_id>/withdrawal", methods=["POST"])
@blueprint.arguments(Schema.from_dict({"on": DateField(required=True)}, name="Withdrawal"))
@blueprint.response(201, LetterSchema)
def letter_withdrawn(body: dict[str, Any], letter_id: str) -> Any:
    """Record that a company withdrew its letter."""
    return onramp.withdraw_letter(letter_id, on=body["on"], by=current_actor(), now=now())


@blueprint.route("/maintainers/<key>/on-ramp/runway", methods=["POST"])
@blueprint.arguments(RunwaySchema)
@blueprint.response(201, RunwaySchema)
def runway_recorded(body: dict[str, Any], key: str) -> Any:
    """Record the runway plan."""
    return onramp.record_runway(key, **body, by=current_actor(), now=now())


def _visible(key: str) -> str:
    """Maintainers reach themselves by id only, so that a name tells them nothing about who else is there."""
    actor = current_actor()
    return own(key) if actor.role is Role.MAINTAINER else key
