"""What the tests in this folder send."""

from __future__ import annotations

from typing import Any

from stripe import StripeClient


def transfer(client: StripeClient, to: str, *, key: str | None = None, amount: int = 5_000, payout: str = "p1") -> Any:
    """Pay through the SDK, as the product would."""
    options: Any = {} if key is None else {"idempotency_key": key}
    return client.v1.transfers.create(
        {
            "amount": amount,
            "currency": "usd",
            "destination": to,
            "transfer_group": "run-1",
            "metadata": {"payout": payout},
        },
        options,
    )


def count(client: StripeClient) -> int:
    """How many transfers of the run Stripe has made."""
    return len(list(client.v1.transfers.list({"transfer_group": "run-1", "limit": 100}).auto_paging_iter()))
