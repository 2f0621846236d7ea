"""The tables of jobs and schedules."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table, Text
from sqlalchemy.orm import Mapped, mapped_column

from firm.columns import Base, Identifier, UtcMoment, one_of

STATES = ("queued", "running", "done", "refused", "parked")


class Job(Base):
    """One piece of work. `result` is JSON: what a done job came to, or the problem a refused one ended with."""

    __tablename__ = "job"
    __table_args__ = (
        one_of("state", STATES),
        CheckConstraint(
            "(state = 'running') = (leased_by IS NOT NULL) AND (state = 'running') = (leased_until IS NOT NULL)",
            name="running_is_leased",
        ),
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        CheckConstraint("done >= 0 AND (total IS NULL OR total >= done)", name="progress_in_range"),
        Index("ix_job_state_run_at", "state", "run_at"),
        Index("ix_job_kind_id", "kind", "id"),
    )

    id: Mapped[Identifier]
    kind: Mapped[str] = mapped_column(String(60))
    payload: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    state: Mapped[str] = mapped_column(String(10))
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    leased_by: Mapped[str | None] = mapped_column(String(100))
    leased_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(500))
    done: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int | None] = mapped_column(Integer)
    result: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20))
    token_id: Mapped[str | None] = mapped_column(String(34))
    subject_id: Mapped[str | None] = mapped_column(String(34))
    request_id: Mapped[str | None] = mapped_column(String(100))
    on_behalf_of: Mapped[str | None] = mapped_column(String(200))
    finished_at: Mapped[datetime | None]


# What becomes a job again and again, and when next.
schedule = Table(
    "schedule",
    Base.metadata,
    Column("name", String(60), primary_key=True),
    Column("kind", String(60), nullable=False),
    Column("every_seconds", Integer, nullable=False),
    Column("next_at", UtcMoment, nullable=False),
    CheckConstraint("every_seconds > 0", name="every_positive"),
)
