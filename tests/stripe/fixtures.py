"""`stripe_server`: a Stripe for one test, which fails the test if the contract was broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import stripe

from tests.stripe.server import Server, serving


@pytest.fixture(scope="session")
def running_stripe() -> Iterator[Server]:
    """One server for all tests of this process. The library tries as often as ever, and waits less in between."""
    with serving() as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
        patch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.05)
        yield server


@pytest.fixture
def stripe_server(running_stripe: Server) -> Iterator[Server]:
    """A new world. `url`, `api_key`, `clock`, `faults`, `log`, `state`, `secrets`, `webhooks`."""
    with new_world(running_stripe):
        yield running_stripe


@contextmanager
def new_world(server: Server) -> Iterator[None]:
    """A world that ends in a failure where somebody, the product or we, broke Stripe's description."""
    server.reset()
    yield
    assert server.complaints == [], "\n".join(server.complaints)
