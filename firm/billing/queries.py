"""Finding invoices and receipts."""

from __future__ import annotations

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from firm.billing.model import Invoice, Receipt, invoiced_month, recognition
from firm.errors import NotFound
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
    *,
    client_id: str | None = None,
    state: str | None = None,
    after: str = "",
    limit: int = 50,
) -> list[Invoice]:
    """Invoices in the order of their ids, after one of them."""
    query = select(Invoice).where(Invoice.id > after).order_by(Invoice.id).limit(limit)
    if client_id is not None:
        query = query.where(Invoice.client_id == client_id)
    if state is not None:
        query = query.where(Invoice.state == state)
    return list(session.scalars(query))


def find_receipt(session: Session, receipt_id: str) -> Receipt:
    """A receipt by id. Raises `ReceiptNotFound`."""
    receipt = session.get(Receipt, receipt_id)
    if receipt is None:
        raise ReceiptNotFound(f"There is no receipt {receipt_id!r}.")
    return receipt


def receipts(session: Session, *, after: str = "", limit: int = 50) -> list[Receipt]:
    """Receipts in the order of their ids, after one of them."""
    return list(session.scalars(select(Receipt).where(Receipt.id > after).order_by(Receipt.id).limit(limit)))


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
