"""Self-billing agreements."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now, own
from api.blueprints import Blueprint
from api.fields import DateField, Lines, MomentField, Schema, Text, Whole
from api.filters import MaintainerQuery, maintainer_id_of
from api.paging import page, page_schema
from firm.db import reading
from firm.money import BASIS
from payouts.self_billing import agreements, queries
from payouts.self_billing.model import PARTIES, TREATMENTS
from payouts.self_billing.rules import Vat

blueprint = Blueprint(
    "self_billing_agreements", __name__, description="A supplier's consent to be billed for by the firm"
)


class AgreementDraft(Schema):
    """A supplier's consent to record."""

    maintainer = Text(required=True)
    consented_on = DateField(required=True)
    from_on = DateField(required=True)
    until_on = DateField(load_default=None, allow_none=True, metadata={"description": "As long as may be without it."})
    series = Text(required=True, most=24, metadata={"description": "The supplier's own series, such as SB-LM-."})
    treatment = ma.fields.String(required=True, validate=ma.validate.OneOf(TREATMENTS))
    rate_bp = Whole(least=1, most=BASIS, load_default=None, allow_none=True)
    exemption = Text(most=300, load_default=None, allow_none=True)
    supplier_vat_id = Text(most=40, load_default=None, allow_none=True)
    supplier_name = Text(load_default=None, allow_none=True)
    supplier_address = ma.fields.List(Text(), load_default=list, validate=ma.validate.Length(max=8))


class AgreementSchema(Schema):
    """An agreement, from a day until another (that day not included)."""

    id = ma.fields.String()
    maintainer_id = ma.fields.String()
    consented_on = DateField()
    from_on = DateField()
    until_on = DateField()
    series = ma.fields.String()
    treatment = ma.fields.String(validate=ma.validate.OneOf(TREATMENTS))
    rate_bp = ma.fields.Integer(allow_none=True)
    exemption = ma.fields.String(allow_none=True)
    supplier_name = ma.fields.String()
    supplier_address = Lines()
    supplier_vat_id = ma.fields.String(allow_none=True)
    ended_on = DateField(allow_none=True)
    ended_by = ma.fields.String(allow_none=True)
    end_reason = ma.fields.String(allow_none=True)
    recorded_at = MomentField()


class AgreementEnding(Schema):
    """Who ends an agreement early, why, and from which day on (today without one)."""

    ended_by = ma.fields.String(required=True, validate=ma.validate.OneOf(PARTIES))
    reason = Text(required=True, most=400)
    on = DateField(load_default=None, allow_none=True)


@blueprint.route("/self-billing-agreements", methods=["GET"])
@blueprint.arguments(MaintainerQuery, location="query")
@blueprint.response(200, page_schema(AgreementSchema))
def listed(query: dict[str, Any]) -> Any:
    """List self-billing agreements; maintainers see their own."""
    with reading() as session:
        maintainer_id = maintainer_id_of(session, query)
        return page(
            query,
            AgreementSchema(),
            lambda part: queries.agreements(session, part, maintainer_id=maintainer_id),
        )


@blueprint.route("/self-billing-agreements", methods=["POST"])
@blueprint.arguments(AgreementDraft)
@blueprint.response(201, AgreementSchema)
def agreed(body: dict[str, Any]) -> Any:
    """Record a supplier's consent to self-billing."""
    vat = Vat(body.pop("treatment"), body.pop("rate_bp"), body.pop("exemption"))
    return agreements.agree(**body, vat=vat, by=current_actor(), now=now())


@blueprint.route("/self-billing-agreements/<agreement_id>", methods=["GET"])
@blueprint.response(200, AgreementSchema)
def shown(agreement_id: str) -> Any:
    """Show a self-billing agreement."""
    with reading() as session:
        found = queries.agreement(session, agreement_id)
        own(found.maintainer_id)
    return found


@blueprint.route("/self-billing-agreements/<agreement_id>/ending", methods=["POST"])
@blueprint.arguments(AgreementEnding)
@blueprint.response(201, AgreementSchema)
def ended(body: dict[str, Any], agreement_id: str) -> Any:
    """End a self-billing agreement early."""
    return agreements.end(agreement_id, **body, by=current_actor(), now=now())
