"""The tables of agreements, series and invoices."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier, MonthText, UtcMoment, one_of, whole_minor
from firm.money import BASIS

DOMESTIC, REVERSE_CHARGE, SMALL_BUSINESS = "domestic", "reverse-charge", "small-business"
TREATMENTS = (DOMESTIC, REVERSE_CHARGE, SMALL_BUSINESS)
PARTIES = ("firm", "supplier")
INVOICE, CREDIT_NOTE = "invoice", "credit-note"
KINDS = (INVOICE, CREDIT_NOTE)

_credits = text("credits_id IS NOT NULL")


class SelfBillingAgreement(Base):
    """One supplier's consent; the row never changes but for an early end."""

    __tablename__ = "self_billing_agreement"
    __table_args__ = (
        one_of("treatment", TREATMENTS),
        CheckConstraint("consented_on <= from_on AND from_on < until_on", name="days_in_order"),
        CheckConstraint("(treatment = 'domestic') = (rate_bp IS NOT NULL)", name="rate_by_treatment"),
        CheckConstraint(f"rate_bp BETWEEN 1 AND {BASIS}", name="rate_bp_range"),
        CheckConstraint("(treatment = 'small-business') = (exemption IS NOT NULL)", name="exemption_by_treatment"),
        CheckConstraint("treatment = 'small-business' OR supplier_vat_id IS NOT NULL", name="vat_id_by_treatment"),
        CheckConstraint(
            "(ended_on IS NULL) = (ended_by IS NULL) AND (ended_on IS NULL) = (end_reason IS NULL)", name="ending_whole"
        ),
        CheckConstraint("ended_on BETWEEN from_on AND until_on", name="ended_within"),
        CheckConstraint("ended_by IN ('firm', 'supplier')", name="ended_by_known"),
        Index("ix_self_billing_agreement_maintainer", "maintainer_id", "from_on"),
    )

    id: Mapped[Identifier]
    maintainer_id: Mapped[str] = mapped_column(ForeignKey("maintainer.id"))
    consented_on: Mapped[date]
    from_on: Mapped[date]
    until_on: Mapped[date]
    """The first day on which it no longer holds."""
    supplier_name: Mapped[str] = mapped_column(String(200))
    supplier_address: Mapped[str] = mapped_column(Text)
    supplier_vat_id: Mapped[str | None] = mapped_column(String(20))
    series: Mapped[str] = mapped_column(String(24))
    """The supplier's own series, such as "SB-LM-"; the number follows it."""
    treatment: Mapped[str] = mapped_column(String(20))
    rate_bp: Mapped[int | None]
    exemption: Mapped[str | None] = mapped_column(String(300))
    ended_on: Mapped[date | None]
    """The first day on which it no longer holds, where somebody ended it early."""
    ended_by: Mapped[str | None] = mapped_column(String(10))
    end_reason: Mapped[str | None] = mapped_column(String(400))
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(String(200))

    @property
    def end(self) -> date:
        """The first day on which it no longer holds, early or as agreed."""
        return self.ended_on or self.until_on


self_billing_series = Table(
    "self_billing_series",
    Base.metadata,
    Column("maintainer_id", String(34), ForeignKey("maintainer.id"), nullable=False),
    Column("series", String(24), nullable=False),
    Column("last", Integer, nullable=False),
    PrimaryKeyConstraint("maintainer_id", "series"),
    CheckConstraint("last >= 1", name="last_positive"),
)

self_billed_invoice = Table(
    "self_billed_invoice",
    Base.metadata,
    Column("id", String(34), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("number", String(40), nullable=False),
    Column("maintainer_id", String(34), ForeignKey("maintainer.id"), nullable=False),
    Column("agreement_id", String(34), ForeignKey("self_billing_agreement.id"), nullable=False),
    Column("statement_id", String(34), ForeignKey("statement.id"), nullable=False),
    Column("credits_id", String(34), ForeignKey("self_billed_invoice.id")),
    Column("month", MonthText, nullable=False),
    Column("version", Integer, nullable=False),
    Column("series", String(24), nullable=False),
    Column("position", Integer, nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("net_minor", BigInteger, nullable=False),
    Column("vat_minor", BigInteger, nullable=False),
    Column("gross_minor", BigInteger, nullable=False),
    Column("figures", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("issued_at", UtcMoment, nullable=False),
    one_of("kind", KINDS),
    UniqueConstraint("maintainer_id", "number"),
    UniqueConstraint("maintainer_id", "series", "position"),
    UniqueConstraint("maintainer_id", "month", "kind", "version"),
    CheckConstraint("net_minor + vat_minor = gross_minor", name="adds_up"),
    CheckConstraint(
        "(kind = 'invoice' AND net_minor > 0 AND vat_minor >= 0) OR"
        " (kind = 'credit-note' AND net_minor < 0 AND vat_minor <= 0)",
        name="sign_by_kind",
    ),
    CheckConstraint("(kind = 'credit-note') = (credits_id IS NOT NULL)", name="credit_note_refers"),
    CheckConstraint("position >= 1 AND version >= 1", name="counted_from_one"),
    whole_minor("net_minor"),
    whole_minor("vat_minor"),
    whole_minor("gross_minor"),
    Index(
        "uq_self_billed_invoice_credits", "credits_id", unique=True, sqlite_where=_credits, postgresql_where=_credits
    ),
)
