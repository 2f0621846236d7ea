"""The table of work items."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, UniqueConstraint

from firm.columns import Base, UtcMoment, one_of

KINDS = ("commit", "review", "release", "triage", "refusal", "vulnerability", "advisory", "proposal")

work_item = Table(
    "work_item",
    Base.metadata,
    Column("id", String(34), primary_key=True),
    Column("package_id", String(34), ForeignKey("package.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("key", String(300), nullable=False),
    Column("title", String(500), nullable=False),
    Column("url", String(500), nullable=False, server_default=""),
    Column("person", String(200), nullable=False, server_default=""),
    Column("email", String(200), nullable=False, server_default=""),
    Column("maintainer_id", String(34), ForeignKey("maintainer.id")),
    Column("fixes", String(500), nullable=False, server_default=""),
    Column("authored_at", UtcMoment),
    # When it reached the public: the day a report counts it on. None where the source does not know, and for a
    # vulnerability that was withdrawn or is another one under a second name: no report counts those.
    Column("happened_at", UtcMoment),
    Column("imported_at", UtcMoment, nullable=False),
    UniqueConstraint("package_id", "kind", "key"),
    one_of("kind", KINDS),
    Index("ix_work_item_package_time", "package_id", "happened_at"),
    Index("ix_work_item_maintainer", "maintainer_id", "happened_at"),
)
