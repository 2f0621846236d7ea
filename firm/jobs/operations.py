"""Jobs from promise to end: enqueue, claim, renew, finish, refuse, put back, park."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Update, and_, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor, Role
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim as claimed
from firm.db import reading, transaction, use_case
from firm.errors import NotFound, Refused
from firm.jobs.kinds import Kind, Task
from firm.jobs.model import Job

LEASE = timedelta(seconds=60)
"""How long a worker has a job without a word; it renews the lease several times within it."""

KEPT = timedelta(days=30)
"""How long a job that ended well can be looked up."""


class JobNotFound(NotFound):
    """No job has this id."""


class JobNotParked(Refused):
    """Only a parked job waits for somebody to set it going again."""


def enqueue(
    session: Session,
    kind: str,
    payload: Mapping[str, Any],
    *,
    key: str | None = None,
    run_at: datetime | None = None,
    by: Actor,
    now: datetime,
) -> str:
    """Promise a job in the caller's transaction and return its id; a key that is known already returns that job's."""
    identifier = ids.new("job")
    values = {
        "id": identifier,
        "kind": kind,
        "payload": json.dumps(payload, sort_keys=True, ensure_ascii=False),
        "key": key or identifier,
        "state": "queued",
        "run_at": run_at or now,
        "attempts": 0,
        "done": 0,
        "created_at": now,
        "created_by": by.name,
        "role": str(by.role),
        "token_id": by.token_id,
        "subject_id": by.subject_id,
        "request_id": by.request_id,
        "on_behalf_of": by.on_behalf_of,
    }
    insert_unless_there(session, Job.__table__, values, unique="key")
    return session.execute(select(Job.id).where(Job.key == values["key"])).scalar_one()


@use_case
def ask(kind: str, payload: Mapping[str, Any], *, by: Actor, now: datetime) -> Job:
    """Promise an operation that somebody asked for, with its audit record."""
    with transaction() as session:
        identifier = enqueue(session, kind, payload, by=by, now=now)
        audit.record(session, "operation.asked", identifier, {"kind": kind, **payload}, by=by, now=now)
        return session.get_one(Job, identifier)


def claim(kinds: Mapping[str, Kind], *, worker: str, now: datetime) -> Task | None:
    """Lease the job that has been due longest, or None when none of these kinds is due.

    A job whose workers died as often as its kind allows is parked on the way.
    """
    while True:
        # A look that takes no lock: an idle worker must not keep the writers of SQLite waiting.
        with reading() as session:
            if session.scalar(select(Job.id).where(_due(kinds, now)).limit(1)) is None:
                return None
        task = _claim_one(kinds, worker, now)
        if task is not None:
            return task


@use_case
def _claim_one(kinds: Mapping[str, Kind], worker: str, now: datetime) -> Task | None:
    with transaction() as session:
        due = select(Job).where(_due(kinds, now)).order_by(Job.run_at, Job.id).limit(1)
        job = session.scalars(due.with_for_update(skip_locked=True)).one_or_none()
        if job is None:
            return None
        kind = kinds[job.kind]
        if job.attempts >= kind.tries:
            sentence = "Its workers died, or stood still for longer than their lease, at every try."
            _park(session, _is_at(job.id, job.attempts), job.id, job.kind, job.attempts, sentence, now)
            return None
        values = {"state": "running", "attempts": job.attempts + 1, "leased_by": worker, "leased_until": now + LEASE}
        if not claimed(session, update(Job).where(Job.id == job.id, _due(kinds, now)).values(**values)):
            return None
        return _task(job, kind, worker, now)


def _task(job: Job, kind: Kind, worker: str, now: datetime) -> Task:
    attempt = job.attempts + 1
    return Task(
        job_id=job.id,
        kind=job.kind,
        payload=json.loads(job.payload),
        by=Actor(job.created_by, Role(job.role), job.token_id, job.request_id, job.subject_id, job.on_behalf_of),
        now=now,
        attempt=attempt,
        leased_by=worker,
        last_try=attempt >= kind.tries,
    )


@use_case
def renew(task: Task, *, now: datetime) -> bool:
    """Renew the lease; False when it ran out and another worker has the job."""
    with transaction() as session:
        return claimed(session, _held(task).values(leased_until=now + LEASE))


@use_case
def note_progress(task: Task, done: int, total: int | None) -> None:
    """Say how much of the job is done."""
    with transaction() as session:
        claimed(session, _held(task).values(done=done, total=total))


@use_case
def finish(task: Task, result: Any, *, now: datetime) -> bool:
    """Store what the job came to; False when the lease is gone, and then nothing is stored."""
    with transaction() as session:
        return claimed(session, _ended(task, "done", now).values(result=json.dumps(result), last_error=None))


@use_case
def refuse(task: Task, problem: Mapping[str, Any], *, now: datetime) -> bool:
    """End a job that the business refused, with the problem it ended with."""
    with transaction() as session:
        sentence = str(problem.get("detail", ""))[:500]
        return claimed(session, _ended(task, "refused", now).values(result=json.dumps(problem), last_error=sentence))


@use_case
def put_back(task: Task, sentence: str, *, kind: Kind, now: datetime) -> None:
    """A try failed: queue the job again after its delay, or park it when this was its last try."""
    with transaction() as session:
        if task.last_try:
            mine = and_(_is_at(task.job_id, task.attempt), Job.leased_by == task.leased_by)
            _park(session, mine, task.job_id, task.kind, task.attempt, sentence, now)
            return
        again = {"state": "queued", "run_at": now + kind.delay(task.attempt), "last_error": sentence[:500]}
        claimed(session, _held(task).values(**again, leased_by=None, leased_until=None))


@use_case
def set_going(job_id: str, *, by: Actor, now: datetime) -> Job:
    """Queue a parked job again, with all its tries. Raises `JobNotFound`, `JobNotParked`."""
    with transaction() as session:
        job = find(session, job_id, locked=True)
        before = digest(job)
        parked = update(Job).where(Job.id == job_id, Job.state == "parked")
        if not claimed(session, parked.values(state="queued", run_at=now, attempts=0, finished_at=None)):
            raise JobNotParked(f"The job {job_id} is {job.state}, not parked.")
        session.refresh(job)
        audit.record(session, "job.set-going", job_id, {}, before=before, after=job, by=by, now=now)
        return job


@use_case
def forget(*, now: datetime) -> None:
    """Delete the jobs that ended well long ago; parked ones stay."""
    with transaction() as session:
        session.execute(delete(Job).where(Job.state.in_(["done", "refused"]), Job.finished_at < now - KEPT))


def find(session: Session, job_id: str, *, locked: bool = False) -> Job:
    """Raises `JobNotFound`."""
    job = session.get(Job, job_id, with_for_update=locked or None)
    if job is None:
        raise JobNotFound(f"There is no job {job_id!r}.")
    return job


def insert_unless_there(session: Session, table: Any, values: Mapping[str, Any], *, unique: str) -> None:
    """Insert a row, or nothing when somebody has put one of the same unique column there."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    session.execute(dialect.insert(table).values(**values).on_conflict_do_nothing(index_elements=[unique]))


def _park(
    session: Session,
    where: ColumnElement[bool],
    job_id: str,
    kind: str,
    attempts: int,
    sentence: str,
    now: datetime,
) -> None:
    ended = {"state": "parked", "finished_at": now, "last_error": sentence[:500]}
    if claimed(session, update(Job).where(where).values(**ended, leased_by=None, leased_until=None)):
        facts = {"kind": kind, "attempts": attempts, "error": sentence[:500]}
        audit.record(session, "job.parked", job_id, facts, by=Actor("worker", Role.SYSTEM), now=now)


def _due(kinds: Mapping[str, Kind], now: datetime) -> ColumnElement[bool]:
    queued = and_(Job.state == "queued", Job.run_at <= now)
    abandoned = and_(Job.state == "running", Job.leased_until <= now)
    return and_(Job.kind.in_(sorted(kinds)), or_(queued, abandoned))


def _is_at(job_id: str, attempts: int) -> ColumnElement[bool]:
    """The job while the try of this number has it: what an earlier worker says no longer counts."""
    return and_(Job.id == job_id, Job.state == "running", Job.attempts == attempts)


def _held(task: Task) -> Update:
    return update(Job).where(_is_at(task.job_id, task.attempt), Job.leased_by == task.leased_by)


def _ended(task: Task, state: str, now: datetime) -> Update:
    return _held(task).values(state=state, finished_at=now, leased_by=None, leased_until=None)
