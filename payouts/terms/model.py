"""The tables of pay terms."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, CurrencyCode, Identifier, Minor, one_of, whole_minor
from firm.month import Month

_in_force = text("superseded_at IS NULL")
_corrects = text("corrects_id IS NOT NULL")

FEES_BORNE_BY = ("firm", "payee")


class PayTerms(Base):
    """One version of a maintainer's terms; `until_month` is the first month they no longer hold.

    Of those from one month one is in force; the others are superseded, each corrected by the next.
    """

    __tablename__ = "pay_terms"
    __table_args__ = (
        Index(
            "uq_pay_terms_in_force",
            "maintainer_id",
            "from_month",
            unique=True,
            sqlite_where=_in_force,
            postgresql_where=_in_force,
        ),
        Index(
            "uq_pay_terms_corrects_id",
            "corrects_id",
            unique=True,
            sqlite_where=_corrects,
            postgresql_where=_corrects,
        ),
        CheckConstraint("(corrects_id IS NULL) = (reason IS NULL)", name="correction_whole"),
        CheckConstraint("until_month IS NULL OR until_month > from_month", name="until_after_from"),
        CheckConstraint("growth_bp BETWEEN 0 AND 10000", name="growth_bp_range"),
        whole_minor("guarantee_minor", least=0),
        whole_minor("baseline_minor", least=0),
        whole_minor("cap_minor", least=0),
        CheckConstraint("recovery_bp BETWEEN 0 AND 10000", name="recovery_bp_range"),
        whole_minor("recovery_minor", least=1),
        CheckConstraint("recovery_bp = 0 OR recovery_minor IS NULL", name="recovery_one_way"),
        one_of("fees_borne_by", FEES_BORNE_BY),
    )

    id: Mapped[Identifier]
    maintainer_id: Mapped[str] = mapped_column(ForeignKey("maintainer.id"))
    from_month: Mapped[Month]
    until_month: Mapped[Month | None]
    currency: Mapped[CurrencyCode]
    guarantee_minor: Mapped[Minor]
    growth_bp: Mapped[int]
    baseline_minor: Mapped[Minor]
    cap_minor: Mapped[Minor | None]
    recovery_bp: Mapped[int] = mapped_column(default=0, server_default="0")
    """The part of a month's earnings that recovers advances."""
    recovery_minor: Mapped[Minor | None]
    """What a month recovers of advances, where that is a fixed amount."""
    fees_borne_by: Mapped[str] = mapped_column(String(5), default="firm", server_default="firm")
    """Who bears what a rail takes for a payout."""
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(200))
    corrects_id: Mapped[str | None] = mapped_column(ForeignKey("pay_terms.id"))
    """The terms that these replace because they were written down wrongly."""
    reason: Mapped[str | None] = mapped_column(String(400))
    """What was wrong with those."""
    superseded_at: Mapped[datetime | None]
    """When others replaced these."""


class FundShare(Base):
    """A rate on what a month allocates to a package."""

    __tablename__ = "pay_terms_fund_share"
    __table_args__ = (CheckConstraint("rate_bp BETWEEN 1 AND 10000", name="rate_bp_range"),)

    terms_id: Mapped[str] = mapped_column(ForeignKey("pay_terms.id"), primary_key=True)
    package_id: Mapped[str] = mapped_column(ForeignKey("package.id"), primary_key=True)
    rate_bp: Mapped[int]


class FixedFee(Base):
    """A monthly amount for a package."""

    __tablename__ = "pay_terms_fixed_fee"
    __table_args__ = (whole_minor("amount_minor", least=1),)

    terms_id: Mapped[str] = mapped_column(ForeignKey("pay_terms.id"), primary_key=True)
    package_id: Mapped[str] = mapped_column(ForeignKey("package.id"), primary_key=True)
    amount_minor: Mapped[Minor]
