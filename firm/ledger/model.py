"""The ledger's tables. They are Core tables: no object is ever built for a posting."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)

from firm.columns import Base, MonthText, UtcMoment, one_of, whole_minor

DIMENSIONS = ("client_id", "engagement_id", "package_id", "maintainer_id")
"""What a posting may concern; the empty string where it concerns none, so that keys stay comparable."""

BALANCE_KEY = ("account", "currency", *DIMENSIONS)

MOST_LINES = 20_000


def _dimensions() -> list[Column[str]]:
    return [Column(name, String(34), nullable=False, server_default="") for name in DIMENSIONS]


def _needs(account: str, dimension: str) -> CheckConstraint:
    name = f"{account.rpartition(':')[2].replace('-', '_')}_has_{dimension.removesuffix('_id')}"
    return CheckConstraint(f"account <> '{account}' OR {dimension} <> ''", name=name)


account = Table(
    "account",
    Base.metadata,
    Column("code", String(80), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("kind", String(10), nullable=False),
    PrimaryKeyConstraint("code", "currency"),
    one_of("kind", ["asset", "liability", "equity", "income", "expense"]),
)

PERIOD_STATES = ("open", "closed")

period = Table(
    "period",
    Base.metadata,
    Column("month", MonthText, primary_key=True),
    Column("state", String(6), nullable=False, server_default="open"),
    Column("closed_at", UtcMoment),
    Column("closed_by", String(200)),
    one_of("state", PERIOD_STATES),
    CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_has_moment"),
)

period_step = Table(
    "period_step",
    Base.metadata,
    Column("month", MonthText, ForeignKey("period.month"), nullable=False),
    Column("step", String(20), nullable=False),
    Column("done_at", UtcMoment, nullable=False),
    Column("done_by", String(200), nullable=False),
    Column("items", Integer, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint("month", "step"),
    whole_minor("total_minor"),
)

journal_entry = Table(
    "journal_entry",
    Base.metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("source", String(120), nullable=False, unique=True),
    Column("month", MonthText, nullable=False),
    Column("on_date", Date, nullable=False),
    Column("narration", String(500), nullable=False),
    Column("adjusts_month", MonthText),
    Column("reverses_id", BigInteger, ForeignKey("journal_entry.id")),
    Column("line_count", SmallInteger, nullable=False),
    Column("posted_at", UtcMoment, nullable=False),
    Column("posted_by", String(200), nullable=False),
    # What the lines refer to: with it a sealed entry can never get one more.
    UniqueConstraint("id", "line_count"),
    CheckConstraint(f"line_count BETWEEN 2 AND {MOST_LINES}", name="line_count_range"),
    CheckConstraint("adjusts_month IS NULL OR adjusts_month < month", name="adjusts_an_earlier_month"),
    Index("ix_journal_entry_month", "month", "id"),
    Index(
        "uq_journal_entry_reverses_id",
        "reverses_id",
        unique=True,
        sqlite_where=text("reverses_id IS NOT NULL"),
        postgresql_where=text("reverses_id IS NOT NULL"),
    ),
)

posting = Table(
    "posting",
    Base.metadata,
    Column("entry_id", BigInteger, nullable=False),
    Column("line", SmallInteger, nullable=False),
    Column("line_count", SmallInteger, nullable=False),
    Column("account", String(80), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    *_dimensions(),
    PrimaryKeyConstraint("entry_id", "line"),
    ForeignKeyConstraint(
        ["entry_id", "line_count"],
        ["journal_entry.id", "journal_entry.line_count"],
        deferrable=True,
        initially="DEFERRED",
        name="fk_posting_entry",
    ),
    ForeignKeyConstraint(["account", "currency"], ["account.code", "account.currency"], name="fk_posting_account"),
    CheckConstraint("line BETWEEN 1 AND line_count AND line = CAST(line AS BIGINT)", name="line_in_entry"),
    CheckConstraint("amount_minor <> 0", name="amount_minor_not_zero"),
    whole_minor("amount_minor"),
    _needs("assets:receivables", "client_id"),
    _needs("assets:unbilled-revenue", "engagement_id"),
    _needs("liabilities:deferred-revenue", "engagement_id"),
    CheckConstraint(
        "account NOT IN ('liabilities:payables', 'assets:advances', 'liabilities:withheld-tax') OR maintainer_id <> ''",
        name="payables_has_maintainer",
    ),
    _needs("liabilities:payouts-in-transit", "maintainer_id"),
    _needs("equity:funds:packages", "package_id"),
    _needs("expenses:maintainers", "maintainer_id"),
    Index("ix_posting_account_entry", "account", "currency", "entry_id"),
    Index(
        "ix_posting_maintainer",
        "maintainer_id",
        "account",
        "entry_id",
        sqlite_where=Column("maintainer_id", String) != "",
        postgresql_where=Column("maintainer_id", String) != "",
    ),
    # Clustered by its key: the rows of an entry lie together, and there is no second tree to write.
    sqlite_with_rowid=False,
)

balance = Table(
    "balance",
    Base.metadata,
    Column("account", String(80), nullable=False),
    Column("currency", String(3), nullable=False),
    *_dimensions(),
    Column("amount_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint(*BALANCE_KEY),
    Index("ix_balance_maintainer", "maintainer_id", "account"),
    sqlite_with_rowid=False,
)

balance_delta = Table(
    "balance_delta",
    Base.metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("account", String(80), nullable=False),
    Column("currency", String(3), nullable=False),
    *_dimensions(),
    Column("amount_minor", BigInteger, nullable=False),
    Index("ix_balance_delta_account", "account", "currency", "maintainer_id"),
)
