"""The table of assignments."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier, one_of

ROLES = ("lead", "co-maintainer", "reviewer", "shadow")


class Assignment(Base):
    """Who works on what. `until_on` is the first day it no longer runs; None while it is open-ended."""

    __tablename__ = "assignment"
    __table_args__ = (
        one_of("role", ROLES),
        CheckConstraint("share_bp BETWEEN 0 AND 10000", name="share_bp_range"),
        CheckConstraint("until_on IS NULL OR until_on > from_on", name="until_after_from"),
    )

    id: Mapped[Identifier]
    maintainer_id: Mapped[str] = mapped_column(ForeignKey("maintainer.id"), index=True)
    package_id: Mapped[str] = mapped_column(ForeignKey("package.id"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    share_bp: Mapped[int]
    paid: Mapped[bool] = mapped_column(default=True)
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    override_reason: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime]
