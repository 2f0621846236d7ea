"""The same key many times at once on real servers, on both databases: one effect, one body, and no error."""

from __future__ import annotations

import http.client
import json
import threading
from collections import defaultdict

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from bench.servers import Server
from tests.running.conftest import Firm

KEYS = 20
TIMES = 50
CALLERS = 8


@pytest.mark.slow
def test_fifty_requests_at_once_under_each_of_twenty_keys(server: Server, firm: Firm) -> None:
    work = [number for _ in range(TIMES) for number in range(KEYS)]
    lock, found = threading.Lock(), defaultdict(list)

    def call() -> None:
        connection = http.client.HTTPConnection(*server.address, timeout=60)
        while True:
            with lock:
                if not work:
                    return
                number = work.pop()
            found[number].append(_record(connection, firm, number))

    threads = [threading.Thread(target=call) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(KEYS):
        answers = found[number]
        assert len(answers) == TIMES
        assert {status for status, _ in answers} <= {201, 409}, answers
        assert len({body for status, body in answers if status == 201}) == 1
    assert _receipts(firm) == sorted(f"wire-{number}" for number in range(KEYS))


def _record(connection: http.client.HTTPConnection, firm: Firm, number: int) -> tuple[int, bytes]:
    body = {
        "invoice": firm.invoice,
        "amount": {"amount": "1.00", "currency": "USD"},
        "received_on": "2026-10-15",
        "reference": f"wire-{number}",
    }
    headers = {
        "Authorization": f"Bearer {firm.token}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"key-{number}",
    }
    connection.request("POST", "/v1/receipts", json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def _receipts(firm: Firm) -> list[str]:
    url = make_url(firm.url)
    engine = create_engine(url)
    with engine.connect() as connection:
        references = connection.scalars(text("SELECT reference FROM receipt")).all()
    engine.dispose()
    return sorted(references)
