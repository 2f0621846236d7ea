"""The counter of each series."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, String, Table

from firm.columns import Base

number_series = Table(
    "number_series",
    Base.metadata,
    Column("name", String(40), primary_key=True),
    Column("last", Integer, nullable=False),
    CheckConstraint("last >= 0", name="last_not_negative"),
)
