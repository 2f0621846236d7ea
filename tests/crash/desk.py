"""What people and the worker do in a life: look where things stand, and go on from there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from http import HTTPStatus

from flask import Flask
from sqlalchemy import select

from api.jobs import KINDS
from api.parts import parts
from api.worker import Worker
from firm import clock
from firm.db import reading
from firm.errors import Busy, Refused
from firm.jobs import operations as jobs
from firm.jobs.model import Job
from payouts import month_end
from payouts.runs import approvals, files, preparation, sending, settling
from payouts.runs.model import PayoutRun, RailFile
from payouts.runs.moves import RunNotInState
from payouts.runs.preparation import AlreadyInARun, NothingPayable
from tests.crash.firm import PARTNER
from tests.lovelace import ADMINISTRATOR, LEAD, OCTOBER
from tests.stripe.webhooks import Delivery

RELEASE = "payout-runs.release"
TICK = timedelta(milliseconds=10)
"""How far the clock moves each time that somebody looks at it."""


def set_clock(start: datetime) -> None:
    """Let the product's clock begin here; it ticks when it is read."""
    moment = start

    def now() -> datetime:
        nonlocal moment
        moment += TICK
        return moment

    clock.now = now


def work(app: Flask, *, by_worker: bool) -> None:
    """One person after the other does what is theirs to do, and then the worker what it was asked to."""
    with app.app_context():
        with suppress(Busy):
            month_end.close(OCTOBER, by=LEAD, now=clock.now())
        with suppress(RunNotInState, AlreadyInARun, Busy):
            # Somebody who works beside us was quicker.
            prepare()
        _release(by_worker=by_worker)
    Worker(app, KINDS).run(once=True)
    with app.app_context():
        _enter_proofs()


def do_chores(app: Flask, now: datetime) -> None:
    """Let the schedules of the house be set, and their first jobs done."""
    set_clock(now)
    Worker(app, KINDS).run(once=True)


def take_in(app: Flask, bag: Iterable[Delivery], acknowledge: Callable[[str], None]) -> None:
    """Open the door to the provider's deliveries, one after the other."""
    door = app.test_client()
    for delivery in bag:
        answer = door.post(delivery.path, data=delivery.body, headers=delivery.headers)
        if answer.status_code == HTTPStatus.OK:
            acknowledge(delivery.id)


def prepare() -> None:
    """Draft, propose and approve, from wherever the newest run stands."""
    run = newest_run()
    if run is None or run.state in ("settled", "partly-settled"):
        with suppress(NothingPayable):
            run = preparation.draft(rails=parts().rails, by=ADMINISTRATOR, now=clock.now()).run
    if run is not None and run.state == "draft":
        run = approvals.propose(run.number, by=ADMINISTRATOR, now=clock.now())
    for approver in (LEAD, PARTNER):
        if run is not None and run.state == "proposed":
            with suppress(approvals.AlreadyApproved):
                run = approvals.approve(run.number, by=approver, now=clock.now())


def _release(*, by_worker: bool) -> None:
    """Ask the worker for it, unless that was done; or send by hand, as at the shell."""
    run = newest_run()
    if run is None or run.state not in ("approved", "releasing"):
        return
    if not by_worker:
        with suppress(Busy):
            sending.send(run.number, rails=parts().rails, keys=parts().keys, by=LEAD, now=clock.now(), clock=clock.now)
        return
    with reading() as session:
        asked = session.scalar(select(Job.id).where(Job.kind == RELEASE, Job.payload.contains(run.id)))
    if asked is None:
        jobs.ask(RELEASE, {"run_id": run.id}, by=LEAD, now=clock.now())


def _enter_proofs() -> None:
    """Take written files to the bank, and enter that it has paid."""
    for run, rail in _written_files():
        files.file_of(run.number, rail, keys=parts().keys, by=LEAD, now=clock.now())
        for payout in sending.run_with_payouts(run.number)[1]:
            if payout.rail == rail and payout.state == "sent":
                now = clock.now()
                with suppress(Refused):
                    settling.settle(payout.id, reference="bank", on=now.date(), by=LEAD, now=now)


def _written_files() -> list[tuple[PayoutRun, str]]:
    with reading() as session:
        query = select(PayoutRun, RailFile.rail).join(RailFile, RailFile.run_id == PayoutRun.id)
        return [(run, rail) for run, rail in session.execute(query.order_by(RailFile.id))]


def newest_run() -> PayoutRun | None:
    with reading() as session:
        return session.scalar(select(PayoutRun).order_by(PayoutRun.id.desc()).limit(1))


@contextmanager
def overheard(say: Callable[[str], None]) -> Iterator[None]:
    """Whatever the product logs as an error is something wrong: nobody foresaw it."""
    handler = _Overhearing(say)
    logger = logging.getLogger("chambers")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Overhearing(logging.Handler):
    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        self._say(logging.Formatter().format(record))
