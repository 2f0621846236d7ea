"""The same key many times at once on real servers, on both databases: one effect, one body, and no error."""

from __future__ import annotations

import http.client
import json
import threading

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from bench.servers import Server
from tests.running.conftest import Firm

KEYS = 20
TIMES = 50


@pytest.mark.slow
def test_fifty_requests_at_once_under_each_of_twenty_keys(server: Server, firm: Firm) -> None:
    found: dict[int, list[tuple[int, bytes, bool]]] = {number: [] for number in range(KEYS)}
    together = threading.Barrier(TIMES)

    def call() -> None:
        connection = http.client.HTTPConnection(*server.address, timeout=60)
        for number in range(KEYS):
            connection.connect()
            together.wait(60)
            found[number].append(_record(connection, firm, number))
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(TIMES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answers in found.values():
        assert len(answers) == TIMES
        # Who comes while the first is under way waits for its answer, or is told to come again.
        assert {status for status, _, _ in answers} <= {201, 409, 503}, answers
        assert len({body for status, body, _ in answers if status == 201}) == 1
        assert sum(status == 201 and not replayed for status, _, replayed in answers) == 1
        assert any(replayed for _, _, replayed in answers)
    assert _receipts(firm) == sorted(f"wire-{number}" for number in range(KEYS))


def _record(connection: http.client.HTTPConnection, firm: Firm, number: int) -> tuple[int, bytes, bool]:
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
    return answer.status, answer.read(), answer.headers["Idempotent-Replayed"] is not None


def _receipts(firm: Firm) -> list[str]:
    url = make_url(firm.url)
    engine = create_engine(url)
    with engine.connect() as connection:
        references = connection.scalars(text("SELECT reference FROM receipt")).all()
    engine.dispose()
    return sorted(references)
