"""The table of audit records: append-only."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, String, Table, Text

from firm.db import Base, UtcMoment

audit_record = Table(
    "audit_record",
    Base.metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("at", UtcMoment, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("token_id", String(34)),
    Column("request_id", String(100)),
    Column("verb", String(60), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("facts", Text, nullable=False),
    Index("ix_audit_record_subject", "subject", "id"),
    Index("ix_audit_record_at", "at"),
)
