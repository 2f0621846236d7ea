"""The tables of runs, payouts, attempts and rail files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from firm.db import Base, CurrencyCode, Identifier, one_of, whole_minor
from firm.money import Money

RUN_STATES = ("draft", "proposed", "approved", "releasing", "settled", "partly-settled", "canceled")
PAYOUT_STATES = (
    "planned",
    "reserved",
    "sending",
    "unknown",
    "sent",
    "settled",
    "refused",
    "returned",
    "canceled",
)
LIVE = ("planned", "reserved", "sending", "unknown")
EDGES = {
    "planned": ("reserved", "canceled"),
    "reserved": ("sending",),
    "sending": ("sent", "refused", "unknown"),
    "unknown": ("sent", "refused"),
    "sent": ("settled", "returned"),
    "settled": ("returned",),
}
"""The only ways a payout may go; a trigger holds every writer to them."""
RUN_EDGES = {
    "draft": ("proposed", "canceled"),
    "proposed": ("approved", "canceled"),
    "approved": ("releasing",),
    "releasing": ("settled", "partly-settled"),
    "settled": ("partly-settled",),
}
"""The same for a run."""

_live = text(f"state IN ({', '.join(repr(state) for state in LIVE)})")


class PayoutRun(Base):
    """A batch of payments in one currency."""

    __tablename__ = "payout_run"
    __table_args__ = (
        one_of("state", RUN_STATES),
        CheckConstraint(
            "approved_by IS NULL OR sole_approval OR"
            " (approved_by <> prepared_by AND approved_by <> COALESCE(proposed_by, ''))",
            name="approved_by_another",
        ),
        CheckConstraint(
            "state IN ('draft', 'proposed', 'canceled') OR (approved_by IS NOT NULL AND digest IS NOT NULL)",
            name="approved_before_release",
        ),
    )

    id: Mapped[Identifier]
    number: Mapped[str] = mapped_column(String(40), unique=True)
    currency: Mapped[CurrencyCode]
    state: Mapped[str] = mapped_column(String(20))
    prepared_by: Mapped[str] = mapped_column(String(200))
    prepared_at: Mapped[datetime]
    proposed_by: Mapped[str | None] = mapped_column(String(200))
    proposed_at: Mapped[datetime | None]
    approved_by: Mapped[str | None] = mapped_column(String(200))
    approved_at: Mapped[datetime | None]
    digest: Mapped[str | None] = mapped_column(String(64))
    sole_approval: Mapped[bool] = mapped_column(default=False)


payout = Table(
    "payout",
    Base.metadata,
    Column("id", String(34), primary_key=True),
    Column("run_id", String(34), ForeignKey("payout_run.id"), nullable=False),
    Column("maintainer_id", String(34), ForeignKey("maintainer.id"), nullable=False, index=True),
    Column("destination_id", String(34), ForeignKey("destination.id"), nullable=False),
    Column("rail", String(20), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("payee_name", String(200), nullable=False),
    Column("state", String(20), nullable=False),
    Column("reference", String(100)),
    Column("reason", String(500)),
    Column("settled_on", Date),
    one_of("state", PAYOUT_STATES),
    whole_minor("amount_minor", least=1),
    UniqueConstraint("run_id", "maintainer_id"),
    Index(
        "uq_payout_live",
        "maintainer_id",
        "currency",
        unique=True,
        sqlite_where=_live,
        postgresql_where=_live,
    ),
)


@dataclass(frozen=True, slots=True)
class Payout:
    """One payment to one maintainer, as its row stands; a run may hold thousands, so none is an ORM object."""

    id: str
    run_id: str
    maintainer_id: str
    destination_id: str
    rail: str
    amount_minor: int
    currency: str
    payee_name: str
    state: str
    reference: str | None = None
    reason: str | None = None
    settled_on: date | None = None

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class PayoutAttempt(Base):
    """One sending of one payout, committed with its key before the call."""

    __tablename__ = "payout_attempt"
    __table_args__ = (
        UniqueConstraint("payout_id", "number"),
        one_of("state", ["sending", "sent", "refused", "unknown"]),
        Index(
            "uq_payout_attempt_live",
            "payout_id",
            unique=True,
            sqlite_where=text("state IN ('sending', 'unknown', 'sent')"),
            postgresql_where=text("state IN ('sending', 'unknown', 'sent')"),
        ),
    )

    id: Mapped[Identifier]
    payout_id: Mapped[str] = mapped_column(ForeignKey("payout.id"))
    number: Mapped[int]
    key: Mapped[str] = mapped_column(String(100), unique=True)
    request_digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(20))
    started_at: Mapped[datetime]
    leased_until: Mapped[datetime]
    """Until when its sender has it to itself; a sender that died is taken over from after that."""
    finished_at: Mapped[datetime | None]
    detail: Mapped[str | None] = mapped_column(String(500))


class RailFile(Base):
    """The file of a run on a rail, sealed because it names accounts; never changed once written."""

    __tablename__ = "rail_file"
    __table_args__ = (UniqueConstraint("run_id", "rail"),)

    id: Mapped[Identifier]
    run_id: Mapped[str] = mapped_column(ForeignKey("payout_run.id"))
    rail: Mapped[str] = mapped_column(String(20))
    message_id: Mapped[str] = mapped_column(String(35), unique=True)
    content_sealed: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
