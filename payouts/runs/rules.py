"""Pure parts of a run: what an approval is bound to, how many are needed, and how a run ends."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from payouts.runs.model import Payout

DONE: Collection[str] = frozenset({"settled", "refused", "returned", "canceled", "held", "carried-over"})
NOT_PAID: Collection[str] = frozenset({"held", "carried-over"})
"""In the run for the record only: nobody approves them, and nothing of them is sent."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a firm has laid down for its runs, amounts in minor units.

    Less than `minimum` is carried over. `approvals` different people approve a run, and `approvals_when_large` where
    the run and what was approved in the `window_days` before it come to more than `large_above` together.
    """

    minimum: int = 0
    approvals: int = 1
    large_above: int | None = None
    approvals_when_large: int = 1
    window_days: int = 30

    def approvals_for(self, gross: int) -> int:
        """How many people have to approve, when the window's runs and this one come to `gross`."""
        large = self.large_above is not None and gross > self.large_above
        return self.approvals_when_large if large else self.approvals


def digest(payouts: Iterable[Payout]) -> str:
    """What an approval approves: every amount, payee, rail and destination, in the order of payees."""
    content = [
        [p.maintainer_id, p.amount_minor, p.currency, p.rail, p.destination_id, p.payee_name]
        for p in sorted(payouts, key=lambda payout: payout.maintainer_id)
        if p.state not in NOT_PAID
    ]
    return hashlib.sha256(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def request_digest(payout: Payout, key: str, request: str) -> str:
    """What one attempt asks of its rail, without saying the account."""
    content = [key, payout.id, payout.amount_minor, payout.currency, payout.rail, payout.destination_id, request]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def state_of_run(states: Collection[str]) -> str:
    """What a released run is, from the states of its payouts."""
    paid = [state for state in states if state not in NOT_PAID]
    if not all(state in DONE for state in paid):
        return "releasing"
    return "settled" if all(state == "settled" for state in paid) else "partly-settled"
