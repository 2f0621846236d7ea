"""The Protocol of a rail and the values that pass through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from firm.money import Money


@dataclass(frozen=True, slots=True)
class Payee:
    """Whom an order pays: the account's holder, its number where the rail needs one, and its country."""

    name: str
    country: str
    iban: str | None = None
    bic: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One payment to make. `key` is its idempotency key, `group` the run it belongs to."""

    key: str
    payout_id: str
    group: str
    amount: Money
    payee: Payee
    memo: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The rail has it; `reference` is the rail's name for it."""

    reference: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Definitely not paid, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say whether it was paid; it must be looked up."""

    detail: str


@dataclass(frozen=True, slots=True)
class Absent:
    """A look-up found nothing: the rail never took the order."""


Outcome = Sent | Refused | Unknown


@dataclass(frozen=True, slots=True)
class Description:
    """What a rail can do. `currencies` is None where any will do."""

    name: str
    title: str
    needs_iban: bool
    currencies: frozenset[str] | None = None

    def takes(self, currency: str) -> bool:
        return self.currencies is None or currency in self.currencies


@dataclass(frozen=True, slots=True)
class Payer:
    """The firm as a rail's file names it."""

    name: str
    iban: str
    bic: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """All orders of one run on one rail, for rails that write a file."""

    message_id: str
    created_at: datetime
    execute_on: date
    orders: Sequence[Order]


class Rail(Protocol):
    """A way to pay. `send` and `find` are called with no transaction open."""

    def describe(self) -> Description: ...

    def send(self, order: Order) -> Outcome:
        """Pay, once for each key however often it is called. Failures are values; it raises only bugs."""
        ...

    def find(self, order: Order) -> Outcome | Absent:
        """What became of an order whose outcome nobody stored."""
        ...

    def file(self, batch: Batch, payer: Payer | None) -> str | None:
        """The file a person takes to the bank, or None on rails that need none. Same batch, same text."""
        ...
