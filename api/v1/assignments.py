"""Assignments."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now, own
from api.blueprints import Blueprint
from api.fields import DateField, Flag, Schema, Text, Whole
from api.filters import BY_ID_OR_NAME, MaintainerQuery, maintainer_id_of, package_id_of
from api.paging import page, page_schema
from api.v1.engagements import Ending
from firm.db import reading
from firm.money import BASIS
from staffing.assignments import operations, queries
from staffing.assignments.model import ROLES

blueprint = Blueprint("assignments", __name__, description="Who works on what")
FIRST_DAY_OFF = "The first day on which it no longer holds; null without an end."


class AssignmentSchema(Schema):
    """A maintainer on a package."""

    id = ma.fields.String()
    maintainer_id = ma.fields.String()
    package_id = ma.fields.String()
    role = ma.fields.String(validate=ma.validate.OneOf(ROLES))
    share_bp = ma.fields.Integer()
    paid = ma.fields.Boolean()
    from_on = DateField()
    until_on = DateField(allow_none=True, metadata={"description": FIRST_DAY_OFF})
    override_reason = ma.fields.String(allow_none=True)


class AssignmentDraft(Schema):
    """An assignment to make; maintainer and package by id or name."""

    maintainer = Text(required=True)
    package = Text(required=True)
    role = ma.fields.String(required=True, validate=ma.validate.OneOf(ROLES))
    share_bp = Whole(required=True, least=0, most=BASIS, metadata={"description": "Share of time in basis points."})
    from_on = DateField(required=True)
    until_on = DateField(load_default=None, allow_none=True, metadata={"description": FIRST_DAY_OFF})
    paid = Flag(load_default=True)
    override_reason = Text(
        most=500, load_default=None, allow_none=True, metadata={"description": "Why the funding gate is overridden."}
    )


class AssignmentQuery(MaintainerQuery):
    """Filters of the list of assignments."""

    package = Text(load_default=None, metadata=BY_ID_OR_NAME)
    on = DateField(load_default=None, metadata={"description": "Only those that run on this day."})


@blueprint.route("/assignments", methods=["GET"])
@blueprint.arguments(AssignmentQuery, location="query")
@blueprint.response(200, page_schema(AssignmentSchema))
def listed(query: dict[str, Any]) -> Any:
    """List assignments; maintainers see their own."""
    with reading() as session:
        maintainer_id, package_id = maintainer_id_of(session, query), package_id_of(session, query)
        return page(
            query,
            AssignmentSchema(),
            lambda part: queries.page(
                session, part, maintainer_id=maintainer_id, package_id=package_id, on=query["on"]
            ),
        )


@blueprint.route("/assignments", methods=["POST"])
@blueprint.arguments(AssignmentDraft)
@blueprint.response(201, AssignmentSchema)
def made(body: dict[str, Any]) -> Any:
    """Assign a maintainer to a package."""
    return operations.assign(**body, by=current_actor(), now=now())


@blueprint.route("/assignments/<assignment_id>", methods=["GET"])
@blueprint.response(200, AssignmentSchema)
def shown(assignment_id: str) -> Any:
    """Show an assignment."""
    with reading() as session:
        assignment = queries.find(session, assignment_id)
        own(assignment.maintainer_id)
        return assignment


@blueprint.route("/assignments/<assignment_id>/ending", methods=["POST"])
@blueprint.arguments(Ending)
@blueprint.response(201, AssignmentSchema)
def ended(body: dict[str, Any], assignment_id: str) -> Any:
    """End an assignment."""
    return operations.end(assignment_id, on=body["on"], by=current_actor(), now=now())
