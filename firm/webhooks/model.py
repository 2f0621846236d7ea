"""The tables of endpoints, of events and the notes they are made from, and of deliveries and their tries."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier, Reference, UtcMoment, one_of

ENDPOINT_STATES = ("enabled", "disabled", "removed")
DELIVERY_STATES = ("waiting", "delivered", "failed", "canceled")


class WebhookEndpoint(Base):
    """An address and what it wants. `types` are the names of events, one a line; none means all.

    A removed endpoint has no secrets any more and stays for its log.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = (
        one_of("state", ENDPOINT_STATES),
        CheckConstraint("(state = 'removed') = (secret_sealed IS NULL)", name="removed_has_no_secret"),
        CheckConstraint("(previous_sealed IS NULL) = (previous_until IS NULL)", name="previous_ends"),
        Index("ix_webhook_endpoint_state", "state"),
    )

    id: Mapped[Identifier]
    url: Mapped[str] = mapped_column(String(1000))
    description: Mapped[str] = mapped_column(String(200))
    types: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(200))
    secret_sealed: Mapped[str | None] = mapped_column(Text)
    previous_sealed: Mapped[str | None] = mapped_column(Text)
    previous_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(200))

    @property
    def wanted(self) -> list[str]:
        """The types it subscribed to; empty for all."""
        return self.types.split()

    def wants(self, name: str) -> bool:
        return not self.types or name in self.wanted


class WebhookEvent(Base):
    """Something that happened, as it is told: `id` is the webhook-id of every message about it."""

    __tablename__ = "webhook_event"
    __table_args__ = (UniqueConstraint("audit_id"),)

    id: Mapped[Identifier]
    audit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("audit_record.id"))
    type: Mapped[str] = mapped_column(String(60))
    body: Mapped[str] = mapped_column(Text)
    happened_at: Mapped[datetime]


class WebhookDelivery(Base):
    """An event for an endpoint. `round` counts how often it was set going: at first, and by each replay."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        one_of("state", DELIVERY_STATES),
        UniqueConstraint("event_id", "endpoint_id"),
        Index("ix_webhook_delivery_endpoint_id", "endpoint_id", "id"),
    )

    id: Mapped[Identifier]
    event_id: Mapped[Reference] = mapped_column(ForeignKey("webhook_event.id"))
    endpoint_id: Mapped[Reference] = mapped_column(ForeignKey("webhook_endpoint.id"))
    state: Mapped[str] = mapped_column(String(10))
    round: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


# The audit records that a worker has still to make events of; the trigger of migration 0003w writes it.
webhook_outbox = Table(
    "webhook_outbox",
    Base.metadata,
    Column(
        "audit_id",
        BigInteger().with_variant(Integer, "sqlite"),
        ForeignKey("audit_record.id"),
        primary_key=True,
        autoincrement=False,
    ),
)

# One row for each time a delivery was tried.
webhook_attempt = Table(
    "webhook_attempt",
    Base.metadata,
    Column("delivery_id", String(34), ForeignKey("webhook_delivery.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", UtcMoment, nullable=False),
    Column("status", Integer),
    Column("duration_ms", Integer, nullable=False),
    Column("answer", String(1024), nullable=False),
    PrimaryKeyConstraint("delivery_id", "number"),
)
