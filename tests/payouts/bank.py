"""A rail for tests that remembers what it was asked, and refuses or loses its answer where the test says so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from payouts.rails.rail import (
    Absent,
    Batch,
    Description,
    Found,
    Later,
    NoAnswer,
    Order,
    Outcome,
    OutOfFunds,
    Payer,
    Refused,
    Sent,
    Unknown,
)


@dataclass
class Bank:
    """Pays each key once, as the Protocol asks. `paid` is the bank's own book: what really left, by key."""

    paid: dict[str, Order] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Every call of `send`, by key, also those that only repeat."""
    looked_up: list[str] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    """Payee to the reason."""
    loses_answer_for: set[str] = field(default_factory=set)
    """Payees whose payments leave while nobody hears about it."""
    finds: bool = True
    """Whether a look-up is answered."""
    funds: int | None = None
    """What it can still pay, in minor units; None: whatever is asked."""
    closed: bool = False
    """Takes nothing at the moment."""
    about: Description = field(default_factory=lambda: Description("manual", "A bank", needs_iban=False))
    before_paying: Callable[[Order], None] = lambda order: None
    after_paying: Callable[[Order], None] = lambda order: None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def describe(self) -> Description:
        return self.about

    def send(self, order: Order) -> Outcome:
        with self._lock:
            self.asked.append(order.key)
        self.before_paying(order)
        if order.payee.name in self.refuses:
            return Refused(self.refuses[order.payee.name])
        if self.closed:
            return Later("Too many calls.")
        if self.funds is not None:
            if order.amount.minor > self.funds:
                return OutOfFunds("The balance does not reach.")
            self.funds -= order.amount.minor
        with self._lock:
            known = self.paid.setdefault(order.key, order)
        if known != order:
            return Refused("This key stands for another order.")
        self.after_paying(order)
        if order.payee.name in self.loses_answer_for:
            return Unknown("The line was cut before the answer.")
        return Sent(f"bank-{order.key}")

    def find(self, order: Order) -> Found:
        self.looked_up.append(order.key)
        if not self.finds:
            return NoAnswer("The bank does not answer.")
        return Sent(f"bank-{order.key}") if order.key in self.paid else Absent()

    def file(self, batch: Batch, payer: Payer | None) -> str | None:
        return None

    def amounts(self) -> list[str]:
        """What really left, as text."""
        return sorted(f"{order.payee.name} {order.amount}" for order in self.paid.values())
