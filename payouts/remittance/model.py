"""The table of remittance advices: append-only."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table, Text

from firm.columns import Base, UtcMoment, whole_minor

remittance_advice = Table(
    "remittance_advice",
    Base.metadata,
    Column("id", String(34), primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("payout_id", String(34), ForeignKey("payout.id"), nullable=False, unique=True),
    Column("maintainer_id", String(34), ForeignKey("maintainer.id"), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("figures", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("issued_at", UtcMoment, nullable=False),
    whole_minor("amount_minor", least=1),
    Index("ix_remittance_advice_maintainer", "maintainer_id", "id"),
)
