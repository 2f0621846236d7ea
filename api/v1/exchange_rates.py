"""Exchange rates."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import MomentField, MonthField, Schema, Text
from api.paging import PageQuery, page, page_schema
from firm.db import reading
from firm.exchange import operations as exchange
from firm.exchange.rules import rate_text
from firm.month import Month

blueprint = Blueprint("exchange_rates", __name__, description="What other currencies are worth in the books'")


class RateSchema(Schema):
    """One currency's rate for one month: units of the books' currency for one of the other."""

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


@blueprint.route("/months/<month:month>/exchange-rates", methods=["GET"])
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(RateShown))
def of_month(query: dict[str, Any], month: Month) -> Any:
    """List the rates that were entered for a month, by currency."""
    with reading() as session:
        return page(
            query,
            RateShown(),
            lambda part: exchange.page(session, month, part),
            key=lambda row: str(row.currency),
            resumable=False,
        )


@blueprint.route("/months/<month:month>/exchange-rates/<currency>", methods=["GET"])
@blueprint.response(200, RateShown)
def shown(month: Month, currency: str) -> Any:
    """Show a currency's rate for a month."""
    with reading() as session:
        return exchange.find(session, currency, month)


@blueprint.route("/months/<month:month>/exchange-rates/<currency>", methods=["PUT"])
@blueprint.arguments(RateSchema)
@blueprint.response(201, RateShown)
@blueprint.alt_response(200, schema=RateShown)
def set_(body: dict[str, Any], month: Month, currency: str) -> Any:
    """Enter a currency's rate for a month (201), or correct it (200, with If-Match) before the month closes."""
    with reading() as session:
        known = exchange.is_known(session, currency, month)
    row = exchange.set_rate(currency, month, body["rate"], source=body["source"], by=current_actor(), now=now())
    return row, 200 if known else 201
