"""The table of statements: append-only; a corrected one is a further version that refers to the first."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from firm.columns import Base, MonthText, UtcMoment, whole_minor

statement = Table(
    "statement",
    Base.metadata,
    Column("id", String(34), primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("maintainer_id", String(34), ForeignKey("maintainer.id"), nullable=False),
    Column("month", MonthText, nullable=False),
    Column("version", Integer, nullable=False),
    Column("corrects_id", String(34), ForeignKey("statement.id")),
    Column("currency", String(3), nullable=False),
    Column("opening_minor", BigInteger, nullable=False),
    Column("earned_minor", BigInteger, nullable=False),
    Column("adjusted_minor", BigInteger, nullable=False, server_default="0"),
    Column("paid_minor", BigInteger, nullable=False),
    Column("closing_minor", BigInteger, nullable=False),
    Column("figures", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("issued_at", UtcMoment, nullable=False),
    Column("reason", String(500)),
    UniqueConstraint("maintainer_id", "month", "version"),
    CheckConstraint("opening_minor + earned_minor + adjusted_minor - paid_minor = closing_minor", name="adds_up"),
    CheckConstraint("(version = 1) = (corrects_id IS NULL)", name="correction_refers"),
    whole_minor("opening_minor"),
    whole_minor("earned_minor"),
    CheckConstraint("(version = 1) = (reason IS NULL)", name="correction_says_why"),
    whole_minor("adjusted_minor"),
    whole_minor("paid_minor"),
    whole_minor("closing_minor"),
)
