"""Pure parts of a run: what an approval is bound to, and how a run ends."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable

from payouts.runs.model import Payout


def digest(payouts: Iterable[Payout]) -> str:
    """What an approval approves: every amount, payee, rail and destination, in the order of payees."""
    content = [
        [p.maintainer_id, p.amount_minor, p.currency, p.rail, p.destination_id, p.payee_name]
        for p in sorted(payouts, key=lambda payout: payout.maintainer_id)
    ]
    return hashlib.sha256(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def request_digest(payout: Payout, key: str) -> str:
    """What one attempt asks of its rail, without saying the account."""
    content = [key, payout.id, payout.amount_minor, payout.currency, payout.rail, payout.destination_id]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def state_of_run(states: Collection[str]) -> str:
    """What a released run is, from the states of its payouts."""
    done: Collection[str] = {"settled", "refused", "returned"}
    if not all(state in done for state in states):
        return "releasing"
    return "settled" if all(state == "settled" for state in states) else "partly-settled"
