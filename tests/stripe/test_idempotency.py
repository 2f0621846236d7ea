"""Keys: what Stripe remembers under them, for whom and for how long."""

from __future__ import annotations

import threading

import pytest
from stripe import APIError, IdempotencyError, InvalidRequestError, RateLimitError, StripeClient

from tests.stripe import balances, faults
from tests.stripe.sending import count, transfer
from tests.stripe.server import Server

pytestmark = pytest.mark.usefixtures("funded")


def test_the_same_key_pays_once(client: StripeClient, ada: str) -> None:
    first, second = transfer(client, ada, key="k"), transfer(client, ada, key="k")
    assert first.id == second.id
    assert count(client) == 1
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert second.last_response.headers["Original-Request"] == first.last_response.request_id
    assert second.last_response.request_id != first.last_response.request_id


def test_a_fresh_key_pays_again(client: StripeClient, ada: str) -> None:
    transfer(client, ada, key="k1")
    transfer(client, ada, key="k2")
    assert count(client) == 2


def test_without_a_key_the_sdk_makes_one_up_for_each_call(
    client: StripeClient, ada: str, stripe_server: Server
) -> None:
    transfer(client, ada)
    transfer(client, ada)
    keys = [call.request.key for call in stripe_server.log if call.request.operation == "POST /v1/transfers"]
    assert None not in keys
    assert len(set(keys)) == 2


def test_a_key_is_forgotten_after_a_day(client: StripeClient, ada: str, stripe_server: Server) -> None:
    transfer(client, ada, key="k")
    stripe_server.clock.advance(hours=23, minutes=59)
    transfer(client, ada, key="k")
    assert count(client) == 1
    stripe_server.clock.advance(minutes=2)
    transfer(client, ada, key="k")
    assert count(client) == 2


def test_a_key_does_not_stand_for_other_parameters(client: StripeClient, ada: str) -> None:
    transfer(client, ada, key="k", amount=100)
    with pytest.raises(IdempotencyError) as refusal:
        transfer(client, ada, key="k", amount=101)
    assert refusal.value.http_status == 400
    assert refusal.value.code is None
    assert refusal.value.error.type == "idempotency_error"
    assert count(client) == 1


def test_a_key_belongs_to_one_account(client: StripeClient, ada: str, stripe_server: Server) -> None:
    transfer(client, ada, key="k")
    client.v1.payouts.create({"amount": 100, "currency": "usd"}, {"idempotency_key": "k", "stripe_account": ada})
    assert [call.status for call in stripe_server.log][-2:] == [200, 200]


def test_two_workers_with_one_key_pay_once(client: StripeClient, ada: str, stripe_server: Server) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        arrived.set()
        assert go_on.wait(10)

    stripe_server.faults.plan("POST /v1/transfers", faults.call_before(hold))
    first: list[str] = []
    worker = threading.Thread(target=lambda: first.append(transfer(client, ada, key="k").id))
    worker.start()
    assert arrived.wait(10)
    with pytest.raises(APIError) as refusal:
        transfer(client, ada, key="k")
    go_on.set()
    worker.join()
    assert refusal.value.http_status == 409
    assert refusal.value.error.code == "idempotency_key_in_use"
    assert first == [transfer(client, ada, key="k").id]
    assert count(client) == 1


def test_a_refusal_by_the_endpoint_is_kept_under_the_key(client: StripeClient, ada: str, stripe_server: Server) -> None:
    for _ in range(2):
        with pytest.raises(InvalidRequestError) as refusal:
            transfer(client, ada, key="k", amount=2_000_000)
        assert refusal.value.code == "balance_insufficient"
        balances.top_up(stripe_server.state, 5_000_000, "usd")
    assert refusal.value.headers["Idempotent-Replayed"] == "true"
    assert transfer(client, ada, key="k2", amount=2_000_000).amount == 2_000_000


def test_a_500_after_the_effect_is_told_again_under_the_key(
    client: StripeClient, ada: str, stripe_server: Server
) -> None:
    stripe_server.faults.plan("POST /v1/transfers", faults.ERROR_AFTER)
    for _ in range(2):
        with pytest.raises(APIError) as failure:
            transfer(client, ada, key="k")
        assert failure.value.http_status == 500
    assert failure.value.headers["Idempotent-Replayed"] == "true"
    assert count(client) == 1


def test_a_500_without_effect_is_told_again_too(client: StripeClient, ada: str, stripe_server: Server) -> None:
    stripe_server.faults.plan("POST /v1/transfers", faults.ERROR_KEPT)
    for _ in range(2):
        with pytest.raises(APIError):
            transfer(client, ada, key="k")
    assert count(client) == 0


@pytest.mark.parametrize("fault", [faults.rate_limited(), faults.LOCK_TIMEOUT], ids=lambda fault: fault.name)
def test_what_was_not_executed_leaves_the_key_free(
    client: StripeClient, ada: str, stripe_server: Server, fault: faults.Fault
) -> None:
    stripe_server.faults.plan("POST /v1/transfers", fault)
    with pytest.raises(RateLimitError) as refusal:
        transfer(client, ada, key="k")
    assert refusal.value.code is None
    assert refusal.value.error.code in ("rate_limit", "lock_timeout")
    transfer(client, ada, key="k")
    assert count(client) == 1


def test_a_request_that_makes_no_sense_leaves_the_key_free(
    client: StripeClient, ada: str, stripe_server: Server
) -> None:
    with pytest.raises(InvalidRequestError):
        transfer(client, ada, key="k", amount=-1)
    assert transfer(client, ada, key="k").amount == 5_000


def test_the_second_api_keeps_successes_for_thirty_days_and_no_failures(
    client: StripeClient, stripe_server: Server
) -> None:
    def account() -> str:
        return client.v2.core.accounts.create({"dashboard": "express"}, {"idempotency_key": "k"}).id

    stripe_server.faults.plan("POST /v2/core/accounts", faults.ERROR_KEPT)
    with pytest.raises(APIError):
        account()
    first = account()
    stripe_server.clock.advance(days=29)
    assert account() == first
    stripe_server.clock.advance(days=2)
    assert account() != first
    with pytest.raises(IdempotencyError):
        client.v2.core.accounts.create({"dashboard": "none"}, {"idempotency_key": "k"})
