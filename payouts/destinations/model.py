"""The table of destinations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from firm.db import Base, Identifier


class Destination(Base):
    """A way to one maintainer; the row is never changed but for its end."""

    __tablename__ = "destination"
    __table_args__ = (
        CheckConstraint("(iban_sealed IS NULL) = (iban_last4 IS NULL)", name="iban_whole"),
        Index(
            "uq_destination_live",
            "maintainer_id",
            unique=True,
            sqlite_where=text("replaced_at IS NULL"),
            postgresql_where=text("replaced_at IS NULL"),
        ),
    )

    id: Mapped[Identifier]
    maintainer_id: Mapped[str] = mapped_column(ForeignKey("maintainer.id"))
    rail: Mapped[str] = mapped_column(String(20))
    holder: Mapped[str] = mapped_column(String(200))
    country: Mapped[str] = mapped_column(String(2))
    iban_sealed: Mapped[str | None] = mapped_column(Text)
    iban_last4: Mapped[str | None] = mapped_column(String(4))
    bic: Mapped[str | None] = mapped_column(String(11))
    created_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]
