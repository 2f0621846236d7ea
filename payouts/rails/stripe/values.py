"""What the product learns from Stripe, as plain values.

Words such as a payout's `status` are Stripe's own and may be new to us: compare, never enumerate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from firm.money import Money


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money moved from the firm's balance to a payee's account. `group` is the run, `metadata` names the payout."""

    id: str
    created_at: datetime
    amount: Money
    reversed: Money
    """How much of it has been taken back so far."""
    destination: str
    group: str | None
    metadata: Mapping[str, str]
    live: bool
    balance_transaction: str | None

    @property
    def payout_id(self) -> str | None:
        """Our payout that it pays, if it says so."""
        return self.metadata.get("payout")

    @property
    def came_back(self) -> bool:
        """Whether it was taken back whole, so that it stands for no payout any more."""
        return self.reversed == self.amount


@dataclass(frozen=True, slots=True)
class Reversal:
    """A transfer taken back, whole or in part."""

    id: str
    transfer_id: str
    created_at: datetime
    amount: Money
    metadata: Mapping[str, str]
    balance_transaction: str | None


@dataclass(frozen=True, slots=True)
class PayeePayout:
    """What an account at Stripe sent on to a bank: `pending`, `in_transit`, `paid`, `failed` or `canceled`.

    One that is `paid` may still become `failed` within some days; the money is then in the payee's account again.
    """

    id: str
    created_at: datetime
    amount: Money
    status: str
    arrives_on: date
    automatic: bool
    failure_code: str | None
    live: bool


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One line of a balance at Stripe: `net` is `amount` less `fee`. `kind` and `category` are Stripe's words."""

    id: str
    created_at: datetime
    available_at: datetime
    kind: str
    category: str
    amount: Money
    fee: Money
    net: Money
    source: str | None
    exchange_rate: Decimal | None


@dataclass(frozen=True, slots=True)
class Event:
    """That something happened. Its body is rendered in the version of an endpoint, so that only the names count:
    fetch the object and apply its present state. `account` is set when it happened in a payee's account.
    """

    id: str
    kind: str
    created_at: datetime
    account: str | None
    live: bool
    object_id: str | None
    object_kind: str | None
    api_version: str | None
