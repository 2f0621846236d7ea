"""Payouts: one payment to one maintainer, what was tried, and what became of it."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import DateField, MomentField, MoneyField, Schema, Text
from api.filters import MaintainerQuery, maintainer_id_of
from api.paging import page, page_schema
from api.parts import parts
from api.shapes import with_proofs
from firm.db import reading
from payouts.proofs.model import KINDS
from payouts.runs import preparation, queries, settling
from payouts.runs.model import ATTEMPT_STATES, PAYOUT_STATES

blueprint = Blueprint("payouts", __name__, description="Payments to maintainers, one by one")


class PayoutSchema(Schema):
    """One payment to one maintainer."""

    id = ma.fields.String()
    run_id = ma.fields.String()
    maintainer_id = ma.fields.String()
    payee_name = ma.fields.String()
    rail = ma.fields.String()
    amount = MoneyField()
    state = ma.fields.String(validate=ma.validate.OneOf(PAYOUT_STATES))
    reference = ma.fields.String(allow_none=True)
    reason = ma.fields.String(allow_none=True)
    settled_on = DateField(allow_none=True)


class PayoutProofSchema(Schema):
    """The newest document that shows a payment was made; its bytes are at the payout's `proof/document`."""

    id = ma.fields.String()
    version = ma.fields.Integer()
    content_type = ma.fields.String(validate=ma.validate.OneOf(KINDS))
    added_at = MomentField()


class ProvenPayoutSchema(PayoutSchema):
    """A payout with its proof, where somebody has added one."""

    proof = ma.fields.Nested(PayoutProofSchema, allow_none=True)


class PayoutAttemptSchema(Schema):
    """One try to send a payout, under a key of its own."""

    number = ma.fields.Integer()
    key = ma.fields.String()
    state = ma.fields.String(validate=ma.validate.OneOf(ATTEMPT_STATES))
    started_at = MomentField()
    finished_at = MomentField(allow_none=True)
    detail = ma.fields.String(allow_none=True)
    clean_looks = ma.fields.Integer(metadata={"description": "Look-ups at the provider that found nothing."})
    looked_at = MomentField(allow_none=True)


class PayoutReversalSchema(Schema):
    """Money of a payout that the provider took back."""

    reference = ma.fields.String()
    amount = MoneyField()
    reversed_on = DateField()


class WholePayoutSchema(ProvenPayoutSchema):
    """A payout with its proof, every try to send it, and what came back."""

    booked_on = DateField(
        allow_none=True,
        metadata={"description": "The day in the books: after `settled_on`, the bank's, where that month was closed."},
    )
    paid_from = ma.fields.String(allow_none=True, metadata={"description": "The account in the books that paid it."})
    attempts = ma.fields.List(ma.fields.Nested(PayoutAttemptSchema))
    reversals = ma.fields.List(ma.fields.Nested(PayoutReversalSchema))


class PayoutQuery(MaintainerQuery):
    """Filters of the list of payouts."""

    run = Text(load_default=None, metadata={"description": "Id or number."})
    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(PAYOUT_STATES))
    rail = Text(most=20, load_default=None, metadata={"examples": ["sepa"]})


class Settlement(Schema):
    """The bank's reference, and the day the money left."""

    reference = Text(required=True, most=100)
    on = DateField(required=True)


class Return(Schema):
    """Why and when a payment came back."""

    reason = Text(required=True, most=400)
    on = DateField(required=True)


class Because(Schema):
    """The reason, which the payee may read."""

    reason = Text(required=True, most=400)


@blueprint.route("/payouts", methods=["GET"])
@blueprint.arguments(PayoutQuery, location="query")
@blueprint.response(200, page_schema(PayoutSchema))
def listed(query: dict[str, Any]) -> Any:
    """List payouts of all runs."""
    with reading() as session:
        run_id = queries.find(session, query["run"]).id if query["run"] else None
        wanted = {"run_id": run_id, "maintainer_id": maintainer_id_of(session, query)}
        wanted |= {name: query[name] for name in ("state", "rail")}
        return page(query, PayoutSchema(), lambda part: queries.payouts_page(session, part, **wanted))


@blueprint.route("/payouts/<payout_id>", methods=["GET"])
@blueprint.response(200, WholePayoutSchema)
def shown(payout_id: str) -> Any:
    """Show a payout with its proof and every try to send it."""
    with reading() as session:
        found = queries.find_payout(session, payout_id)
        tries, back = queries.attempts_of(session, payout_id), queries.reversals_of(session, payout_id)
        booked_on = queries.booked_on(session, found)
    [proven] = with_proofs([found])
    return proven | {"booked_on": booked_on, "attempts": tries, "reversals": back}


@blueprint.route("/payouts/<payout_id>/hold", methods=["POST"])
@blueprint.arguments(Because)
@blueprint.response(201, PayoutSchema)
def held(body: dict[str, Any], payout_id: str) -> Any:
    """Hold a payout of a run that is not approved yet; a proposed run becomes a draft again."""
    return preparation.hold(payout_id, reason=body["reason"], by=current_actor(), now=now())


@blueprint.route("/payouts/<payout_id>/resumption", methods=["POST"])
@blueprint.response(201, PayoutSchema)
def resumed(payout_id: str) -> Any:
    """Plan a held payout again, once nothing holds it any more."""
    return preparation.take_up(payout_id, rails=parts().rails, by=current_actor(), now=now())


@blueprint.route("/payouts/<payout_id>/withdrawal", methods=["POST"])
@blueprint.arguments(Because)
@blueprint.response(201, PayoutSchema)
def withdrawn(body: dict[str, Any], payout_id: str) -> Any:
    """Take an approved payout back of which nothing was sent: the money is payable again."""
    return settling.withdraw(payout_id, reason=body["reason"], by=current_actor(), now=now())


@blueprint.route("/payouts/<payout_id>/settlement", methods=["POST"])
@blueprint.arguments(Settlement)
@blueprint.response(201, PayoutSchema)
def settled(body: dict[str, Any], payout_id: str) -> Any:
    """Enter the proof that a payout left the bank."""
    return settling.settle(payout_id, **body, by=current_actor(), now=now())


@blueprint.route("/payouts/<payout_id>/return", methods=["POST"])
@blueprint.arguments(Return)
@blueprint.response(201, PayoutSchema)
def given_back(body: dict[str, Any], payout_id: str) -> Any:
    """Enter that a payment came back: the money is payable again."""
    return settling.give_back(payout_id, **body, by=current_actor(), now=now())
