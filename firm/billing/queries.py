"""Finding invoices and receipts."""

from __future__ import annotations

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from firm.billing.model import Invoice, Receipt, invoiced_month, recognition
from firm.errors import NotFound
from firm.listing import WHOLE, Slice, where_given
from firm.month import Month


class InvoiceNotFound(NotFound):
    """No invoice has this id or number."""


class ReceiptNotFound(NotFound):
    """No receipt has this id."""


def find_invoice(session: Session, key: str) -> Invoice:
    """An invoice by id or number. Raises `InvoiceNotFound`."""
    invoice = session.scalar(select(Invoice).where(or_(Invoice.id == key, Invoice.number == key)))
    if invoice is None:
        raise InvoiceNotFound(f"There is no invoice {key!r}.")
    return invoice


def invoices(
    session: Session,
    part: Slice = WHOLE,
    *,
    client_id: str | None = None,
    engagement_id: str | None = None,
    month: Month | None = None,
    state: str | None = None,
) -> list[Invoice]:
    """Invoices in the order of their ids; with `month` those that bill it, among other months perhaps."""
    whose = (Invoice.client_id, client_id), (Invoice.engagement_id, engagement_id), (Invoice.state, state)
    query = where_given(select(Invoice), *whose)
    if month is not None:
        query = query.where(Invoice.from_month <= month, Invoice.until_month > month)
    return list(session.scalars(part.of(query, Invoice.id)))


def find_receipt(session: Session, receipt_id: str) -> Receipt:
    """A receipt by id. Raises `ReceiptNotFound`."""
    receipt = session.get(Receipt, receipt_id)
    if receipt is None:
        raise ReceiptNotFound(f"There is no receipt {receipt_id!r}.")
    return receipt


def receipts(session: Session, part: Slice = WHOLE, *, invoice_id: str | None = None) -> list[Receipt]:
    """Receipts in the order of their ids; for one invoice, or all."""
    return list(session.scalars(part.of(where_given(select(Receipt), (Receipt.invoice_id, invoice_id)), Receipt.id)))


def receipts_of(session: Session, invoice_id: str) -> list[Receipt]:
    return list(session.scalars(select(Receipt).where(Receipt.invoice_id == invoice_id).order_by(Receipt.id)))


def recognized_by(session: Session, invoice_id: str) -> list[Month]:
    """The months whose closes recognized what the invoice had billed by then."""
    months, billed = recognition.c, invoiced_month.c
    same = and_(months.engagement_id == billed.engagement_id, months.month == billed.month)
    query = (
        select(months.posted_month)
        .join(invoiced_month, same)
        .where(billed.invoice_id == invoice_id, months.was_invoiced == 1)
    )
    return list(session.scalars(query.distinct().order_by(months.posted_month)))
