"""The table of differences."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier, one_of

KINDS = (
    "transfer-without-payout",
    "payout-without-transfer",
    "paid-twice",
    "amount-differs",
    "destination-differs",
    "reversal-differs",
    "balance-differs",
    "movement-unknown",
    "outcome-unknown",
    "not-settled",
    "event-waits",
    "event-foreign",
    "not-paid-to-bank",
)
UNASKED = "transfer-without-payout"
DOUBLE = "paid-twice"
INCIDENTS = (UNASKED, DOUBLE)
"""Somebody may have been paid already: while one is open nothing more is paid to them."""

_OPEN = text("resolved_at IS NULL")


class ReconciliationDifference(Base):
    """One difference between our books and a rail's, from when it was seen to how it was resolved."""

    __tablename__ = "reconciliation_difference"
    __table_args__ = (
        one_of("kind", KINDS),
        Index(
            "uq_reconciliation_difference_open",
            "rail",
            "kind",
            "subject",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        CheckConstraint(
            "(resolved_at IS NULL) = (resolved_by IS NULL) AND (resolved_at IS NULL) = (note IS NULL)",
            name="resolved_whole",
        ),
        CheckConstraint("seen_at >= opened_at", name="seen_after_opened"),
    )

    id: Mapped[Identifier]
    rail: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(30))
    subject: Mapped[str] = mapped_column(String(255))
    """The id it is about: of a payout, a transfer, an event, or a currency."""
    what: Mapped[str] = mapped_column(String(500))
    our_side: Mapped[str] = mapped_column(String(200))
    their_side: Mapped[str] = mapped_column(String(200))
    opened_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    owner: Mapped[str | None] = mapped_column(String(200))
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None] = mapped_column(String(200))
    note: Mapped[str | None] = mapped_column(String(500))
