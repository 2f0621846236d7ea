"""The table of adjustments: append-only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, String, Table, text

from firm.columns import Base, MonthText, UtcMoment, one_of, whole_minor
from firm.money import Money
from firm.month import Month

KINDS = ("correction", "advance", "advance-recovery", "withholding", "fee")

SIGNED = (
    "reverses_id IS NOT NULL OR kind = 'correction' OR (kind = 'advance' AND amount_minor > 0)"
    " OR (kind IN ('advance-recovery', 'withholding', 'fee') AND amount_minor < 0)"
)

adjustment = Table(
    "adjustment",
    Base.metadata,
    Column("id", String(34), primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("maintainer_id", String(34), ForeignKey("maintainer.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("month", MonthText, nullable=False),
    Column("adjusts_month", MonthText),
    Column("package_id", String(34), nullable=False, server_default=""),
    Column("amount_minor", BigInteger, nullable=False),
    Column("funded_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("payout_id", String(34), ForeignKey("payout.id")),
    Column("reverses_id", String(34), ForeignKey("adjustment.id")),
    Column("entry_source", String(120), ForeignKey("journal_entry.source"), nullable=False, unique=True),
    Column("made_at", UtcMoment, nullable=False),
    Column("made_by", String(200), nullable=False),
    one_of("kind", KINDS),
    whole_minor("amount_minor"),
    whole_minor("funded_minor"),
    CheckConstraint("amount_minor <> 0", name="amount_minor_not_zero"),
    CheckConstraint(SIGNED, name="signed_by_kind"),
    CheckConstraint("kind <> 'correction' OR adjusts_month IS NOT NULL", name="correction_names_its_month"),
    CheckConstraint("adjusts_month IS NULL OR adjusts_month < month", name="adjusts_an_earlier_month"),
    CheckConstraint(
        "funded_minor BETWEEN 0 AND amount_minor OR funded_minor BETWEEN amount_minor AND 0",
        name="funded_within_amount",
    ),
    CheckConstraint("funded_minor = 0 OR package_id <> ''", name="funded_by_a_package"),
    CheckConstraint("package_id = '' OR kind = 'correction'", name="only_corrections_are_charged"),
    CheckConstraint("reason <> ''", name="reason_given"),
    Index("ix_adjustment_month", "month", "maintainer_id"),
    Index("ix_adjustment_maintainer", "maintainer_id", "id"),
    Index(
        "uq_adjustment_reverses_id",
        "reverses_id",
        unique=True,
        sqlite_where=text("reverses_id IS NOT NULL"),
        postgresql_where=text("reverses_id IS NOT NULL"),
    ),
    Index(
        "uq_adjustment_payout_fee",
        "payout_id",
        unique=True,
        sqlite_where=text("payout_id IS NOT NULL AND reverses_id IS NULL"),
        postgresql_where=text("payout_id IS NOT NULL AND reverses_id IS NULL"),
    ),
)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One adjustment, as its row stands."""

    id: str
    number: str
    maintainer_id: str
    kind: str
    month: Month
    adjusts_month: Month | None
    package_id: str
    amount_minor: int
    funded_minor: int
    currency: str
    reason: str
    payout_id: str | None
    reverses_id: str | None
    entry_source: str
    made_at: datetime
    made_by: str

    @property
    def amount(self) -> Money:
        """What it does to the payable: positive is owed to the maintainer."""
        return Money(self.amount_minor, self.currency)

    @property
    def funded(self) -> Money:
        """What the package's fund bears of it."""
        return Money(self.funded_minor, self.currency)
