"""Slow callers cost the others nothing: the shipped nginx keeps them away from the workers."""

from __future__ import annotations

import http.client
import os
import threading
import time

import pytest

from tests.running.conftest import Firm
from tests.running.proxy import Proxy, trusting_all
from tests.running.slow_callers import SlowCallers

SECONDS = int(os.environ.get("CHAMBERS_SLOW_SECONDS", "10"))
"""How long each round lasts; `make slow SECONDS_OF_SOCKETS=60` for the record in docs/running.md."""
CALLERS, PER_SECOND = 4, 20


@pytest.mark.slow
@pytest.mark.parametrize("number", [20, 200])
def test_slow_sockets_leave_normal_requests_quick(
    proxy: Proxy, sqlite_firm: Firm, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = _normal_requests(proxy, sqlite_firm.token, 2)
    with SlowCallers(proxy, number) as slow:
        beside = _normal_requests(proxy, sqlite_firm.token, SECONDS)
    with capsys.disabled():
        print(
            f"\n{number} slow sockets for {SECONDS} s ({slow.thrown_out} thrown out and back): {len(beside)} normal "
            f"requests, p50 {_ms(beside, 50)}, p99 {_ms(beside, 99)}, most {_ms(beside, 100)}; "
            f"alone p50 {_ms(alone, 50)}, p99 {_ms(alone, 99)}; 0 errors"
        )
    assert slow.held == number
    assert len(beside) > SECONDS * CALLERS * PER_SECOND // 3
    assert _percentile(beside, 99) < 1


def _normal_requests(proxy: Proxy, token: str, seconds: int) -> list[float]:
    """The seconds that each request of four steady callers took; every one of them must succeed."""
    took: list[float] = []
    failed: list[object] = []
    threads = [
        threading.Thread(target=_call_steadily, args=(proxy, token, seconds, took, failed)) for _ in range(CALLERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    return took


def _call_steadily(proxy: Proxy, token: str, seconds: int, took: list[float], failed: list[object]) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", proxy.port, timeout=10, context=trusting_all())
    headers = {"Authorization": f"Bearer {token}"}
    end = time.monotonic() + seconds
    while (begun := time.monotonic()) < end:
        try:
            connection.request("GET", "/v1/invoices", headers=headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                failed.append(answer.status)
        except (OSError, http.client.HTTPException) as error:
            failed.append(error)
            connection.close()
        took.append(time.monotonic() - begun)
        time.sleep(max(0, 1 / PER_SECOND - took[-1]))
    connection.close()


def _percentile(took: list[float], percent: int) -> float:
    return sorted(took)[min(len(took) - 1, len(took) * percent // 100)]


def _ms(took: list[float], percent: int) -> str:
    return f"{_percentile(took, percent) * 1000:.0f} ms"
