"""The on-ramp: stages, letters, the runway and the readiness list."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now, own
from api.blueprints import Blueprint
from api.fields import DateField, MoneyField, Schema, Text, Whole
from api.v1.maintainers import visible
from firm.db import reading
from firm.profile import operations as profiles
from staffing.maintainers import queries
from staffing.onramp import operations as onramp
from staffing.onramp import queries as onramps
from staffing.onramp.model import STAGES

blueprint = Blueprint("on_ramps", __name__, description="The way from junior to an own firm")


class StageDraft(Schema):
    """A stage entered on a day."""

    stage = ma.fields.String(required=True, validate=ma.validate.OneOf(STAGES))
    on = DateField(required=True)
    note = Text(most=500, least=0, load_default="")


class StageSchema(Schema):
    """A stage of the on-ramp."""

    stage = ma.fields.String(validate=ma.validate.OneOf(STAGES))
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
    stage = ma.fields.String(allow_none=True, validate=ma.validate.OneOf(STAGES))
    ready = ma.fields.Boolean()
    stages = ma.fields.List(ma.fields.Nested(StageSchema))
    letters = ma.fields.List(ma.fields.Nested(LetterSchema))
    criteria = ma.fields.List(ma.fields.Nested(CriterionSchema))


@blueprint.route("/maintainers/<key>/on-ramp", methods=["GET"])
@blueprint.response(200, OnrampSchema)
def shown(key: str) -> Any:
    """Show stages, letters and the readiness list of today."""
    with reading() as session:
        maintainer = queries.find(session, visible(key))
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


@blueprint.route("/pre-commitment-letters/<letter_id>", methods=["GET"])
@blueprint.response(200, LetterSchema)
def letter_shown(letter_id: str) -> Any:
    """Show a pre-commitment letter."""
    with reading() as session:
        letter = onramps.find_letter(session, letter_id)
        own(letter.maintainer_id)
        return letter


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
