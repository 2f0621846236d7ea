"""`python -m tests.stripe`, for a person or a product that runs beside it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from stripe import APIConnectionError, StripeClient

from tests.house.source import ROOT
from tests.receivers import Receiver, answering, receiver
from tests.stripe.sending import transfer


@pytest.fixture
def product() -> Iterator[Receiver]:
    """Where events are pushed to."""
    with receiver(answering(200)) as receiving:
        yield receiving


@pytest.fixture
def settings(product: Receiver) -> Iterator[dict[str, str]]:
    """What a server of its own prints for the product."""
    command = [sys.executable, "-m", "tests.stripe", "--port", "0", "--webhooks", product.url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield dict(process.stdout.readline().strip().split("=", 1) for _ in range(4))
        finally:
            process.terminate()


def test_a_product_can_be_pointed_at_it(settings: dict[str, str], product: Receiver) -> None:
    client = StripeClient(settings["STRIPE_API_KEY"], base_addresses={"api": settings["STRIPE_API_BASE"]})
    account = client.v2.core.accounts.create(
        {
            "configuration": {
                "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
            }
        }
    )
    steer(settings, "top-up", amount=10_000, currency="usd")
    steer(settings, "capability", account=account.id)
    steer(settings, "fault", operation="POST /v1/transfers", fault="DROP_AFTER")
    with pytest.raises(APIConnectionError):
        transfer(client, account.id, key="k")
    transfer(client, account.id, key="k")
    payout = steer(settings, "pay-out", account=account.id, currency="usd")
    assert steer(settings, "move", payout=payout["id"], status="paid")["status"] == "paid"
    assert "error" in steer(settings, "move", payout=payout["id"], status="pending")
    steer(settings, "advance", hours=25)
    assert [each["replayed"] for each in steer(settings, "log") if each["key"] == "k"] == [False, True]
    assert steer(settings, "judgment") == []
    _wait_for(product, "payout.paid")
    assert {each.path for each in product.messages} == {"/webhooks/stripe", "/webhooks/stripe-connect"}
    assert steer(settings, "reset")
    assert steer(settings, "log") == []


def steer(settings: dict[str, str], what: str, **asked: Any) -> Any:
    address = urlsplit(settings["STRIPE_API_BASE"])
    connection = HTTPConnection(str(address.hostname), address.port)
    connection.request("POST", f"/_/{what}", json.dumps(asked))
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def _wait_for(product: Receiver, event: str) -> None:
    until = time.monotonic() + 30
    while not any(event in each.body for each in list(product.messages)):
        assert time.monotonic() < until, f"{event} was not pushed"
        time.sleep(0.05)
