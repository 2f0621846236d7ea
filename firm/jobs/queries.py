"""Reading jobs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.jobs.model import Job


def page(session: Session, *, after: str, limit: int, kinds: Collection[str]) -> Sequence[Job]:
    """Jobs of these kinds, in the order of their ids."""
    query = select(Job).where(Job.kind.in_(sorted(kinds)), Job.id > after).order_by(Job.id).limit(limit)
    return session.scalars(query).all()


def number_waiting(session: Session, kinds: Collection[str]) -> int:
    """How many jobs of these kinds are not done yet."""
    waiting = Job.kind.in_(sorted(kinds)), Job.state.in_(["queued", "running"])
    return session.scalar(select(func.count()).select_from(Job).where(*waiting)) or 0


def parked(session: Session) -> Sequence[Job]:
    """Jobs that wait for a person."""
    return session.scalars(select(Job).where(Job.state == "parked").order_by(Job.id)).all()
