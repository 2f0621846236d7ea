"""Reading jobs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.jobs.model import Job


def page(session: Session, *, after: str, limit: int, kinds: Collection[str]) -> Sequence[Job]:
    """Jobs of these kinds, in the order of their ids."""
    query = select(Job).where(Job.kind.in_(sorted(kinds)), Job.id > after).order_by(Job.id).limit(limit)
    return session.scalars(query).all()


def parked(session: Session) -> Sequence[Job]:
    """Jobs that wait for a person."""
    return session.scalars(select(Job).where(Job.state == "parked").order_by(Job.id)).all()
