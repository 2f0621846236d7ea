"""The table of restorations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier, one_of

SOURCES = ("backup", "archive")


class Restoration(Base):
    """One reading-in of the whole firm: what it was read from, and since when its books are trusted again."""

    __tablename__ = "restoration"
    __table_args__ = (
        one_of("source", SOURCES),
        CheckConstraint(
            "(reconciled_at IS NULL) = (reconciled_by IS NULL) AND (reconciled_at IS NULL) = (note IS NULL)",
            name="reconciled_whole",
        ),
    )

    id: Mapped[Identifier]
    source: Mapped[str] = mapped_column(String(10))
    taken_at: Mapped[datetime]
    """As of when the books are."""
    restored_at: Mapped[datetime]
    chain_seq: Mapped[int] = mapped_column(Integer)
    chain_hash: Mapped[str] = mapped_column(String(64))
    """The head of the audit chain that came along."""
    reconciled_at: Mapped[datetime | None]
    reconciled_by: Mapped[str | None] = mapped_column(String(200))
    note: Mapped[str | None] = mapped_column(String(500))
