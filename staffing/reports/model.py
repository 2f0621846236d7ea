"""The table of funded-work reports: append-only."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, String, Table, Text

from firm.columns import Base, MonthText, UtcMoment

funded_work_report = Table(
    "funded_work_report",
    Base.metadata,
    Column("id", String(34), primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("client_id", String(34), ForeignKey("client.id"), nullable=False),
    Column("from_month", MonthText, nullable=False),
    Column("until_month", MonthText, nullable=False),
    Column("figures", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("issued_at", UtcMoment, nullable=False),
    CheckConstraint("until_month > from_month", name="period_not_empty"),
    Index("ix_funded_work_report_client", "client_id", "id"),
)
