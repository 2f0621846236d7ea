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
    """One maintainer's month in the books: opening + earned - paid = closing."""

    maintainer_id: str
    opening: Money
    earned: Money
    paid: Money
    closing: Money
    earnings: Sequence[Earning]
    payments: Sequence[Payment]


def account_of(maintainer_id: str, closing: Money, earnings: Sequence[Earning], payments: Sequence[Payment]) -> Account:
    """The account of a month that ended with `closing`; its opening follows from what moved."""
    earned = Money(sum(line.amount.minor for line in earnings), closing.currency)
    paid = Money(sum(payment.amount.minor for payment in payments), closing.currency)
    return Account(maintainer_id, closing - earned + paid, earned, paid, closing, earnings, payments)


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
