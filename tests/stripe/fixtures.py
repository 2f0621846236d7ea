"""`stripe_server`: a Stripe for one test, which fails the test if the contract was broken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stripe.server import Server, serving


@pytest.fixture(scope="session")
def running_stripe() -> Iterator[Server]:
    """One server for all tests of this process."""
    with serving() as server:
        yield server


@pytest.fixture
def stripe_server(running_stripe: Server) -> Iterator[Server]:
    """A new world. `url`, `api_key`, `clock`, `faults`, `log`, `state`, `secrets`, `webhooks`."""
    running_stripe.reset()
    yield running_stripe
    assert running_stripe.complaints == [], "\n".join(running_stripe.complaints)
