"""The worker: takes jobs one after another until it is told to stop, and does the chores between them.

Any number of workers may run, on PostgreSQL also on several machines. A worker that is told to stop finishes the job it
has. One that is killed leaves a lease behind; when that has run out, another worker takes the job up again.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from flask import Flask, g
from sqlalchemy.exc import DBAPIError

from api import evidence
from api.errors import document, status_of
from api.jobs import SCHEDULES
from api.logs import told
from firm import clock, ids
from firm.db import reading
from firm.errors import Busy, ChambersError, InvariantBroken, Misconfigured
from firm.jobs import operations as jobs
from firm.jobs import schedules
from firm.jobs.kinds import Kind, Task
from firm.recovery import operations as recovery
from firm.webhooks.dispatch import dispatch

log = logging.getLogger("chambers.worker")

IDLE_SECONDS = 1
AWAY_SECONDS = 5
"""For how long the database is left alone after it did not answer."""

EVIDENCE_SECONDS = 10
HEARTBEATS = 4
"""How often in the time of a lease it is renewed."""

UNFORESEEN = "It failed in a way that nobody foresaw; the worker's log says more."


class Worker:
    """One worker of an application. `stop` may be set from a signal or another thread."""

    def __init__(self, app: Flask, kinds: Mapping[str, Kind], *, stop: threading.Event | None = None) -> None:
        self.name = f"{socket.gethostname()[:60]}:{os.getpid()}:{ids.new('wkr')[-6:]}"
        self.stop = stop or threading.Event()
        self._app = app
        self._kinds = kinds
        self._evidence_at = 0

    def run(self, *, once: bool = False) -> int:
        """Work until told to stop or, with `once`, until nothing is due. Says how many jobs were taken."""
        done, prepared = 0, False
        while not self.stop.is_set():
            try:
                with self._app.app_context():
                    prepared = prepared or self._prepare()
                    self._do_chores()
                    task = jobs.claim(self._allowed(), worker=self.name, now=clock.now())
                if task is not None:
                    self._do(task)
                    done += 1
                    continue
            except (Busy, DBAPIError) as error:
                if once:
                    raise
                log.warning("the database did not answer", exc_info=error)
                self.stop.wait(AWAY_SECONDS)
            if once:
                break
            self.stop.wait(IDLE_SECONDS)
        return done

    def _prepare(self) -> bool:
        schedules.keep(SCHEDULES, now=clock.now())
        return True

    def _allowed(self) -> Mapping[str, Kind]:
        """The kinds that may be done now: nothing leaves restored books before they are reconciled."""
        with reading() as session:
            held = recovery.waiting(session) is not None
        return {name: kind for name, kind in self._kinds.items() if not (held and kind.leaves_the_house)}

    def _do_chores(self) -> None:
        now = clock.now()
        schedules.tick(now=now)
        dispatch(now=now)
        if time.monotonic() >= self._evidence_at:
            evidence.keep(now=now)
            self._evidence_at = int(time.monotonic()) + EVIDENCE_SECONDS

    def _do(self, task: Task) -> None:
        started = time.perf_counter()
        with self._app.app_context(), self._kept_leased(task):
            g.request_id = task.by.request_id or ids.new("req")
            outcome = self._run(task, self._kinds[task.kind])
            fields = {"job_id": task.job_id, "kind": task.kind, "attempt": task.attempt, "outcome": outcome}
            duration = int((time.perf_counter() - started) * 1000)
            log.info("job %s: %s", task.kind, outcome, extra=told("job", **fields, duration_ms=duration))

    def _run(self, task: Task, kind: Kind) -> str:
        try:
            result = kind.run(replace(task, progress=_Progress(task)))
        except Busy as error:
            return self._put_back(task, kind, error.message)
        except (InvariantBroken, Misconfigured) as error:
            log.error("a job failed: %s", error.message, exc_info=error)
            return self._put_back(task, kind, error.message)
        except ChambersError as error:
            problem = document(status_of(error), error.slug(), error.message)
            jobs.refuse(task, problem, now=clock.now())
            return "refused"
        except Exception as error:  # border: one bad job must not stop the worker
            log.error("a job failed: %s", type(error).__name__, exc_info=error)
            return self._put_back(task, kind, UNFORESEEN)
        return "done" if jobs.finish(task, result, now=clock.now()) else "lost"

    def _put_back(self, task: Task, kind: Kind, sentence: str) -> str:
        jobs.put_back(task, sentence, kind=kind, now=clock.now())
        return "parked" if task.last_try else "put back"

    @contextmanager
    def _kept_leased(self, task: Task) -> Iterator[None]:
        """Renew the lease from a thread of its own, until the job is done or the lease is lost."""
        over = threading.Event()
        beat = threading.Thread(target=self._renew, args=(task, over), daemon=True)
        beat.start()
        try:
            yield
        finally:
            over.set()
            beat.join()

    def _renew(self, task: Task, over: threading.Event) -> None:
        while not over.wait(jobs.LEASE.total_seconds() / HEARTBEATS):
            try:
                with self._app.app_context():
                    if not jobs.renew(task, now=clock.now()):
                        return
            except (Busy, DBAPIError) as error:
                log.warning("a lease was not renewed; it is tried again", exc_info=error)


class _Progress:
    """Writes how far a job is: at its beginning and end, and not more than once a second between."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._written_at: int | None = None

    def __call__(self, done: int, total: int | None) -> None:
        second = int(time.monotonic())
        if second != self._written_at or done == total:
            jobs.note_progress(self._task, done, total)
            self._written_at = second
