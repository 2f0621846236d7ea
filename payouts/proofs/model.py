"""The table of proofs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier, one_of

KINDS = ("application/pdf", "image/png", "image/jpeg")
MOST_BYTES = 5_000_000


class PaymentProof(Base):
    """One version of a payout's proof; the row is never changed."""

    __tablename__ = "payment_proof"
    __table_args__ = (
        UniqueConstraint("payout_id", "version"),
        one_of("content_type", KINDS),
        CheckConstraint(f"size BETWEEN 1 AND {MOST_BYTES}", name="size_bounded"),
        CheckConstraint("version >= 1", name="version_counts"),
    )

    id: Mapped[Identifier]
    payout_id: Mapped[str] = mapped_column(ForeignKey("payout.id"))
    version: Mapped[int]
    content_type: Mapped[str] = mapped_column(String(20))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    content_sealed: Mapped[str] = mapped_column(Text, deferred=True)
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(200))
