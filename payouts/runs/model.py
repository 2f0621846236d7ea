"""The tables of runs, their approvals, payouts, attempts, reversals and rail files, and of the policy of paying."""

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

from firm.columns import Base, CurrencyCode, Identifier, one_of, whole_minor
from firm.money import Money

RUN_STATES = ("draft", "proposed", "approved", "releasing", "settled", "partly-settled", "canceled")
PAYOUT_STATES = (
    "planned",
    "held",
    "carried-over",
    "reserved",
    "sending",
    "waiting-for-funds",
    "unknown",
    "sent",
    "settled",
    "refused",
    "returned",
    "canceled",
)
ATTEMPT_STATES = ("sending", "sent", "refused", "unknown")
LIVE = ("planned", "reserved", "sending", "waiting-for-funds", "unknown")
EDGES = {
    "planned": ("reserved", "canceled", "held"),
    "held": ("planned", "canceled"),
    "reserved": ("sending", "canceled"),
    "sending": ("sent", "refused", "unknown", "waiting-for-funds"),
    "waiting-for-funds": ("sending", "canceled"),
    "unknown": ("sent", "refused"),
    "sent": ("settled", "returned"),
    "settled": ("returned",),
}
"""The only ways a payout may go; a trigger holds every writer to them."""
RUN_EDGES = {
    "draft": ("proposed", "canceled"),
    "proposed": ("approved", "canceled", "draft"),
    "approved": ("releasing", "partly-settled"),
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
    approvals_needed: Mapped[int] = mapped_column(default=1, server_default="1")
    """How many different people have to approve it; a trigger counts them."""


class PayoutApproval(Base):
    """One person's approval of a run's content, by its digest; void once the content may change again."""

    __tablename__ = "payout_approval"
    __table_args__ = (
        CheckConstraint("(voided_at IS NULL) = (void_reason IS NULL)", name="void_whole"),
        Index(
            "uq_payout_approval_valid",
            "run_id",
            "approved_by",
            unique=True,
            sqlite_where=text("voided_at IS NULL"),
            postgresql_where=text("voided_at IS NULL"),
        ),
    )

    id: Mapped[Identifier]
    run_id: Mapped[str] = mapped_column(ForeignKey("payout_run.id"))
    approved_by: Mapped[str] = mapped_column(String(200))
    approved_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(64))
    sole: Mapped[bool] = mapped_column(default=False)
    """Given by whoever prepared the run, which the firm allowed then."""
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None] = mapped_column(String(500))


class PayoutPolicy(Base):
    """What the firm has laid down for runs in a currency; the newest row is in force, and none is ever changed."""

    __tablename__ = "payout_policy"
    __table_args__ = (
        whole_minor("minimum_minor", least=0),
        whole_minor("large_above_minor", least=0),
        CheckConstraint("approvals >= 1 AND approvals <= 9", name="approvals_sensible"),
        CheckConstraint(
            "approvals_when_large >= approvals AND approvals_when_large <= 9", name="approvals_when_large_sensible"
        ),
        CheckConstraint("window_days >= 1 AND window_days <= 366", name="window_sensible"),
    )

    id: Mapped[Identifier]
    currency: Mapped[CurrencyCode] = mapped_column(index=True)
    minimum_minor: Mapped[int] = mapped_column(BigInteger)
    approvals: Mapped[int]
    large_above_minor: Mapped[int | None] = mapped_column(BigInteger)
    approvals_when_large: Mapped[int]
    window_days: Mapped[int]
    set_by: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[datetime]


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
    Column("paid_from", String(100)),
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
    paid_from: str | None = None
    """The account in the books that paid it, once it is settled."""

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class PayoutAttempt(Base):
    """One sending of one payout, committed with its key before the call.

    `request` is what the order says, frozen as JSON: later tries under the same key ask for the very same thing,
    whatever the firm is called by then.
    """

    __tablename__ = "payout_attempt"
    __table_args__ = (
        UniqueConstraint("payout_id", "number"),
        one_of("state", ATTEMPT_STATES),
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
    request: Mapped[str] = mapped_column(Text, server_default="{}")
    request_digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(20))
    started_at: Mapped[datetime]
    leased_until: Mapped[datetime]
    """Until when its sender has it to itself; a sender that died is taken over from after that."""
    finished_at: Mapped[datetime | None]
    detail: Mapped[str | None] = mapped_column(String(500))
    clean_looks: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many look-ups found nothing, each an hour or more after the one before."""
    looked_at: Mapped[datetime | None]


class PayoutReversal(Base):
    """Money of a settled payout that the provider took back, in part or wholly."""

    __tablename__ = "payout_reversal"
    __table_args__ = (whole_minor("amount_minor", least=1),)

    id: Mapped[Identifier]
    payout_id: Mapped[str] = mapped_column(ForeignKey("payout.id"), index=True)
    reference: Mapped[str] = mapped_column(String(100), unique=True)
    """The provider's name for it."""
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[CurrencyCode]
    reversed_on: Mapped[date] = mapped_column(Date)
    created_at: Mapped[datetime]

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


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
