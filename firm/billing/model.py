"""The tables of invoices, invoiced months, receipts and recognized months."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, CurrencyCode, Identifier, Minor, MonthText, one_of, whole_minor
from firm.money import Money
from firm.month import Month

STATES = ("open", "paid")


class Invoice(Base):
    """An issued invoice. Its figures are frozen as canonical JSON; only what was received changes."""

    __tablename__ = "invoice"
    __table_args__ = (
        one_of("state", STATES),
        whole_minor("total_minor", least=1),
        whole_minor("received_minor", least=0),
        CheckConstraint("received_minor <= total_minor", name="not_overpaid"),
        CheckConstraint("(state = 'paid') = (received_minor = total_minor)", name="paid_in_full"),
        Index("ix_invoice_client", "client_id", "id"),
    )

    id: Mapped[Identifier]
    number: Mapped[str] = mapped_column(String(40), unique=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"))
    engagement_id: Mapped[str] = mapped_column(ForeignKey("engagement.id"), index=True)
    issued_on: Mapped[date]
    due_on: Mapped[date]
    from_month: Mapped[Month]
    until_month: Mapped[Month]
    total_minor: Mapped[Minor]
    received_minor: Mapped[Minor] = mapped_column(default=0)
    currency: Mapped[CurrencyCode]
    state: Mapped[str] = mapped_column(String(10), default="open")
    figures: Mapped[str] = mapped_column(Text)
    issued_at: Mapped[datetime]

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)

    @property
    def open_amount(self) -> Money:
        return Money(self.total_minor - self.received_minor, self.currency)


invoiced_month = Table(
    "invoiced_month",
    Base.metadata,
    Column("engagement_id", String(34), ForeignKey("engagement.id"), nullable=False),
    Column("month", MonthText, nullable=False),
    Column("invoice_id", String(34), ForeignKey("invoice.id"), nullable=False, index=True),
    Column("amount_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint("engagement_id", "month"),
    whole_minor("amount_minor", least=1),
)

recognition = Table(
    "recognition",
    Base.metadata,
    Column("engagement_id", String(34), ForeignKey("engagement.id"), nullable=False),
    Column("month", MonthText, nullable=False),
    Column("posted_month", MonthText, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("rate", BigInteger, nullable=False),
    Column("booked_minor", BigInteger, nullable=False),
    Column("was_invoiced", BigInteger, nullable=False),
    PrimaryKeyConstraint("engagement_id", "month"),
    whole_minor("amount_minor", least=1),
    whole_minor("booked_minor", least=0),
    CheckConstraint("posted_month >= month", name="posted_when_earned_or_later"),
    CheckConstraint("was_invoiced IN (0, 1)", name="was_invoiced_flag"),
    Index("ix_recognition_posted_month", "posted_month", "engagement_id"),
)


class Receipt(Base):
    """Money that arrived for an invoice; the bank's reference makes it unique."""

    __tablename__ = "receipt"
    __table_args__ = (whole_minor("amount_minor", least=1),)

    id: Mapped[Identifier]
    invoice_id: Mapped[str] = mapped_column(ForeignKey("invoice.id"), index=True)
    reference: Mapped[str] = mapped_column(String(100), unique=True)
    received_on: Mapped[date]
    amount_minor: Mapped[Minor]
    currency: Mapped[CurrencyCode]
    created_at: Mapped[datetime]

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
