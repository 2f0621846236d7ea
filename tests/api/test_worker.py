"""Workers: killed in the middle, stopped in the middle, and what they make of jobs that fail."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from flask import Flask

from api.cli import main
from api.worker import UNFORESEEN, Worker
from firm import clock
from firm.actor import Actor, Role
from firm.db import leaving_the_house, reading, transaction
from firm.errors import InvariantBroken, Refused
from firm.jobs import operations as jobs
from firm.jobs.kinds import Kind, Task, TryAgain
from firm.jobs.model import Job
from tests import lovelace
from tests.api import slow_worker
from tests.databases import TEST_KEY, running

ADA = Actor("ada", Role.LEAD)


class Stuck(Refused):
    """What a job of the tests is refused with."""


def promise(kind: str, payload: dict[str, Any] | None = None) -> str:
    with transaction() as session:
        return jobs.enqueue(session, kind, payload or {}, by=ADA, now=clock.now())


def job(identifier: str) -> Job:
    with reading() as session:
        return jobs.find(session, identifier)


def do(app: Flask, run: Callable[[Task], Any], **options: Any) -> Job:
    """One job, worked off."""
    identifier = promise("tests.letters")
    Worker(app, {"tests.letters": Kind(run, **options)}).run(once=True)
    return job(identifier)


@pytest.fixture
def apart(fresh_url: str) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts workers in processes of their own; what is left of them is killed at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-m", slow_worker.__name__, fresh_url])
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def wait_for(path: Path) -> None:
    until = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < until, f"{path.name} never came"
        time.sleep(0.01)


def test_a_job_whose_worker_was_killed_is_finished_by_another(
    fresh_url: str, apart: Callable[[], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    for app in running(fresh_url):
        identifier = promise(slow_worker.KIND, {"folder": str(tmp_path)})
        killed = apart()
        wait_for(tmp_path / "begun-1")
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        (tmp_path / "go-on").touch()
        other = Worker(app, slow_worker.KINDS)
        assert other.run(once=True) == 0, "the lease of the dead one still holds"
        later = clock.now() + jobs.LEASE + timedelta(seconds=1)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(clock, "now", lambda moment=later: moment)
            assert other.run(once=True) == 1
        assert (job(identifier).state, job(identifier).result) == ("done", '{"attempt": 2}')
        assert not (tmp_path / "ended-1").exists()


def test_a_worker_that_is_told_to_stop_finishes_its_job_and_takes_no_other(
    fresh_url: str, apart: Callable[[], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    for _ in running(fresh_url):
        first = promise(slow_worker.KIND, {"folder": str(tmp_path)})
        second = promise(slow_worker.KIND, {"folder": str(tmp_path)})
        stopped = apart()
        wait_for(tmp_path / "begun-1")
        stopped.terminate()
        time.sleep(0.2)
        (tmp_path / "go-on").touch()
        assert stopped.wait(timeout=30) == 0
        assert (job(first).state, job(second).state) == ("done", "queued")


def test_a_lease_is_renewed_while_the_job_goes_on(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=1))

    def long(task: Task) -> bool:
        time.sleep(1.5)
        with reading() as session:
            return jobs.find(session, task.job_id).leased_until > clock.now()  # type: ignore[operator]

    assert do(app, long).result == "true"


def test_what_to_do_again_later_is_queued(app: Flask) -> None:
    def no_paper(task: Task) -> None:
        raise TryAgain("The printer is out of paper.")

    found = do(app, no_paper)
    assert (found.state, found.last_error, found.attempts) == ("queued", "The printer is out of paper.", 1)


def test_what_the_business_refuses_ends_with_a_problem(app: Flask) -> None:
    def stuck(task: Task) -> None:
        raise Stuck("The door is stuck; push it.")

    found = do(app, stuck)
    assert found.state == "refused"
    assert '"status": 409' in (found.result or "")
    assert "problems/stuck" in (found.result or "")


@pytest.mark.parametrize("error", [KeyError("secret-inside"), InvariantBroken("It never rains here.")])
def test_what_nobody_foresaw_is_tried_again_and_parked_at_last(app: Flask, error: Exception) -> None:
    def rains(task: Task) -> None:
        raise error

    found = do(app, rains, delays=())
    assert (found.state, found.attempts) == ("parked", 1)
    assert found.last_error in (UNFORESEEN, "It never rains here.")


def test_one_bad_job_does_not_stop_the_others(app: Flask) -> None:
    def picky(task: Task) -> None:
        if task.payload["number"] == 2:
            raise ZeroDivisionError

    found = [promise("tests.letters", {"number": number}) for number in (1, 2, 3)]
    assert Worker(app, {"tests.letters": Kind(picky)}).run(once=True) == 3
    assert [job(identifier).state for identifier in found] == ["done", "queued", "done"]


def test_a_job_is_done_with_no_transaction_open(app: Flask) -> None:
    assert do(app, lambda task: leaving_the_house()).state == "done"


def test_progress_is_seen_while_the_job_goes_on(app: Flask) -> None:
    def counting(task: Task) -> list[int | None]:
        task.progress(0, 3)
        task.progress(3, 3)
        with reading() as session:
            found = jobs.find(session, task.job_id)
            return [found.done, found.total]

    assert do(app, counting).result == "[3, 3]"


def test_the_command_works_off_what_is_due(sqlite_url: str) -> None:
    for _ in running(sqlite_url):
        lovelace.set_up()
        with time_machine.travel(lovelace.AFTER):
            asked = jobs.ask("months.close", {"month": "2026-10"}, by=lovelace.LEAD, now=lovelace.AFTER)
            runner = CliRunner(env={"CHAMBERS_DATABASE_URL": sqlite_url, "CHAMBERS_SECRET_KEYS": TEST_KEY})
            assert runner.invoke(main, ["operation", "show", asked.id]).output.startswith("months.close is queued")
            result = runner.invoke(main, ["worker", "--once"])
            assert (result.exit_code, "jobs taken." in result.output) == (0, True), result.output
            shown = runner.invoke(main, ["operation", "show", asked.id, "--json"]).output
        assert '"state": "done"' in shown
        assert '"result": "/v1/months/2026-10"' in shown
        lovelace.assert_books_hold()
