"""The real SDK, pointed at the tests' Stripe."""

from __future__ import annotations

import pytest
from stripe import StripeClient

from tests.stripe import accounts, balances
from tests.stripe.server import Server


@pytest.fixture
def client(stripe_server: Server) -> StripeClient:
    """Without retries of its own, so that a test sees every answer."""
    return StripeClient(stripe_server.api_key, base_addresses={"api": stripe_server.url}, max_network_retries=0)


@pytest.fixture
def ada(client: StripeClient, stripe_server: Server) -> str:
    """The account of a payee who may be paid."""
    account = client.v2.core.accounts.create(ONBOARDING)
    accounts.set_capability(stripe_server.state, account.id)
    return account.id


@pytest.fixture
def funded(stripe_server: Server) -> None:
    balances.top_up(stripe_server.state, 1_000_000, "usd")


ONBOARDING = {
    "contact_email": "ada@example.com",
    "dashboard": "express",
    "identity": {"country": "us", "entity_type": "individual"},
    "configuration": {"recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}},
    "defaults": {"responsibilities": {"fees_collector": "application", "losses_collector": "application"}},
    "include": ["configuration.recipient", "requirements"],
}
