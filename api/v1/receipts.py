"""Receipts."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import DateField, MoneyField, Schema, Text
from api.paging import PageQuery, page, page_schema
from firm.billing import queries, receipts
from firm.db import reading

blueprint = Blueprint("receipts", __name__, description="Money that arrived")


class ReceiptDraft(Schema):
    """Money that arrived for an invoice, given by id or number; the bank's reference makes it unique."""

    invoice = Text(required=True)
    amount = MoneyField(required=True)
    received_on = DateField(required=True)
    reference = Text(required=True, most=100)


class ReceiptSchema(Schema):
    """A recorded receipt."""

    id = ma.fields.String()
    invoice_id = ma.fields.String()
    reference = ma.fields.String()
    received_on = DateField()
    amount = MoneyField()


class ReceiptQuery(PageQuery):
    """Filters of the list of receipts."""

    invoice = Text(load_default=None, metadata={"description": "Id or number."})


@blueprint.route("/receipts", methods=["GET"])
@blueprint.arguments(ReceiptQuery, location="query")
@blueprint.response(200, page_schema(ReceiptSchema))
def listed(query: dict[str, Any]) -> Any:
    """List receipts."""
    with reading() as session:
        invoice_id = queries.find_invoice(session, query["invoice"]).id if query["invoice"] else None
        return page(query, ReceiptSchema(), lambda part: queries.receipts(session, part, invoice_id=invoice_id))


@blueprint.route("/receipts/<receipt_id>", methods=["GET"])
@blueprint.response(200, ReceiptSchema)
def shown(receipt_id: str) -> Any:
    """Show a receipt."""
    with reading() as session:
        return queries.find_receipt(session, receipt_id)


@blueprint.route("/receipts", methods=["POST"])
@blueprint.arguments(ReceiptDraft)
@blueprint.response(201, ReceiptSchema)
def recorded(body: dict[str, Any]) -> Any:
    """Record money that arrived."""
    return receipts.record(
        body["invoice"],
        amount=body["amount"],
        received_on=body["received_on"],
        reference=body["reference"],
        by=current_actor(),
        now=now(),
    )
