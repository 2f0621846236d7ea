"""The Protocol of a rail and the values that pass through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from firm.ledger import accounts
from firm.money import Money


@dataclass(frozen=True, slots=True)
class Payee:
    """Whom an order pays: the account's holder and country, and the account as the rail needs it.

    `account` is the payee's account at the provider, for rails that pay into one.
    """

    name: str
    country: str
    iban: str | None = None
    bic: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One payment to make, the same at every try. `key` is its idempotency key, `group` the run it belongs to."""

    key: str
    payout_id: str
    group: str
    amount: Money
    payee: Payee
    memo: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The rail has it; `reference` is the rail's name for it, and `at` when it took it, where the rail says that."""

    reference: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Definitely not paid, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say whether it was paid; it must be looked up."""

    detail: str


@dataclass(frozen=True, slots=True)
class OutOfFunds:
    """Definitely not paid, because the firm has too little money at the rail: the rest of the run waits for it."""

    detail: str


@dataclass(frozen=True, slots=True)
class Later:
    """Definitely not paid, and nothing is wrong with the order: try it again under the same key, at another time."""

    detail: str


@dataclass(frozen=True, slots=True)
class Absent:
    """A look-up found nothing: the rail never took the order."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A look-up was not answered: it says nothing about the order, and whatever was known of it still holds."""

    detail: str


Outcome = Sent | Refused | OutOfFunds | Later | Unknown
Found = Outcome | Absent | NoAnswer
"""What a look-up may come to."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a rail can do.

    `currencies` and `countries` (of payees) are None where any will do. `steps` gives, for currencies in which not
    every amount can be paid, the smallest step in minor units. `pays_from` is the account in the books that pays;
    where the rail `settles_when_sent`, our debt ends with the sending. `keeps_keys_for` says for how long the rail
    refuses to pay the same key twice; None: for ever. What goes over a rail that `writes_files` reaches the bank in one
    file for each run.
    """

    name: str
    title: str
    needs_iban: bool
    currencies: frozenset[str] | None = None
    countries: frozenset[str] | None = None
    needs_account: bool = False
    pays_from: str = accounts.BANK
    settles_when_sent: bool = False
    steps: Mapping[str, int] = field(default_factory=dict)
    keeps_keys_for: timedelta | None = None
    writes_files: bool = False

    def takes(self, currency: str) -> bool:
        return self.currencies is None or currency in self.currencies

    def reaches(self, country: str) -> bool:
        return self.countries is None or country in self.countries

    def payable_part(self, amount: Money) -> Money:
        """The largest part of a positive amount that the rail can pay."""
        return Money(amount.minor - amount.minor % self.steps.get(amount.currency, 1), amount.currency)


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

    def find(self, order: Order) -> Found:
        """What became of an order whose outcome nobody stored. `Unknown` only where the rail's answer leaves it open;
        `NoAnswer` where there was none.
        """
        ...

    def file(self, batch: Batch, payer: Payer | None) -> str | None:
        """The file a person takes to the bank, or None on rails that need none. Same batch, same text.

        Raises `Misconfigured` when it cannot be paid from the payer's account, also for a batch without orders.
        """
        ...
