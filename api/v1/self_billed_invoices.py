"""Self-billed invoices and credit notes, as JSON, HTML and PDF from the same frozen figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from api.auth import current_actor, now, own, own_or_none
from api.blueprints import Blueprint
from api.fields import DateField, MomentField, MoneyField, MonthField, Schema, Text
from api.filters import MaintainerQuery, maintainer_id_of
from api.paging import page, page_schema
from api.rendering import rendered
from firm.actor import Role
from firm.db import AnyRow, reading
from firm.listing import Slice
from firm.money import Money
from payouts.self_billing import operations, queries
from payouts.self_billing.model import KINDS

blueprint = Blueprint("self_billed_invoices", __name__, description="Invoices written in a supplier's name")

FACTS = (
    "id",
    "kind",
    "number",
    "maintainer_id",
    "agreement_id",
    "statement_id",
    "credits_id",
    "month",
    "issued_on",
    "sha256",
    "issued_at",
)


class SelfBilledInvoiceDraft(Schema):
    """Whose closed month to bill."""

    maintainer = Text(required=True)
    month = MonthField(required=True)


class SelfBilledInvoiceSchema(Schema):
    """An invoice, or a credit note that takes one back whole; numbers are unique for each supplier."""

    id = ma.fields.String()
    kind = ma.fields.String(validate=ma.validate.OneOf(KINDS))
    number = ma.fields.String()
    maintainer_id = ma.fields.String()
    agreement_id = ma.fields.String()
    statement_id = ma.fields.String()
    credits_id = ma.fields.String(
        allow_none=True, metadata={"description": "The invoice that a credit note takes back."}
    )
    credited_by_id = ma.fields.String(
        allow_none=True, metadata={"description": "The credit note that takes this invoice back."}
    )
    month = MonthField()
    issued_on = DateField()
    net = MoneyField()
    vat = MoneyField()
    gross = MoneyField()
    sha256 = ma.fields.String()
    issued_at = MomentField()


class WholeSelfBilledInvoiceSchema(SelfBilledInvoiceSchema):
    """An invoice with its figures: what the paper says."""

    figures = ma.fields.Dict()


class SelfBilledInvoiceQuery(MaintainerQuery):
    """Filters of the list of self-billed invoices."""

    month = MonthField(load_default=None)


class CreditNoteDraft(Schema):
    """Why an invoice is taken back."""

    reason = Text(required=True, most=400)


@blueprint.route("/self-billed-invoices", methods=["GET"])
@blueprint.arguments(SelfBilledInvoiceQuery, location="query")
@blueprint.response(200, page_schema(SelfBilledInvoiceSchema))
def listed(query: dict[str, Any]) -> Any:
    """List self-billed invoices and credit notes; maintainers see their own."""
    with reading() as session:
        maintainer_id, month = maintainer_id_of(session, query), query["month"]

        def rows_of(part: Slice) -> list[Row]:
            found = queries.page(session, part, maintainer_id=maintainer_id, month=month)
            return _shapes(session, found)

        return page(query, SelfBilledInvoiceSchema(), rows_of)


@blueprint.route("/self-billed-invoices", methods=["POST"])
@blueprint.arguments(SelfBilledInvoiceDraft)
@blueprint.response(201, WholeSelfBilledInvoiceSchema)
def issued(body: dict[str, Any]) -> Any:
    """Issue the invoice of a supplier's closed month, under a live agreement."""
    return Row(operations.issue(body["maintainer"], body["month"], by=current_actor(), now=now()))


@blueprint.route("/self-billed-invoices/<key>", methods=["GET"])
@blueprint.response(200, WholeSelfBilledInvoiceSchema)
def shown(key: str) -> Any:
    """Show a self-billed invoice with its figures, by id, or by a number that one supplier has."""
    row = _found(key)
    with reading() as session:
        [shape] = _shapes(session, [row])
    return shape


@blueprint.route("/self-billed-invoices/<key>/credit-note", methods=["POST"])
@blueprint.arguments(CreditNoteDraft)
@blueprint.response(201, WholeSelfBilledInvoiceSchema)
def credited(body: dict[str, Any], key: str) -> Any:
    """Take an invoice back whole by a credit note."""
    return Row(operations.credit(key, **body, by=current_actor(), now=now()))


@blueprint.route("/self-billed-invoices/<key>/<any(pdf, html):form>", methods=["GET"])
@blueprint.response(200, content_type="application/pdf")
@blueprint.alt_response(200, content_type="text/html", success=True)
def paper(key: str, form: str) -> Any:
    """Render a self-billed invoice; the same bytes each time."""
    row = _found(key)
    return rendered(queries.figures(row), row.number, form)


class Row:
    """An invoice with its sums as money."""

    def __init__(self, row: AnyRow, credited_by_id: str | None = None) -> None:
        for name in FACTS:
            setattr(self, name, getattr(row, name))
        self.net = Money(row.net_minor, row.currency)
        self.vat = Money(row.vat_minor, row.currency)
        self.gross = Money(row.gross_minor, row.currency)
        self.figures = queries.figures(row)
        self.credited_by_id = credited_by_id


def _shapes(session: Session, rows: Sequence[AnyRow]) -> list[Row]:
    credited = queries.credit_notes_of(session, [row.id for row in rows])
    return [Row(row, credited.get(row.id)) for row in rows]


def _found(key: str) -> AnyRow:
    with reading() as session:
        row = queries.find(session, key, maintainer_id=own_or_none(Role.MAINTAINER))
        own(row.maintainer_id)
    return row
