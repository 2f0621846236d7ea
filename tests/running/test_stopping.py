"""Workers that are stopped or killed in the middle of a request, on both databases: nothing is half done."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pysqlite3.dbapi2 as sqlite
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from api.app import create_core
from bench.servers import ROOT, Server, wait_until
from firm.db import db
from payouts import month_end
from payouts.rails.manual import ManualRail
from payouts.runs import approvals, preparation
from tests import lovelace
from tests.databases import settings_for
from tests.payouts import paying
from tests.running.conftest import Firm

Answer = tuple[int, bytes]
MOST_SECONDS = 30


@pytest.mark.slow
def test_a_stop_lets_the_request_under_way_finish(server: Server, firm: Firm) -> None:
    answers: list[Answer] = []
    caller = threading.Thread(target=lambda: answers.append(_record_receipt(server, firm, key="one")))
    with _nobody_can_write(firm) as let_them:
        caller.start()
        time.sleep(0.7)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.7)
        assert server.process.poll() is None, "it did not wait for the request under way"
        let_them()
        begun = time.monotonic()
        server.process.wait(timeout=MOST_SECONDS)
    caller.join(10)
    assert time.monotonic() - begun < MOST_SECONDS
    assert [status for status, _ in answers] == [201]
    assert _receipts(firm) == ["wire-one"]


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_leaves_nothing_and_the_retry_succeeds_once(server: Server, firm: Firm) -> None:
    answers: list[object] = []
    before = server.workers()

    def call() -> None:
        try:
            answers.append(_record_receipt(server, firm, key="two"))
        except (OSError, http.client.HTTPException) as error:
            answers.append(error)

    caller = threading.Thread(target=call)
    with _nobody_can_write(firm) as let_them:
        caller.start()
        time.sleep(0.7)
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        caller.join(10)
        let_them()
    assert not isinstance(answers[0], tuple), "the killed worker answered"
    wait_until(lambda: len(set(server.workers()) - set(before)) == 2, seconds=20, what=lambda: "no new workers")
    status, body = _until_answered(lambda: _record_receipt(server, firm, key="two"))
    assert status == 201, body
    assert _record_receipt(server, firm, key="two") == (201, body)
    assert _receipts(firm) == ["wire-two"]
    _assert_the_books_hold(firm)


@pytest.mark.slow
def test_a_stop_in_the_middle_of_sending_a_run_leaves_no_payout_half_done(firm: Firm) -> None:
    number = _approved_run(firm)
    command = [sys.executable, "-c", f"from api.cli import main; main(['run', 'send', {number!r}])"]
    with _nobody_can_write(firm) as let_them:
        sender = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **firm.environment}, stderr=subprocess.PIPE)
        time.sleep(1.5)
        sender.send_signal(signal.SIGTERM)
        let_them()
        sender.communicate(timeout=MOST_SECONDS)
    app = create_core(settings_for(firm.url))
    with app.app_context():
        assert set(paying.states(number).values()) <= {"reserved", "sending", "sent"}
        lovelace.assert_books_hold()
        paying.pay_run(number, ManualRail())
        assert set(paying.states(number).values()) == {"settled"}
        lovelace.assert_books_hold()
        _leave()


def _record_receipt(server: Server, firm: Firm, *, key: str) -> Answer:
    connection = http.client.HTTPConnection(*server.address, timeout=30)
    body = {
        "invoice": firm.invoice,
        "amount": {"amount": "1.00", "currency": "USD"},
        "received_on": "2026-10-15",
        "reference": f"wire-{key}",
    }
    headers = {"Authorization": f"Bearer {firm.token}", "Content-Type": "application/json", "Idempotency-Key": key}
    try:
        connection.request("POST", "/v1/receipts", json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _until_answered(call: Callable[[], Answer]) -> Answer:
    """Again and again while the key's first request counts as running, as a client does with 409 and 503."""
    deadline = time.monotonic() + 75
    while (found := call())[0] in (409, 503) and time.monotonic() < deadline:
        time.sleep(1)
    return found


@contextmanager
def _nobody_can_write(firm: Firm) -> Iterator[Callable[[], None]]:
    """Hold what a receipt needs, so that a request stands still in its middle; call what is yielded to let go."""
    url = make_url(firm.url)
    if url.get_backend_name() == "sqlite":
        holder = sqlite.connect(url.database, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        try:
            yield lambda: holder.execute("ROLLBACK")
        finally:
            holder.close()
        return
    app = create_core(settings_for(firm.url))
    with app.app_context(), db.engine.connect() as connection:
        connection.execute(text("LOCK TABLE invoice, payout IN EXCLUSIVE MODE"))
        yield connection.rollback
    with app.app_context():
        _leave()


def _receipts(firm: Firm) -> list[str]:
    app = create_core(settings_for(firm.url))
    with app.app_context(), db.engine.connect() as connection:
        found = [str(row[0]) for row in connection.execute(text("SELECT reference FROM receipt ORDER BY reference"))]
    with app.app_context():
        _leave()
    return found


def _assert_the_books_hold(firm: Firm) -> None:
    with create_core(settings_for(firm.url)).app_context():
        lovelace.assert_books_hold()
        _leave()


def _approved_run(firm: Firm) -> str:
    with create_core(settings_for(firm.url)).app_context():
        month_end.close(lovelace.OCTOBER, by=lovelace.LEAD, now=lovelace.AFTER)
        number = preparation.draft(rails={"manual": ManualRail()}, by=lovelace.ADMINISTRATOR, now=lovelace.AFTER)
        run = number.run.number
        approvals.propose(run, by=lovelace.ADMINISTRATOR, now=lovelace.AFTER)
        approvals.approve(run, by=lovelace.LEAD, now=lovelace.AFTER)
        _leave()
    return run


def _leave() -> None:
    db.session.remove()
    db.engine.dispose()
