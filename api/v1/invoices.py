"""Invoices."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now, own
from api.blueprints import Blueprint
from api.fields import DateField, MoneyField, MonthField, Schema, Text
from api.filters import ClientQuery, client_id_of, engagement_id_of
from api.paging import page, page_schema
from firm.billing import invoices, queries
from firm.billing.model import STATES
from firm.db import reading
from firm.month import Month

blueprint = Blueprint("invoices", __name__, description="What clients are billed")


class InvoiceSchema(Schema):
    """An issued invoice. It bills service months and never shows how the fee is split."""

    id = ma.fields.String()
    number = ma.fields.String()
    client_id = ma.fields.String()
    engagement_id = ma.fields.String()
    issued_on = DateField()
    due_on = DateField()
    from_month = MonthField()
    until_month = MonthField(metadata={"description": "The first month not billed."})
    total = MoneyField()
    open_amount = MoneyField()
    state = ma.fields.String(validate=ma.validate.OneOf(STATES))


class InvoicingSchema(Schema):
    """What invoicing a month made, and whom it held back, with the reason."""

    issued = ma.fields.Integer()
    held_back = ma.fields.List(ma.fields.String())


class InvoiceQuery(ClientQuery):
    """Filters of the list of invoices."""

    engagement = Text(most=34, load_default=None)
    month = MonthField(load_default=None, metadata={"description": "Only those that bill this month."})
    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(STATES))


@blueprint.route("/invoices", methods=["GET"])
@blueprint.arguments(InvoiceQuery, location="query")
@blueprint.response(200, page_schema(InvoiceSchema))
def listed(query: dict[str, Any]) -> Any:
    """List invoices; a client sees its own."""
    with reading() as session:
        whose = {"client_id": client_id_of(session, query), "engagement_id": engagement_id_of(session, query)}
        return page(
            query,
            InvoiceSchema(),
            lambda part: queries.invoices(session, part, **whose, month=query["month"], state=query["state"]),
        )


@blueprint.route("/invoices/<key>", methods=["GET"])
@blueprint.response(200, InvoiceSchema)
def shown(key: str) -> Any:
    """Show an invoice, by id or number."""
    with reading() as session:
        invoice = queries.find_invoice(session, key)
        own(invoice.client_id)
        return invoice


@blueprint.route("/months/<month:month>/invoices", methods=["POST"])
@blueprint.response(201, InvoicingSchema)
def issued(month: Month) -> Any:
    """Issue the invoices that are due for a month; may be repeated."""
    return invoices.issue_month(month, by=current_actor(), now=now())
