"""The balances of the platform and of its connected accounts, and the balance transactions they are made of."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from tests.stripe.clock import Clock

CATEGORIES = {
    "adjustment": "other_adjustment",
    "charge": "charge",
    "payment": "charge",
    "payment_refund": "refund",
    "payout": "payout",
    "payout_cancel": "payout_reversal",
    "payout_failure": "payout_reversal",
    "refund": "refund",
    "refund_failure": "refund_failure",
    "stripe_fee": "fee",
    "topup": "topup",
    "transfer": "transfer",
    "transfer_refund": "transfer_reversal",
}
"""The reporting category of each type of balance transaction."""

_Purse = tuple[str | None, str]


class Ledger:
    """Whose money is where. None is the platform."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._available: dict[_Purse, int] = defaultdict(int)
        self._pending: dict[_Purse, list[dict[str, Any]]] = defaultdict(list)
        self.transactions: dict[str | None, dict[str, dict[str, Any]]] = defaultdict(dict)

    def post(
        self,
        account: str | None,
        kind: str,
        amount: int,
        currency: str,
        *,
        id: str,
        source: str,
        fee: int = 0,
        available_in: int = 0,
        description: str | None = None,
    ) -> str:
        """Add a balance transaction and return its id. `available_in` is in seconds."""
        now = self._clock.timestamp()
        posted = {
            "id": id,
            "object": "balance_transaction",
            "amount": amount,
            "available_on": now + available_in,
            "balance_type": "payments",
            "created": now,
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": _fee_details(fee, currency),
            "net": amount - fee,
            "reporting_category": CATEGORIES[kind],
            "source": source,
            "status": "pending" if available_in > 0 else "available",
            "type": kind,
        }
        self.transactions[account][id] = posted
        if available_in > 0:
            self._pending[account, currency].append(posted)
        else:
            self._available[account, currency] += posted["net"]
        return id

    def available(self, account: str | None, currency: str) -> int:
        self._settle(account, currency)
        return self._available[account, currency]

    def pending(self, account: str | None, currency: str) -> int:
        self._settle(account, currency)
        return sum(each["net"] for each in self._pending[account, currency])

    def currencies(self, account: str | None) -> list[str]:
        """In which the account has ever had money."""
        return sorted({each["currency"] for each in self.transactions[account].values()})

    def _settle(self, account: str | None, currency: str) -> None:
        """Make available what is due."""
        now = self._clock.timestamp()
        waiting = self._pending[account, currency]
        for each in [each for each in waiting if each["available_on"] <= now]:
            waiting.remove(each)
            each["status"] = "available"
            self._available[account, currency] += each["net"]


def _fee_details(fee: int, currency: str) -> list[dict[str, Any]]:
    if not fee:
        return []
    return [{"amount": fee, "application": None, "currency": currency, "description": "Fee", "type": "stripe_fee"}]
