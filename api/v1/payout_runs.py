"""Payout runs and payouts."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response

from api import operations
from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import DateField, MomentField, MoneyField, Schema, Text
from api.paging import PageQuery, page, page_schema
from api.parts import parts
from api.shapes import whole_run
from api.v1.operations import OperationSchema
from firm.db import reading
from payouts.runs import files, preparation, queries, sending
from payouts.runs.model import PAYOUT_STATES, RUN_STATES

blueprint = Blueprint("payout_runs", __name__, description="Paying what the books say the firm owes")


class PayoutSchema(Schema):
    """One payment to one maintainer."""

    id = ma.fields.String()
    maintainer_id = ma.fields.String()
    payee_name = ma.fields.String()
    rail = ma.fields.String()
    amount = MoneyField()
    state = ma.fields.String(validate=ma.validate.OneOf(PAYOUT_STATES))
    reference = ma.fields.String(allow_none=True)
    reason = ma.fields.String(allow_none=True)
    settled_on = DateField(allow_none=True)


class RunSchema(Schema):
    """A payout run without its payouts."""

    id = ma.fields.String()
    number = ma.fields.String()
    currency = ma.fields.String()
    state = ma.fields.String(validate=ma.validate.OneOf(RUN_STATES))
    prepared_by = ma.fields.String()
    prepared_at = MomentField()
    proposed_by = ma.fields.String(allow_none=True)
    approved_by = ma.fields.String(allow_none=True)
    approved_at = MomentField(allow_none=True)
    digest = ma.fields.String(allow_none=True, metadata={"description": "What the approval is bound to."})


class LeftOutSchema(Schema):
    """Somebody with money payable whom the run cannot pay."""

    maintainer_id = ma.fields.String()
    payable = MoneyField()
    reason = ma.fields.String()


class WholeRunSchema(RunSchema):
    """A payout run with its payouts."""

    payouts = ma.fields.List(ma.fields.Nested(PayoutSchema))
    left_out = ma.fields.List(ma.fields.Nested(LeftOutSchema))


class Settlement(Schema):
    """The bank's reference, and the day the money left."""

    reference = Text(required=True, most=100)
    on = DateField(required=True)


class Return(Schema):
    """Why and when a payment came back."""

    reason = Text(required=True, most=400)
    on = DateField(required=True)


@blueprint.route("/payout-runs", methods=["GET"])
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(RunSchema))
def listed(query: dict[str, Any]) -> Any:
    """List payout runs."""
    with reading() as session:
        return page(query, RunSchema(), lambda after, limit: queries.page(session, after=after, limit=limit))


@blueprint.route("/payout-runs", methods=["POST"])
@blueprint.response(201, WholeRunSchema)
def drafted() -> Any:
    """Draft a run of everything payable."""
    found = preparation.draft(rails=parts().rails, by=current_actor(), now=now())
    return whole_run(found.run, found.payouts, found.left_out)


@blueprint.route("/payout-runs/<key>", methods=["GET"])
@blueprint.response(200, WholeRunSchema)
def shown(key: str) -> Any:
    """Show a run with its payouts, by id or number."""
    return whole_run(*sending.run_with_payouts(key))


@blueprint.route("/payout-runs/<key>/proposal", methods=["POST"])
@blueprint.response(201, RunSchema)
def proposed(key: str) -> Any:
    """Propose a draft for approval."""
    return preparation.propose(key, by=current_actor(), now=now())


@blueprint.route("/payout-runs/<key>/approval", methods=["POST"])
@blueprint.response(201, RunSchema)
def approved(key: str) -> Any:
    """Approve a proposed run; its money is reserved in the books."""
    return preparation.approve(key, by=current_actor(), now=now())


@blueprint.route("/payout-runs/<key>/cancellation", methods=["POST"])
@blueprint.response(201, RunSchema)
def canceled(key: str) -> Any:
    """Cancel a run that is not approved yet."""
    return preparation.cancel(key, by=current_actor(), now=now())


@blueprint.route("/payout-runs/<key>/release", methods=["POST"])
@blueprint.response(201, WholeRunSchema)
@blueprint.alt_response(202, schema=OperationSchema)
@blueprint.doc(parameters=[operations.PREFER])
def released(key: str) -> Any:
    """Send an approved run over its rails; to finish an interrupted release, release again.

    With `Prefer: respond-async` the sending is an operation: 202.
    """
    if operations.is_preferred():
        return operations.accept("payout-runs.release", {"run_id": sending.refuse_unapproved(key).id})
    sending.send(key, rails=parts().rails, keys=parts().keys, by=current_actor(), now=now())
    return whole_run(*sending.run_with_payouts(key))


@blueprint.route("/payout-runs/<key>/files/<rail>", methods=["GET"])
@blueprint.response(200, content_type="application/xml")
def file(key: str, rail: str) -> Any:
    """Download the file to take to the bank; the same bytes each time, and each download is audited."""
    content = files.file_of(key, rail, keys=parts().keys, by=current_actor(), now=now())
    response = Response(content, content_type="application/xml; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{rail}.xml"'
    return response


@blueprint.route("/payouts/<payout_id>/settlement", methods=["POST"])
@blueprint.arguments(Settlement)
@blueprint.response(201, PayoutSchema)
def settled(body: dict[str, Any], payout_id: str) -> Any:
    """Enter the proof that a payout left the bank."""
    return sending.settle(payout_id, **body, by=current_actor(), now=now())


@blueprint.route("/payouts/<payout_id>/return", methods=["POST"])
@blueprint.arguments(Return)
@blueprint.response(201, PayoutSchema)
def given_back(body: dict[str, Any], payout_id: str) -> Any:
    """Enter that a payment came back: the money is payable again."""
    return sending.give_back(payout_id, **body, by=current_actor(), now=now())
