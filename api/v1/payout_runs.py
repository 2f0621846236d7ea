"""Payout runs."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response

from api import operations
from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import MomentField, MoneyField, Schema, Text
from api.paging import PageQuery, page, page_schema
from api.parts import parts
from api.shapes import whole_run
from api.v1.operations import OperationSchema
from api.v1.payouts import ProvenPayoutSchema
from firm import clock
from firm.db import reading
from payouts.runs import approvals, files, preparation, queries, sending
from payouts.runs.model import RUN_STATES

blueprint = Blueprint("payout_runs", __name__, description="Paying what the books say the firm owes")


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
    approvals_needed = ma.fields.Integer(metadata={"description": "How many different people approve it."})
    digest = ma.fields.String(allow_none=True, metadata={"description": "What an approval is bound to."})


class ApprovalSchema(Schema):
    """One person's approval; void once the run was opened again."""

    approved_by = ma.fields.String()
    approved_at = MomentField()
    digest = ma.fields.String()
    sole = ma.fields.Boolean(metadata={"description": "Given by whoever prepared the run, which the firm allowed."})
    voided_at = MomentField(allow_none=True)
    void_reason = ma.fields.String(allow_none=True)


class LeftOutSchema(Schema):
    """Somebody with money payable whom the run cannot pay."""

    maintainer_id = ma.fields.String()
    name = ma.fields.String()
    payable = MoneyField()
    reason = ma.fields.String()


class WholeRunSchema(RunSchema):
    """A payout run with its payouts and their proofs, and who has approved it."""

    payouts = ma.fields.List(ma.fields.Nested(ProvenPayoutSchema))
    approvals = ma.fields.List(ma.fields.Nested(ApprovalSchema))
    left_out = ma.fields.List(ma.fields.Nested(LeftOutSchema))


class Reopening(Schema):
    """Why a proposed run becomes a draft again."""

    reason = Text(required=True, most=400)


class RunQuery(PageQuery):
    """Filters of the list of payout runs."""

    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(RUN_STATES))


@blueprint.route("/payout-runs", methods=["GET"])
@blueprint.arguments(RunQuery, location="query")
@blueprint.response(200, page_schema(RunSchema))
def listed(query: dict[str, Any]) -> Any:
    """List payout runs."""
    with reading() as session:
        return page(
            query,
            RunSchema(),
            lambda part: queries.page(session, part, state=query["state"]),
        )


@blueprint.route("/payout-runs", methods=["POST"])
@blueprint.response(201, WholeRunSchema)
def drafted() -> Any:
    """Draft a run of everything payable."""
    found = preparation.draft(rails=parts().rails, by=current_actor(), now=now())
    return whole_run(found.run, found.payouts, left_out=found.left_out)


@blueprint.route("/payout-runs/<key>", methods=["GET"])
@blueprint.response(200, WholeRunSchema)
def shown(key: str) -> Any:
    """Show a run with its payouts, by id or number."""
    return whole_run(*sending.run_with_payouts(key))


@blueprint.route("/payout-runs/<key>/proposal", methods=["POST"])
@blueprint.response(201, RunSchema)
def proposed(key: str) -> Any:
    """Propose a draft for approval."""
    return approvals.propose(key, by=current_actor(), now=now())


@blueprint.route("/payout-runs/<key>/approval", methods=["POST"])
@blueprint.response(201, RunSchema)
def approved(key: str) -> Any:
    """Approve a proposed run; the last approval it takes reserves its money in the books."""
    return approvals.approve(key, by=current_actor(), now=now())


@blueprint.route("/payout-runs/<key>/reopening", methods=["POST"])
@blueprint.arguments(Reopening)
@blueprint.response(201, RunSchema)
def reopened(body: dict[str, Any], key: str) -> Any:
    """Make a proposed run a draft again; the approvals it has are void."""
    return approvals.take_back(key, reason=body["reason"], by=current_actor(), now=now())


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
    sending.send(key, rails=parts().rails, keys=parts().keys, by=current_actor(), now=now(), clock=clock.now)
    return whole_run(*sending.run_with_payouts(key))


@blueprint.route("/payout-runs/<key>/files/<rail>", methods=["GET"])
@blueprint.response(200, content_type="application/xml")
def file(key: str, rail: str) -> Any:
    """Download the file to take to the bank; the same bytes each time, and each download is audited."""
    content = files.file_of(key, rail, keys=parts().keys, by=current_actor(), now=now())
    response = Response(content, content_type="application/xml; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{rail}.xml"'
    return response
