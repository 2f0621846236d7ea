"""Reading jobs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.jobs.model import Job
from firm.listing import WHOLE, Slice, where_given


def page(session: Session, part: Slice = WHOLE, *, kinds: Collection[str], state: str | None = None) -> Sequence[Job]:
    """Jobs of these kinds, in one state or in any, in the order of their ids."""
    query = where_given(select(Job).where(Job.kind.in_(sorted(kinds))), (Job.state, state))
    return session.scalars(part.of(query, Job.id)).all()


def number_waiting(session: Session, kinds: Collection[str]) -> int:
    """How many jobs of these kinds are not done yet."""
    waiting = Job.kind.in_(sorted(kinds)), Job.state.in_(["queued", "running"])
    return session.scalar(select(func.count()).select_from(Job).where(*waiting)) or 0


def parked(session: Session) -> Sequence[Job]:
    """Jobs that wait for a person."""
    return session.scalars(select(Job).where(Job.state == "parked").order_by(Job.id)).all()
