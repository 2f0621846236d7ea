"""Assignments and pay terms."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from api.auth import current_actor, now, own, own_or_none
from api.blueprints import Blueprint
from api.fields import DateField, Flag, MoneyField, MonthField, Schema, Text, Whole
from api.paging import PageQuery, page, page_schema
from api.v1.engagements import Ending
from firm.actor import Role
from firm.db import reading
from firm.money import BASIS, Money
from payouts.terms import operations as terms
from payouts.terms import queries as found_terms
from payouts.terms.model import PayTerms
from payouts.terms.operations import Proposal
from staffing.assignments import operations, queries
from staffing.assignments.model import ROLES

blueprint = Blueprint("assignments", __name__, description="Who works on what, and under which terms")


class AssignmentSchema(Schema):
    """A maintainer on a package."""

    id = ma.fields.String()
    maintainer_id = ma.fields.String()
    package_id = ma.fields.String()
    role = ma.fields.String()
    share_bp = ma.fields.Integer()
    paid = ma.fields.Boolean()
    from_on = DateField()
    until_on = DateField(allow_none=True)
    override_reason = ma.fields.String(allow_none=True)


class AssignmentDraft(Schema):
    """An assignment to make; maintainer and package by id or name."""

    maintainer = Text(required=True)
    package = Text(required=True)
    role = ma.fields.String(required=True, validate=ma.validate.OneOf(ROLES))
    share_bp = Whole(required=True, least=0, most=BASIS, metadata={"description": "Share of time in basis points."})
    from_on = DateField(required=True)
    until_on = DateField(load_default=None, allow_none=True)
    paid = Flag(load_default=True)
    override_reason = Text(
        most=500, load_default=None, allow_none=True, metadata={"description": "Why the funding gate is overridden."}
    )


class TermsDraft(Schema):
    """Pay terms to set; packages by id or name, rates in basis points."""

    maintainer = Text(required=True)
    from_month = MonthField(required=True)
    until_month = MonthField(load_default=None, allow_none=True)
    guarantee = MoneyField(load_default=None, allow_none=True)
    growth_bp = Whole(least=0, most=BASIS, load_default=0)
    baseline = MoneyField(load_default=None, allow_none=True)
    cap = MoneyField(load_default=None, allow_none=True)
    fund_shares = ma.fields.Dict(keys=Text(), values=Whole(least=1, most=BASIS), load_default=dict)
    fixed_fees = ma.fields.Dict(keys=Text(), values=MoneyField(), load_default=dict)


class TermsSchema(Schema):
    """Pay terms as they stand; packages by id."""

    id = ma.fields.String()
    maintainer_id = ma.fields.String()
    from_month = MonthField()
    until_month = MonthField(allow_none=True)
    guarantee = MoneyField()
    growth_bp = ma.fields.Integer()
    baseline = MoneyField()
    cap = MoneyField(allow_none=True)
    fund_shares = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    fixed_fees = ma.fields.Dict(keys=ma.fields.String(), values=MoneyField())


@blueprint.route("/assignments", methods=["GET"])
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(AssignmentSchema))
def listed(query: dict[str, Any]) -> Any:
    """List assignments; maintainers see their own."""
    maintainer_id = own_or_none(Role.MAINTAINER)
    with reading() as session:
        return page(
            query,
            AssignmentSchema(),
            lambda after, limit: queries.page(session, maintainer_id=maintainer_id, after=after, limit=limit),
        )


@blueprint.route("/assignments", methods=["POST"])
@blueprint.arguments(AssignmentDraft)
@blueprint.response(201, AssignmentSchema)
def made(body: dict[str, Any]) -> Any:
    """Assign a maintainer to a package."""
    return operations.assign(**body, by=current_actor(), now=now())


@blueprint.route("/assignments/<assignment_id>/ending", methods=["POST"])
@blueprint.arguments(Ending)
@blueprint.response(201, AssignmentSchema)
def ended(body: dict[str, Any], assignment_id: str) -> Any:
    """End an assignment."""
    return operations.end(assignment_id, on=body["on"], by=current_actor(), now=now())


@blueprint.route("/pay-terms", methods=["GET"])
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(TermsSchema))
def terms_listed(query: dict[str, Any]) -> Any:
    """List pay terms; maintainers see their own."""
    maintainer_id = own_or_none(Role.MAINTAINER)
    with reading() as session:
        return page(
            query,
            TermsSchema(),
            lambda after, limit: [
                _whole(session, row)
                for row in found_terms.page(session, maintainer_id=maintainer_id, after=after, limit=limit)
            ],
            key=lambda row: str(row["id"]),
        )


@blueprint.route("/pay-terms", methods=["POST"])
@blueprint.arguments(TermsDraft)
@blueprint.response(201, TermsSchema)
def terms_set(body: dict[str, Any]) -> Any:
    """Set a maintainer's pay terms from a month on."""
    maintainer, from_month, until_month = (body.pop(name) for name in ("maintainer", "from_month", "until_month"))
    row = terms.set_terms(
        maintainer,
        Proposal(**body),
        from_month=from_month,
        until_month=until_month,
        by=current_actor(),
        now=now(),
    )
    with reading() as session:
        return _whole(session, row)


@blueprint.route("/pay-terms/<terms_id>", methods=["GET"])
@blueprint.response(200, TermsSchema)
def terms_shown(terms_id: str) -> Any:
    """Show pay terms."""
    with reading() as session:
        row = found_terms.find(session, terms_id)
        own(row.maintainer_id)
        return _whole(session, row)


def _whole(session: Session, row: PayTerms) -> dict[str, Any]:
    fees = found_terms.fees_of(session, row.id)
    return {
        "id": row.id,
        "maintainer_id": row.maintainer_id,
        "from_month": row.from_month,
        "until_month": row.until_month,
        "guarantee": Money(row.guarantee_minor, row.currency),
        "growth_bp": row.growth_bp,
        "baseline": Money(row.baseline_minor, row.currency),
        "cap": None if row.cap_minor is None else Money(row.cap_minor, row.currency),
        "fund_shares": found_terms.shares_of(session, row.id),
        "fixed_fees": {package_id: Money(minor, row.currency) for package_id, minor in fees.items()},
    }
