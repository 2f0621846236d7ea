"""The tables of stages, letters and runway plans."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, CurrencyCode, Identifier, Minor, one_of, whole_minor
from firm.money import Money

STAGES = ("shadowing", "assigned", "owning", "pre-committed", "ready", "spun-off")


class OnrampStage(Base):
    """A stage that a maintainer entered on a day."""

    __tablename__ = "onramp_stage"
    __table_args__ = (one_of("stage", STAGES), UniqueConstraint("maintainer_id", "stage"))

    id: Mapped[Identifier]
    maintainer_id: Mapped[str] = mapped_column(ForeignKey("maintainer.id"))
    stage: Mapped[str] = mapped_column(String(20))
    entered_on: Mapped[date]
    note: Mapped[str] = mapped_column(String(500), default="")


class PrecommitmentLetter(Base):
    """A prospect's signed promise; `expires_on` is the first day it no longer counts."""

    __tablename__ = "precommitment_letter"
    __table_args__ = (
        whole_minor("amount_minor", least=1),
        CheckConstraint("expires_on > signed_on", name="expires_after_signature"),
        CheckConstraint("term_months BETWEEN 1 AND 120", name="term_months_range"),
    )

    id: Mapped[Identifier]
    maintainer_id: Mapped[str] = mapped_column(ForeignKey("maintainer.id"), index=True)
    company: Mapped[str] = mapped_column(String(200))
    amount_minor: Mapped[Minor]
    currency: Mapped[CurrencyCode]
    term_months: Mapped[int]
    condition: Mapped[str] = mapped_column(String(500), default="")
    signed_on: Mapped[date]
    expires_on: Mapped[date]
    withdrawn_on: Mapped[date | None]

    @property
    def amount(self) -> Money:
        """What the company promises a month."""
        return Money(self.amount_minor, self.currency)


class RunwayPlan(Base):
    """How the junior lives until the new firm earns; the latest one counts."""

    __tablename__ = "runway_plan"
    __table_args__ = (CheckConstraint("months_covered BETWEEN 0 AND 60", name="months_covered_range"),)

    id: Mapped[Identifier]
    maintainer_id: Mapped[str] = mapped_column(ForeignKey("maintainer.id"), index=True)
    months_covered: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime]
