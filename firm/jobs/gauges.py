"""What about jobs needs somebody's attention."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.gauge import Gauge, seconds_since
from firm.jobs.model import Job


def oldest_job_seconds(session: Session, now: datetime) -> int:
    """Jobs that are to run later do not count."""
    due = select(func.min(Job.run_at)).where(Job.state.in_(["queued", "running"]), Job.run_at <= now)
    return seconds_since(session.scalar(due), now)


def parked_jobs(session: Session, now: datetime) -> int:
    return session.scalar(select(func.count()).where(Job.state == "parked")) or 0


GAUGES = (
    Gauge("chambers_oldest_job_seconds", "For how long the oldest unfinished job has been due.", oldest_job_seconds),
    Gauge("chambers_parked_jobs", "Jobs that kept failing and wait for a person.", parked_jobs),
)
