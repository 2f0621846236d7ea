"""Exchange rates."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import MomentField, MonthField, Schema, Text
from firm.db import reading
from firm.exchange import operations as exchange
from firm.exchange.rules import rate_text
from firm.month import Month

blueprint = Blueprint("exchange_rates", __name__, description="What other currencies are worth in the books'")


class RateSchema(Schema):
    """One currency's rate for one month: units of the books' currency for one of the other."""

    currency = Text(required=True, least=3, most=3)
    month = MonthField(required=True)
    rate = Text(required=True, most=20, metadata={"examples": ["1.0850"]})
    source = Text(required=True, metadata={"description": "Where the rate comes from."})


class RateShown(Schema):
    """A rate as it was entered."""

    currency = ma.fields.String()
    month = MonthField()
    source = ma.fields.String()
    rate = ma.fields.Function(lambda row: rate_text(row.rate), metadata={"type": "string"})
    set_at = MomentField()
    set_by = ma.fields.String()


class RatesSchema(Schema):
    """The rates of a month."""

    rates = ma.fields.List(ma.fields.Nested(RateShown))


@blueprint.route("/months/<month:month>/exchange-rates", methods=["GET"])
@blueprint.response(200, RatesSchema)
def of_month(month: Month) -> Any:
    """List the rates that were entered for a month."""
    with reading() as session:
        return {"rates": exchange.rates_of(session, month)}


@blueprint.route("/exchange-rates", methods=["POST"])
@blueprint.arguments(RateSchema)
@blueprint.response(201, RateShown)
def set_(body: dict[str, Any]) -> Any:
    """Enter a month's rate, or correct it before the month closes."""
    return exchange.set_rate(
        body["currency"], body["month"], body["rate"], source=body["source"], by=current_actor(), now=now()
    )
