"""The tables of audit records and of the chain behind them: append-only but for the sequencer's own row."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Identity, Index, Integer, String, Table, Text

from firm.columns import Base, UtcMoment

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
    Column("on_behalf_of", String(200)),
    Column("before_sha256", String(64)),
    Column("after_sha256", String(64)),
    Index("ix_audit_record_subject", "subject", "id"),
    Index("ix_audit_record_at", "at"),
)

# The chain: each record once, in the order in which the sequencer found it committed.
audit_link = Table(
    "audit_link",
    Base.metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("record_id", BigInteger().with_variant(Integer, "sqlite"), ForeignKey("audit_record.id"), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("uq_audit_link_record_id", "record_id", unique=True),
    CheckConstraint("seq >= 1", name="seq_from_one"),
)

# One row: who is sequencing, until when, and the head of the chain.
audit_sequencer = Table(
    "audit_sequencer",
    Base.metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("holder", String(60), nullable=False),
    Column("leased_until", UtcMoment, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    CheckConstraint("id = 1", name="only_one"),
)
