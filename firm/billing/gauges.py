"""What about invoices and receipts needs somebody's attention."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.billing.model import Invoice, Receipt
from firm.gauge import Gauge


def overdue_invoices(session: Session, now: datetime) -> int:
    # By the calendar of UTC: a day more or less in a zone changes nothing about an alarm.
    overdue = select(func.count()).where(Invoice.state == "open", Invoice.due_on < now.date())
    return session.scalar(overdue) or 0


def unmatched_receipts(session: Session, now: datetime) -> int:
    """Receipts that are not in what their invoice says it received: more than the invoice counts, or less."""
    received = select(func.coalesce(func.sum(Receipt.amount_minor), 0)).where(Receipt.invoice_id == Invoice.id)
    differing = select(func.count()).where(Invoice.received_minor != received.scalar_subquery())
    return session.scalar(differing) or 0


GAUGES = (
    Gauge("chambers_overdue_invoices", "Open invoices past the day they were due.", overdue_invoices),
    Gauge(
        "chambers_unmatched_receipts",
        "Invoices whose receipts are not what they say they received.",
        unmatched_receipts,
    ),
)
