"""What a statement says, from the figures of the books."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from firm.money import Money
from payouts.earnings.queries import Earning


@dataclass(frozen=True, slots=True)
class Payment:
    """A movement of the payable by a payout: what was reserved for one, or came back from one (negative)."""

    on: date
    rail: str
    reference: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Account:
    """One maintainer's month in the books."""

    maintainer_id: str
    opening: Money
    earnings: Sequence[Earning]
    payments: Sequence[Payment]

    @property
    def earned(self) -> Money:
        return Money(sum(line.amount.minor for line in self.earnings), self.opening.currency)

    @property
    def paid(self) -> Money:
        return Money(sum(payment.amount.minor for payment in self.payments), self.opening.currency)

    @property
    def closing(self) -> Money:
        return self.opening + self.earned - self.paid


def lines_of(account: Account, package_names: Mapping[str, str]) -> dict[str, object]:
    """The amounts of a statement as JSON values."""
    return {
        "currency": account.opening.currency,
        "opening": shown(account.opening),
        "earnings": [
            {
                "kind": line.kind,
                "package": package_names.get(line.package_id),
                "explanation": line.explanation,
                "adjusts": None,
                "amount": shown(line.amount),
            }
            for line in account.earnings
        ],
        "earned": shown(account.earned),
        "payouts": [
            {
                "on": payment.on.isoformat(),
                "rail": payment.rail,
                "reference": payment.reference,
                "amount": shown(payment.amount),
            }
            for payment in account.payments
        ],
        "paid": shown(account.paid),
        "closing": shown(account.closing),
    }


def shown(amount: Money) -> dict[str, str]:
    return {"amount": amount.decimal, "currency": amount.currency}


def frozen(figures: Mapping[str, object]) -> tuple[str, str]:
    """The figures as canonical JSON, and its SHA-256."""
    text = json.dumps(figures, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text, hashlib.sha256(text.encode()).hexdigest()
