"""Fifty requests to approve, and fifty to release, the same run at the same moment: one effect, and no 500."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Iterator

import pyotp
import pytest
import time_machine
from flask import Flask

from firm import clock
from firm.actor import Role
from payouts import month_end
from tests import lovelace
from tests.api.callers import Caller, as_role, problem_of

FIFTY = 50
IN_TRANSIT = {"account": "liabilities:payouts-in-transit", "balance": {"amount": "-6250.00", "currency": "USD"}}


@pytest.fixture
def closed(served: Flask) -> Iterator[Flask]:
    """The firm of the examples after its first close, on each engine."""
    with time_machine.travel(lovelace.AFTER):
        with served.app_context():
            lovelace.set_up()
            month_end.close(lovelace.OCTOBER, by=lovelace.LEAD, now=lovelace.AFTER)
        yield served


def at_once(caller: Caller, path: str) -> Counter[int]:
    """The statuses of fifty posts that start together, each under a key of its own."""
    start = threading.Barrier(FIFTY)
    found: Counter[int] = Counter()

    def send() -> None:
        headers = {**caller.headers, "Idempotency-Key": uuid.uuid4().hex, "If-Match": "*"}
        client = caller.app.test_client()
        start.wait()
        answer = client.post(path, headers=headers)
        if answer.status_code >= 400:
            problem_of(answer)
        found[answer.status_code] += 1

    threads = [threading.Thread(target=send) for _ in range(FIFTY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.total() == FIFTY
    return found


def test_of_fifty_approvals_and_fifty_releases_one_of_each_takes_effect(closed: Flask) -> None:
    administrator, lead = as_role(closed, Role.ADMINISTRATOR), as_role(closed, Role.LEAD)
    number = administrator.post("/v1/payout-runs")["number"]
    path = f"/v1/payout-runs/{number}"
    administrator.post(f"{path}/proposal")
    lead.post("/v1/step-ups", {"code": pyotp.TOTP(lead.authenticator).at(clock.now())})

    approved = at_once(lead, f"{path}/approval")
    assert approved[201] == 1
    assert set(approved) <= {201, 409, 503}
    assert IN_TRANSIT in lead.get("/v1/trial-balance")["accounts"]
    assert len(lead.get(path)["approvals"]) == 1

    released = at_once(administrator, f"{path}/release")
    assert released[201] >= 1
    assert set(released) <= {201, 409, 503}
    for payout in lead.get(path)["payouts"]:
        whole = lead.get(f"/v1/payouts/{payout['id']}")
        assert whole["state"] == "sent"
        assert [attempt["state"] for attempt in whole["attempts"]] == ["sent"]
    with closed.app_context():
        lovelace.assert_books_hold()
