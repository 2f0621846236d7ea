"""The tables of events, payee payouts and movements of a provider's balance."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, CurrencyCode, Identifier, one_of, whole_minor
from firm.money import Money

EVENT_STATES = ("stored", "parked", "applied", "ignored")
ENDPOINTS = ("platform", "connect", "sweep")
PAYEE_PAYOUT_STATES = ("pending", "in-transit", "paid", "failed", "canceled")
PAYEE_PAYOUT_EDGES = {
    "pending": ("in-transit", "paid", "failed", "canceled"),
    "in-transit": ("paid", "failed", "canceled"),
    "paid": ("failed", "canceled"),
}
"""A bank may take back what it has paid; what failed or was canceled stays so, and the provider makes a new one."""

TREATMENTS = ("booked", "paid-out", "unknown")


class ProviderEvent(Base):
    """What one event says it is about.

    Its body is not kept: it holds names, addresses and dates of birth of payees, we act on none of it (the thing is
    fetched anew), and what must never change cannot be forgotten. Its digest proves what came; the provider shows
    the body to whoever asks for the id.
    """

    __tablename__ = "provider_event"
    __table_args__ = (
        UniqueConstraint("provider", "event_id"),
        one_of("state", EVENT_STATES),
        one_of("endpoint", ENDPOINTS),
        CheckConstraint("(state IN ('applied', 'ignored')) = (finished_at IS NOT NULL)", name="finished_when_ended"),
        CheckConstraint("state NOT IN ('ignored', 'parked') OR reason IS NOT NULL", name="reason_given"),
        CheckConstraint("alarm IS FALSE OR state IN ('ignored', 'parked')", name="alarm_has_reason"),
        Index("ix_provider_event_state_id", "state", "id"),
    )

    id: Mapped[Identifier]
    provider: Mapped[str] = mapped_column(String(20))
    event_id: Mapped[str] = mapped_column(String(255))
    endpoint: Mapped[str] = mapped_column(String(10))
    type: Mapped[str] = mapped_column(String(120))
    account: Mapped[str | None] = mapped_column(String(255))
    object_id: Mapped[str | None] = mapped_column(String(255))
    object_kind: Mapped[str | None] = mapped_column(String(255))
    api_version: Mapped[str | None] = mapped_column(String(255))
    livemode: Mapped[bool]
    body_sha256: Mapped[str | None] = mapped_column(String(64))
    """None for what the sweep found: no signed body came."""
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(500))
    alarm: Mapped[bool] = mapped_column(default=False)
    """Whether a person should look at it."""
    finished_at: Mapped[datetime | None]


class PayeePayout(Base):
    """Money on its way from a payee's account at the provider to the payee's bank, as it was last seen."""

    __tablename__ = "payee_payout"
    __table_args__ = (
        UniqueConstraint("provider", "account", "reference"),
        one_of("state", PAYEE_PAYOUT_STATES),
        whole_minor("amount_minor"),
    )

    id: Mapped[Identifier]
    provider: Mapped[str] = mapped_column(String(20))
    account: Mapped[str] = mapped_column(String(255))
    reference: Mapped[str] = mapped_column(String(255))
    maintainer_id: Mapped[str] = mapped_column(ForeignKey("maintainer.id"), index=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[CurrencyCode]
    state: Mapped[str] = mapped_column(String(10))
    failure: Mapped[str | None] = mapped_column(String(100))
    made_at: Mapped[datetime]
    arrives_on: Mapped[date | None]
    seen_at: Mapped[datetime]

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class ProviderMovement(Base):
    """One line of the firm's balance at the provider, and what the books made of it; never changed."""

    __tablename__ = "provider_movement"
    __table_args__ = (
        UniqueConstraint("provider", "reference"),
        one_of("treatment", TREATMENTS),
        whole_minor("amount_minor"),
        whole_minor("fee_minor"),
        whole_minor("net_minor"),
        CheckConstraint("net_minor = amount_minor - fee_minor", name="net_of_fee"),
    )

    id: Mapped[Identifier]
    provider: Mapped[str] = mapped_column(String(20))
    reference: Mapped[str] = mapped_column(String(255))
    type: Mapped[str] = mapped_column(String(120))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    net_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[CurrencyCode]
    source: Mapped[str | None] = mapped_column(String(255))
    made_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    treatment: Mapped[str] = mapped_column(String(10))

    @property
    def net(self) -> Money:
        return Money(self.net_minor, self.currency)
