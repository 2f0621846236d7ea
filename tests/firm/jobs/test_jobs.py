"""Jobs from promise to end: once, in order of time, again after a crash, and parked when nothing helps."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from firm.actor import Actor, Role
from firm.audit.model import audit_record
from firm.db import reading, transaction
from firm.jobs import gauges, queries, schedules
from firm.jobs import operations as jobs
from firm.jobs.kinds import Kind, Task
from firm.jobs.model import Job
from firm.jobs.schedules import Schedule

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
ADA = Actor("ada", Role.LEAD, "tok_1", "req_1")
SECOND = timedelta(seconds=1)
KINDS = {"letters": Kind(lambda task: None, (SECOND, 2 * SECOND))}


def promise(number: int = 1, **options: Any) -> str:
    with transaction() as session:
        return jobs.enqueue(session, "letters", {"number": number}, **{"by": ADA, "now": NOON, **options})


def take(now: datetime = NOON, worker: str = "grace") -> Task | None:
    return jobs.claim(KINDS, worker=worker, now=now)


def taken(now: datetime = NOON, worker: str = "grace") -> Task:
    task = take(now, worker)
    assert task is not None
    return task


def job(identifier: str) -> Job:
    with reading() as session:
        return jobs.find(session, identifier)


def test_a_job_is_promised_with_the_change_or_not_at_all(app: Flask) -> None:
    def change_nothing() -> None:
        with transaction() as session:
            jobs.enqueue(session, "letters", {}, by=ADA, now=NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_nothing()
    assert take() is None


def test_a_job_runs_for_the_one_who_asked(app: Flask) -> None:
    promise(7)
    task = taken()
    assert (task.payload, task.by, task.attempt, task.last_try) == ({"number": 7}, ADA, 1, False)


def test_a_key_makes_one_job_for_ever(app: Flask) -> None:
    first = promise(1, key="sweep:2026-11-02")
    assert promise(2, key="sweep:2026-11-02") == first
    jobs.finish(taken(), None, now=NOON)
    assert promise(3, key="sweep:2026-11-02") == first
    assert take() is None


def test_jobs_are_taken_in_the_order_they_are_due_and_not_before(app: Flask) -> None:
    late, early = promise(1, run_at=NOON + SECOND), promise(2)
    assert taken().job_id == early
    assert take() is None
    assert taken(NOON + SECOND).job_id == late


def test_a_kind_that_a_worker_does_not_know_is_left_to_others(app: Flask) -> None:
    promise()
    assert jobs.claim({"papers": KINDS["letters"]}, worker="grace", now=NOON) is None


def test_what_a_worker_has_nobody_else_takes_until_its_lease_runs_out(app: Flask) -> None:
    promise()
    dead = taken(worker="grace")
    assert take(NOON + jobs.LEASE - SECOND, "ada") is None
    alive = taken(NOON + jobs.LEASE, "ada")
    assert (alive.job_id, alive.attempt) == (dead.job_id, 2)


def test_a_renewed_lease_holds(app: Flask) -> None:
    promise()
    task = taken()
    assert jobs.renew(task, now=NOON + jobs.LEASE - SECOND)
    assert take(NOON + jobs.LEASE + SECOND, "ada") is None


def test_a_worker_that_comes_back_late_changes_nothing(app: Flask) -> None:
    identifier = promise()
    late = taken(worker="grace")
    after = NOON + jobs.LEASE
    alive = taken(after, "grace")
    assert not jobs.renew(late, now=after)
    assert not jobs.finish(late, {"by": "late"}, now=after)
    assert not jobs.refuse(late, {"detail": "late"}, now=after)
    jobs.put_back(late, "late", kind=KINDS["letters"], now=after)
    jobs.note_progress(late, 5, 5)
    assert (job(identifier).state, job(identifier).done) == ("running", 0)
    assert jobs.finish(alive, {"by": "alive"}, now=after)
    assert job(identifier).result == '{"by": "alive"}'


def test_a_failed_try_is_made_again_later_and_later(app: Flask) -> None:
    identifier = promise()
    jobs.put_back(taken(), "The printer is out of paper.", kind=KINDS["letters"], now=NOON)
    assert (job(identifier).state, job(identifier).last_error) == ("queued", "The printer is out of paper.")
    assert take(NOON) is None
    jobs.put_back(taken(NOON + SECOND), "Still.", kind=KINDS["letters"], now=NOON + SECOND)
    assert take(NOON + 2 * SECOND) is None
    assert taken(NOON + 3 * SECOND).last_try


def test_what_keeps_failing_is_parked_with_an_alarm(app: Flask) -> None:
    identifier = promise()
    now = NOON
    for _ in range(KINDS["letters"].tries):
        jobs.put_back(taken(now), "Out of paper.", kind=KINDS["letters"], now=now)
        now += timedelta(minutes=1)
    assert job(identifier).state == "parked"
    assert take(now + timedelta(days=9)) is None
    assert alarms() == [identifier]
    with reading() as session:
        assert [one.id for one in queries.parked(session)] == [identifier]
        assert gauges.parked_jobs(session, now) == 1


def test_what_kills_its_workers_is_parked_too(app: Flask) -> None:
    identifier = promise()
    now = NOON
    for _ in range(KINDS["letters"].tries):
        taken(now)
        now += jobs.LEASE
    assert take(now) is None
    assert (job(identifier).state, alarms()) == ("parked", [identifier])


def test_somebody_sets_a_parked_job_going_again(app: Flask) -> None:
    identifier = promise()
    now = NOON
    for _ in range(KINDS["letters"].tries):
        jobs.put_back(taken(now), "Out of paper.", kind=KINDS["letters"], now=now)
        now += timedelta(minutes=1)
    jobs.set_going(identifier, by=ADA, now=now)
    assert taken(now).attempt == 1
    with pytest.raises(jobs.JobNotParked, match="running, not parked"):
        jobs.set_going(identifier, by=ADA, now=now)
    with pytest.raises(jobs.JobNotFound):
        jobs.set_going("job_nothing", by=ADA, now=now)


def test_what_the_business_refuses_is_not_tried_again(app: Flask) -> None:
    identifier = promise()
    jobs.refuse(taken(), {"detail": "October 2026 is closed."}, now=NOON)
    assert (job(identifier).state, job(identifier).last_error) == ("refused", "October 2026 is closed.")
    assert take(NOON + timedelta(days=9)) is None
    assert alarms() == []


def test_jobs_that_ended_well_are_forgotten_and_parked_ones_are_not(app: Flask) -> None:
    done, waiting = promise(1), promise(2, run_at=NOON + timedelta(days=90))
    jobs.finish(taken(), None, now=NOON)
    jobs.forget(now=NOON + jobs.KEPT + SECOND)
    with pytest.raises(jobs.JobNotFound):
        job(done)
    assert job(waiting).state == "queued"


def test_many_workers_at_once_take_each_job_once(app: Flask) -> None:
    promised = {promise(number) for number in range(20)}
    taken_by: dict[str, list[str]] = {name: [] for name in ("ada", "grace", "edsger", "barbara")}
    barrier = threading.Barrier(len(taken_by))

    def work(name: str) -> None:
        with app.app_context():
            barrier.wait()
            while (task := take(worker=name)) is not None:
                taken_by[name].append(task.job_id)
                jobs.finish(task, None, now=NOON)

    threads = [threading.Thread(target=work, args=(name,)) for name in taken_by]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = [identifier for found in taken_by.values() for identifier in found]
    assert len(everything) == len(promised)
    assert set(everything) == promised


def test_one_key_promised_by_many_at_once_is_one_job(app: Flask) -> None:
    found: list[str] = []
    barrier = threading.Barrier(4)

    def promise_it() -> None:
        with app.app_context():
            barrier.wait()
            found.append(promise(1, key="sweep"))

    threads = [threading.Thread(target=promise_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def tick(*, now: datetime) -> int:
    """What became due, worked off at once."""
    made = schedules.tick(now=now)
    while (task := take(now)) is not None:
        jobs.finish(task, None, now=now)
    return made


def test_a_schedule_becomes_a_job_when_it_is_due_and_once(app: Flask) -> None:
    schedules.keep({"daily letters": Schedule("letters", timedelta(days=1))}, now=NOON)
    assert tick(now=NOON) == 1
    assert tick(now=NOON) == 0
    assert tick(now=NOON + timedelta(hours=23)) == 0
    assert tick(now=NOON + timedelta(days=1)) == 1


def test_times_that_were_missed_are_not_made_up_for(app: Flask) -> None:
    schedules.keep({"daily letters": Schedule("letters", timedelta(days=1))}, now=NOON)
    tick(now=NOON)
    assert tick(now=NOON + timedelta(days=5, hours=1)) == 1
    assert tick(now=NOON + timedelta(days=5, hours=2)) == 0
    assert tick(now=NOON + timedelta(days=6)) == 1


def test_keeping_schedules_again_changes_how_often_and_not_when_next(app: Flask) -> None:
    schedules.keep({"letters": Schedule("letters", timedelta(days=1))}, now=NOON)
    tick(now=NOON)
    schedules.keep({"letters": Schedule("letters", timedelta(hours=1))}, now=NOON + SECOND)
    assert tick(now=NOON + timedelta(hours=23)) == 0
    assert tick(now=NOON + timedelta(days=1)) == 1
    assert tick(now=NOON + timedelta(days=1, hours=1)) == 1


def test_what_is_not_worked_off_yet_is_not_promised_again(app: Flask) -> None:
    schedules.keep({"daily letters": Schedule("letters", timedelta(days=1))}, now=NOON)
    days = [NOON + timedelta(days=day) for day in range(4)]
    assert [schedules.tick(now=day) for day in days[:3]] == [1, 0, 0]
    jobs.finish(taken(days[2]), None, now=days[2])
    assert schedules.tick(now=days[3]) == 1


def test_the_age_of_the_oldest_job_is_told(app: Flask) -> None:
    promise(1)
    promise(2, run_at=NOON + timedelta(hours=1))
    with reading() as session:
        assert gauges.oldest_job_seconds(session, NOON + timedelta(minutes=2)) == 120
        assert gauges.oldest_job_seconds(session, NOON - SECOND) == 0


def alarms() -> list[str]:
    """The subjects of the audit records that say that a job was parked."""
    with reading() as session:
        parked = select(audit_record.c.subject).where(audit_record.c.verb == "job.parked")
        return list(session.scalars(parked.order_by(audit_record.c.id)))
