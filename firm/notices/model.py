"""The table of notices."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier, one_of

STATES = ("queued", "sent", "failed", "by-hand")
EDGES = {
    "queued": ("sent", "failed", "by-hand"),
    "failed": ("by-hand",),
}
"""The only ways a notice may go; a trigger holds every writer to them."""


class Notice(Base):
    """One letter to one address. `figures` is JSON: what was put into the template's places."""

    __tablename__ = "notice"
    __table_args__ = (
        one_of("state", STATES),
        CheckConstraint("(state = 'queued') = (finished_at IS NULL)", name="finished_whole"),
        CheckConstraint("(state = 'by-hand') = (given_by IS NOT NULL)", name="given_whole"),
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        Index("ix_notice_state", "state", "id"),
    )

    id: Mapped[Identifier]
    key: Mapped[str] = mapped_column(String(200), unique=True)
    to_address: Mapped[str] = mapped_column(String(200))
    template: Mapped[str] = mapped_column(String(60))
    figures: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(200))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    leased_until: Mapped[datetime | None]
    """Until when its sender has it to itself; one that died is taken over from after that."""
    finished_at: Mapped[datetime | None]
    detail: Mapped[str | None] = mapped_column(String(500))
    """Why it failed, or how a person gave it."""
    given_by: Mapped[str | None] = mapped_column(String(200))
