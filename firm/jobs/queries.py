"""Reading jobs: lists of them, and what an operator watches."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.jobs.model import Job


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many jobs wait or run, how many are parked, and for how long the oldest one has been due."""

    waiting: int
    parked: int
    oldest: timedelta


def page(session: Session, *, after: str, limit: int, kinds: Collection[str]) -> Sequence[Job]:
    """Jobs of these kinds, in the order of their ids."""
    query = select(Job).where(Job.kind.in_(sorted(kinds)), Job.id > after).order_by(Job.id).limit(limit)
    return session.scalars(query).all()


def parked(session: Session) -> Sequence[Job]:
    """Jobs that wait for a person."""
    return session.scalars(select(Job).where(Job.state == "parked").order_by(Job.id)).all()


def backlog(session: Session, *, now: datetime) -> Backlog:
    """What an operator watches; jobs that are to run later do not count."""
    due = select(func.count(), func.min(Job.run_at)).where(Job.state.in_(["queued", "running"]), Job.run_at <= now)
    waiting, oldest = session.execute(due).one()
    count = session.scalar(select(func.count()).where(Job.state == "parked")) or 0
    return Backlog(waiting, count, now - oldest if oldest else timedelta(0))
