"""Pay terms."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from api.auth import current_actor, now, own
from api.blueprints import Blueprint
from api.fields import MomentField, MoneyField, MonthField, Schema, Text, Whole
from api.filters import MaintainerQuery, maintainer_id_of
from api.paging import page, page_schema
from firm.db import reading
from firm.money import BASIS, Money
from payouts.terms import operations as terms
from payouts.terms import queries as found_terms
from payouts.terms.model import FEES_BORNE_BY, PayTerms
from payouts.terms.operations import Proposal

blueprint = Blueprint("pay_terms", __name__, description="One maintainer's dated terms")
FIRST_MONTH_OFF = "The first month in which they no longer hold; null without an end."


class TermsParts(Schema):
    """What terms consist of; packages by id or name, rates in basis points."""

    until_month = MonthField(load_default=None, allow_none=True, metadata={"description": FIRST_MONTH_OFF})
    guarantee = MoneyField(load_default=None, allow_none=True)
    growth_bp = Whole(least=0, most=BASIS, load_default=0)
    baseline = MoneyField(load_default=None, allow_none=True)
    cap = MoneyField(load_default=None, allow_none=True)
    fund_shares = ma.fields.Dict(keys=Text(), values=Whole(least=1, most=BASIS), load_default=dict)
    fixed_fees = ma.fields.Dict(keys=Text(), values=MoneyField(), load_default=dict)
    recovery_bp = Whole(
        least=0, most=BASIS, load_default=0, metadata={"description": "Of a month's earnings, to recover advances."}
    )
    recovery = MoneyField(
        load_default=None, allow_none=True, metadata={"description": "Or a fixed amount a month to recover advances."}
    )
    fees_borne_by = ma.fields.String(validate=ma.validate.OneOf(FEES_BORNE_BY), load_default="firm")


class TermsDraft(TermsParts):
    """Pay terms to set; packages by id or name, rates in basis points."""

    maintainer = Text(required=True)
    from_month = MonthField(required=True)


class TermsCorrection(TermsParts):
    """The terms as they should have been, whole, and what was wrong."""

    reason = Text(required=True, most=400, metadata={"description": "What was wrong; the maintainer may read it."})


class TermsSchema(Schema):
    """Pay terms as they stand; packages by id."""

    id = ma.fields.String()
    maintainer_id = ma.fields.String()
    from_month = MonthField()
    until_month = MonthField(allow_none=True, metadata={"description": FIRST_MONTH_OFF})
    guarantee = MoneyField()
    growth_bp = ma.fields.Integer()
    baseline = MoneyField()
    cap = MoneyField(allow_none=True)
    fund_shares = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    fixed_fees = ma.fields.Dict(keys=ma.fields.String(), values=MoneyField())
    recovery_bp = ma.fields.Integer()
    recovery = MoneyField(allow_none=True)
    fees_borne_by = ma.fields.String(validate=ma.validate.OneOf(FEES_BORNE_BY))
    corrects_id = ma.fields.String(allow_none=True, metadata={"description": "The terms that these replace."})
    reason = ma.fields.String(allow_none=True, metadata={"description": "What was wrong with those."})
    superseded_at = MomentField(allow_none=True, metadata={"description": "When others replaced these."})


@blueprint.route("/pay-terms", methods=["GET"])
@blueprint.arguments(MaintainerQuery, location="query")
@blueprint.response(200, page_schema(TermsSchema))
def listed(query: dict[str, Any]) -> Any:
    """List pay terms; maintainers see their own."""
    with reading() as session:
        maintainer_id = maintainer_id_of(session, query)
        return page(
            query,
            TermsSchema(),
            lambda part: [_whole(session, row) for row in found_terms.page(session, part, maintainer_id=maintainer_id)],
            key=lambda row: str(row["id"]),
        )


@blueprint.route("/pay-terms", methods=["POST"])
@blueprint.arguments(TermsDraft)
@blueprint.response(201, TermsSchema)
def set_(body: dict[str, Any]) -> Any:
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
def shown(terms_id: str) -> Any:
    """Show pay terms."""
    with reading() as session:
        row = found_terms.find(session, terms_id)
        own(row.maintainer_id)
        return _whole(session, row)


@blueprint.route("/pay-terms/<terms_id>/correction", methods=["POST"])
@blueprint.arguments(TermsCorrection)
@blueprint.response(201, TermsSchema)
def corrected(body: dict[str, Any], terms_id: str) -> Any:
    """Replace pay terms that were written down wrongly, while their first month is open; the answer is the new ones."""
    until_month, reason = body.pop("until_month"), body.pop("reason")
    row = terms.correct(
        terms_id, Proposal(**body), until_month=until_month, reason=reason, by=current_actor(), now=now()
    )
    with reading() as session:
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
        "recovery_bp": row.recovery_bp,
        "recovery": None if row.recovery_minor is None else Money(row.recovery_minor, row.currency),
        "fees_borne_by": row.fees_borne_by,
        "corrects_id": row.corrects_id,
        "reason": row.reason,
        "superseded_at": row.superseded_at,
    }
