"""Each thing that may go wrong, as the real SDK meets it: what it raises, and whether money has moved."""

from __future__ import annotations

import os
import signal
import time

import pytest
import stripe
from stripe import APIConnectionError, APIError, AuthenticationError, InvalidRequestError, StripeClient

from tests.stripe import faults
from tests.stripe.sending import count, transfer
from tests.stripe.server import Server

pytestmark = pytest.mark.usefixtures("funded")

NOTHING_MOVED = [
    (faults.DROP_BEFORE, APIConnectionError),
    (faults.RESET_BEFORE, APIConnectionError),
    (faults.silence_before(), APIConnectionError),
    (faults.rate_limited(), stripe.RateLimitError),
    (faults.rate_limited(retry_after=3), stripe.RateLimitError),
    (faults.LOCK_TIMEOUT, stripe.RateLimitError),
    (faults.KEY_IN_USE, APIError),
    (faults.ERROR_BEFORE, APIError),
    (faults.ERROR_KEPT, APIError),
    (faults.BAD_GATEWAY, APIError),
    (faults.HTML_PAGE, APIError),
    (faults.NO_FUNDS, InvalidRequestError),
    (faults.NOT_PAYABLE, InvalidRequestError),
    (faults.EXPIRED_KEY, AuthenticationError),
    (faults.FORBIDDEN, stripe.PermissionError),
    (faults.refused("amount_too_large", "That is too much."), InvalidRequestError),
]
MONEY_MOVED = [
    (faults.DROP_AFTER, APIConnectionError),
    (faults.RESET_AFTER, APIConnectionError),
    (faults.silence(), APIConnectionError),
    (faults.ERROR_AFTER, APIError),
    (faults.BAD_GATEWAY_AFTER, APIError),
    (faults.HTML_PAGE_AFTER, APIError),
    (faults.TRUNCATED, APIError),
    (faults.CUT_OFF, APIConnectionError),
]
FORKING = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
"""Newer Pythons warn of a fork beside threads; the child here leaves by `os._exit` or a kill."""

TOLD_AGAIN = (faults.ERROR_KEPT, faults.NO_FUNDS, faults.NOT_PAYABLE, faults.ERROR_AFTER)
"""Faults whose answer stays under the key, beside refusals by the endpoint."""


@pytest.fixture
def caller(stripe_server: Server, fault: faults.Fault) -> StripeClient:
    """An SDK that waits half a second for an answer that will not come, and for others as long as it takes."""
    return StripeClient(
        stripe_server.api_key,
        base_addresses={"api": stripe_server.url},
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=0.5 if fault.ending is faults.Ending.SILENT else 60),
    )


@pytest.mark.parametrize(("fault", "error"), NOTHING_MOVED, ids=lambda case: getattr(case, "name", None))
def test_nothing_has_moved_after(
    client: StripeClient,
    caller: StripeClient,
    ada: str,
    stripe_server: Server,
    fault: faults.Fault,
    error: type[Exception],
) -> None:
    stripe_server.faults.plan("POST /v1/transfers", fault)
    with pytest.raises(error):
        transfer(caller, ada, key="k")
    assert count(client) == 0
    assert stripe_server.faults.struck == {fault.name: 1}


@pytest.mark.parametrize(("fault", "error"), MONEY_MOVED, ids=lambda case: getattr(case, "name", None))
def test_money_has_moved_though_the_caller_sees(
    client: StripeClient,
    caller: StripeClient,
    ada: str,
    stripe_server: Server,
    fault: faults.Fault,
    error: type[Exception],
) -> None:
    stripe_server.faults.plan("POST /v1/transfers", fault)
    with pytest.raises(error):
        transfer(caller, ada, key="k")
    assert count(client) == 1


@pytest.mark.parametrize(
    "fault",
    [each for each, _ in NOTHING_MOVED + MONEY_MOVED if each not in TOLD_AGAIN and not each.kept],
    ids=lambda fault: fault.name,
)
def test_the_same_key_makes_it_good(
    client: StripeClient, caller: StripeClient, ada: str, stripe_server: Server, fault: faults.Fault
) -> None:
    stripe_server.faults.plan("POST /v1/transfers", fault)
    with pytest.raises(stripe.StripeError):
        transfer(caller, ada, key="k")
    assert transfer(client, ada, key="k").amount == 5_000
    assert count(client) == 1


def test_the_sdk_repeats_by_itself_what_it_may(stripe_server: Server, ada: str) -> None:
    client = StripeClient(stripe_server.api_key, base_addresses={"api": stripe_server.url}, max_network_retries=2)
    stripe_server.faults.plan("POST /v1/transfers", faults.DROP_AFTER)
    transfer(client, ada)
    assert count(client) == 1
    assert stripe_server.world.counts["POST /v1/transfers"] == 2


def test_the_headers_say_whether_and_when_to_repeat(client: StripeClient, ada: str, stripe_server: Server) -> None:
    stripe_server.faults.plan("POST /v1/transfers", faults.rate_limited(retry_after=7, should_retry=False))
    with pytest.raises(stripe.RateLimitError) as refusal:
        transfer(client, ada)
    assert refusal.value.headers["Retry-After"] == "7"
    assert refusal.value.headers["Stripe-Should-Retry"] == "false"
    assert refusal.value.request_id.startswith("req_")


def test_an_answer_may_come_late(client: StripeClient, ada: str, stripe_server: Server) -> None:
    stripe_server.faults.plan("POST /v1/transfers", faults.delay(0.2))
    stripe_server.faults.plan("POST /v1/transfers", faults.delay_before(0.2))
    for _ in range(2):
        started = time.monotonic()
        transfer(client, ada)
        assert time.monotonic() - started >= 0.2


def test_an_answer_may_come_byte_by_byte(client: StripeClient, ada: str, stripe_server: Server) -> None:
    stripe_server.faults.plan("POST /v1/transfers", faults.drip(0.0005))
    assert transfer(client, ada).amount == 5_000


def test_faults_strike_the_calls_they_are_planned_for(client: StripeClient, ada: str, stripe_server: Server) -> None:
    stripe_server.faults.plan("POST /v1/transfers", faults.NO_FUNDS, skip=2, times=2)
    seen = []
    for number in range(6):
        try:
            transfer(client, ada, payout=f"p{number}")
            seen.append("paid")
        except InvalidRequestError:
            seen.append("refused")
        client.v1.balance.retrieve()
    assert seen == ["paid", "paid", "refused", "refused", "paid", "paid"]


@FORKING
@pytest.mark.parametrize(("plan", "paid"), [(faults.call_before, 1), (faults.call_after, 1)])
def test_the_caller_can_be_killed_in_the_middle_of_a_call(
    client: StripeClient, ada: str, stripe_server: Server, plan: object, paid: int
) -> None:
    killed: list[int] = []

    def kill(_: object) -> None:
        killed.append(caller)
        os.kill(caller, signal.SIGKILL)

    caller = os.fork()
    if caller == 0:
        time.sleep(0.1)
        own = StripeClient(stripe_server.api_key, base_addresses={"api": stripe_server.url})
        transfer(own, ada, key="k")
        os._exit(0)
    stripe_server.faults.plan("POST /v1/transfers", plan(kill))  # type: ignore[operator]
    _, status = os.waitpid(caller, 0)
    assert os.WIFSIGNALED(status)
    assert killed == [caller]
    transfer(client, ada, key="k")
    assert count(client) == paid


@FORKING
def test_after_a_kill_what_was_sent_is_waited_for(ada: str, stripe_server: Server) -> None:
    for _ in range(20):
        caller = os.fork()
        if caller == 0:
            own = StripeClient(stripe_server.api_key, base_addresses={"api": stripe_server.url})
            for number in range(1_000):
                transfer(own, ada, amount=1, payout=f"p{number}")
            os._exit(0)
        time.sleep(0.03)
        os.kill(caller, signal.SIGKILL)
        os.waitpid(caller, 0)
        stripe_server.drain()
        made = len(stripe_server.state.of("transfer"))
        assert made == stripe_server.world.counts["POST /v1/transfers"]
        time.sleep(0.005)
        assert made == len(stripe_server.state.of("transfer"))


def test_one_of_every_kind_can_be_drawn(client: StripeClient, ada: str, stripe_server: Server) -> None:
    drawn = faults.every()
    assert len({each.name for each in drawn}) == len(drawn)
    assert {each.name for each, _ in NOTHING_MOVED + MONEY_MOVED} - {each.name for each in drawn} == {
        "401 expired key",
        "403",
        "refused: amount_too_large",
    }
