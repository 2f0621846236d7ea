"""Schedules: rows that become jobs when they are due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from firm.actor import Actor, Role
from firm.db import AnyRow, claim, reading, transaction, use_case
from firm.jobs.model import Job, schedule
from firm.jobs.operations import enqueue, insert_unless_there

SCHEDULER = Actor("scheduler", Role.SYSTEM)


@dataclass(frozen=True, slots=True)
class Schedule:
    """What kind of job, and how often."""

    kind: str
    every: timedelta


@use_case
def keep(schedules: Mapping[str, Schedule], *, now: datetime) -> None:
    """Write the rows of schedules that are new or were changed. May be repeated, also by several workers."""
    with transaction() as session:
        for name, wanted in sorted(schedules.items()):
            values = {"kind": wanted.kind, "every_seconds": int(wanted.every.total_seconds())}
            insert_unless_there(session, schedule, {"name": name, "next_at": now, **values}, unique="name")
            session.execute(update(schedule).where(schedule.c.name == name).values(**values))


def tick(*, now: datetime) -> int:
    """Turn each due schedule into a job, once; times that were missed are not made up for. Says how many."""
    with reading() as session:
        if session.execute(select(schedule.c.name).where(schedule.c.next_at <= now).limit(1)).first() is None:
            return 0
    return _tick(now)


@use_case
def _tick(now: datetime) -> int:
    with transaction() as session:
        due = session.execute(select(schedule).where(schedule.c.next_at <= now).order_by(schedule.c.name)).all()
        return sum(_become_job(session, row, now) for row in due)


def _become_job(session: Session, row: AnyRow, now: datetime) -> bool:
    every = timedelta(seconds=row.every_seconds)
    missed = (now - row.next_at) // every
    mine = update(schedule).where(schedule.c.name == row.name, schedule.c.next_at == row.next_at)
    if not claim(session, mine.values(next_at=row.next_at + every * (missed + 1))):
        return False
    queued = Job.kind == row.kind, Job.state == "queued", Job.key.startswith(f"schedule:{row.name}:", autoescape=True)
    if session.scalar(select(Job.id).where(*queued).limit(1)) is not None:
        # The time before has not been worked off yet, and once is enough: restored books hold some kinds back for days.
        return False
    enqueue(session, row.kind, {}, key=f"schedule:{row.name}:{row.next_at.isoformat()}", by=SCHEDULER, now=now)
    return True
