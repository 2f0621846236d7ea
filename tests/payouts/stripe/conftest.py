"""The product's own way to the tests' Stripe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from payouts.rails.provider import AccountRequest
from payouts.rails.stripe.accounts import StripeAccounts
from payouts.rails.stripe.client import Client
from payouts.rails.stripe.rail import StripeRail
from tests.stripe import accounts, balances
from tests.stripe.oracle import judge
from tests.stripe.server import Server

ADA = AccountRequest("ada", "pac_ada", "mnt_ada", "Ada", "ada@lovelace.example", "US")


@pytest.fixture
def client(stripe_server: Server) -> Iterator[Client]:
    """The limit of calls a second is lifted, the retries are the product's."""
    client = Client([stripe_server.api_key], base=stripe_server.url, calls_a_second=10_000)
    yield client
    client.close()


@pytest.fixture
def rail(client: Client) -> StripeRail:
    return StripeRail(client)


@pytest.fixture
def ada(client: Client, stripe_server: Server) -> str:
    """The account of a payee who may be paid, and 10,000.00 USD to pay from."""
    account = StripeAccounts(client).open(ADA).id
    accounts.set_capability(stripe_server.state, account)
    balances.top_up(stripe_server.state, 1_000_000, "usd")
    return account


@pytest.fixture(autouse=True)
def nothing_paid_twice(stripe_server: Server) -> Iterator[None]:
    """Whatever a test did, money is where Stripe's own log says."""
    yield
    assert judge(stripe_server.world) == []
