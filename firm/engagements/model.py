"""The tables of tiers, engagements and interests."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, CurrencyCode, Identifier, Minor, one_of, whole_minor
from firm.money import Money

CYCLES = {"monthly": 1, "quarterly": 3, "yearly": 12}
STATES = ("draft", "signed", "ended")


class Tier(Base):
    """One version of a tier; entitlements are its lines, for people to read."""

    __tablename__ = "tier"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[Identifier]
    name: Mapped[str] = mapped_column(String(60))
    version: Mapped[int]
    entitlements: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]


class Engagement(Base):
    """A retainer agreement. `ends_on` is the first day it no longer runs; None while it is open-ended."""

    __tablename__ = "engagement"
    __table_args__ = (
        one_of("state", STATES),
        CheckConstraint("cycle_months IN (1, 3, 12)", name="cycle_known"),
        CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name="ends_after_start"),
        CheckConstraint("(state = 'draft') = (signed_at IS NULL)", name="signed_has_moment"),
        whole_minor("fee_minor", least=1),
    )

    id: Mapped[Identifier]
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), index=True)
    tier_id: Mapped[str] = mapped_column(ForeignKey("tier.id"))
    fee_minor: Mapped[Minor]
    currency: Mapped[CurrencyCode]
    cycle_months: Mapped[int]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    renews_on: Mapped[date | None]
    notice_days: Mapped[int] = mapped_column(default=90)
    subcontracting_allowed: Mapped[bool] = mapped_column(default=False)
    po_number: Mapped[str | None] = mapped_column(String(60))
    clauses: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(10), default="draft")
    signed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    @property
    def fee(self) -> Money:
        """The fee of one whole month."""
        return Money(self.fee_minor, self.currency)

    @property
    def cycle(self) -> str:
        return next(name for name, months in CYCLES.items() if months == self.cycle_months)


class Interest(Base):
    """A client's interest in a package, with the two answers that say how critical it is."""

    __tablename__ = "interest"
    __table_args__ = (UniqueConstraint("engagement_id", "package_id"),)

    id: Mapped[Identifier]
    engagement_id: Mapped[str] = mapped_column(ForeignKey("engagement.id"))
    package_id: Mapped[str] = mapped_column(ForeignKey("package.id"), index=True)
    may_stop: Mapped[bool]
    """Their answer to "is it OK if we stop?"."""
    months_to_replace: Mapped[int]
    """Their answer to "engineer-months to replace it"."""
