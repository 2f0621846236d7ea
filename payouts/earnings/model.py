"""The table of earnings."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
)

from firm.columns import Base, MonthText, one_of, whole_minor

KINDS = ("guarantee", "fixed-fee", "fund-share", "growth-share")
"""In the order in which they draw on a fund."""

earning = Table(
    "earning",
    Base.metadata,
    Column("month", MonthText, nullable=False),
    Column("maintainer_id", String(34), ForeignKey("maintainer.id"), nullable=False),
    Column("line", SmallInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("package_id", String(34), nullable=False, server_default=""),
    Column("amount_minor", BigInteger, nullable=False),
    Column("funded_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("explanation", String(500), nullable=False),
    PrimaryKeyConstraint("month", "maintainer_id", "line"),
    one_of("kind", KINDS),
    whole_minor("amount_minor", least=1),
    CheckConstraint("funded_minor BETWEEN 0 AND amount_minor", name="funded_within_amount"),
    Index("ix_earning_package", "month", "package_id"),
)
