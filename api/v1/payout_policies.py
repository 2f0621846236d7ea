"""The policy of paying: the least that is worth a payment, and how many people approve what."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import MomentField, MoneyField, Schema
from api.paging import PageQuery, page, page_schema
from firm.db import reading
from firm.money import Money
from payouts.runs import policies

blueprint = Blueprint("payout_policies", __name__, description="What the firm has laid down for its payout runs")


class NewPayoutPolicy(Schema):
    """What holds from the next run on; large is what a window's runs come to together."""

    minimum = MoneyField(required=True, metadata={"description": "Less is carried over to a later run."})
    approvals = ma.fields.Integer(strict=True, load_default=1, validate=ma.validate.Range(1, 9))
    large_above = MoneyField(load_default=None, allow_none=True)
    approvals_when_large = ma.fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=ma.validate.Range(1, 9)
    )
    window_days = ma.fields.Integer(strict=True, load_default=30, validate=ma.validate.Range(1, 366))


class PayoutPolicySchema(Schema):
    """A policy as it was laid down."""

    id = ma.fields.String()
    currency = ma.fields.String()
    minimum = MoneyField()
    approvals = ma.fields.Integer()
    large_above = MoneyField(allow_none=True)
    approvals_when_large = ma.fields.Integer()
    window_days = ma.fields.Integer()
    set_by = ma.fields.String()
    set_at = MomentField()

    @ma.pre_dump
    def _with_money(self, row: Any, **_: Any) -> dict[str, Any]:
        facts = {name: getattr(row, name) for name in self.fields if hasattr(row, name)}
        large = row.large_above_minor
        return facts | {
            "minimum": Money(row.minimum_minor, row.currency),
            "large_above": None if large is None else Money(large, row.currency),
        }


@blueprint.route("/payout-policies", methods=["GET"])
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(PayoutPolicySchema))
def listed(query: dict[str, Any]) -> Any:
    """List the policies that were laid down; the newest of a currency is in force."""
    with reading() as session:
        return page(
            query,
            PayoutPolicySchema(),
            lambda part: policies.page(session, part),
        )


@blueprint.route("/payout-policies/<policy_id>", methods=["GET"])
@blueprint.response(200, PayoutPolicySchema)
def shown(policy_id: str) -> Any:
    """Show a policy as it was laid down, in force or not any more."""
    with reading() as session:
        return policies.find(session, policy_id)


@blueprint.route("/payout-policies", methods=["POST"])
@blueprint.arguments(NewPayoutPolicy)
@blueprint.response(201, PayoutPolicySchema)
def laid_down(body: dict[str, Any]) -> Any:
    """Lay down the policy of runs in a currency, from the next run on."""
    return policies.lay_down(**body, by=current_actor(), now=now())
