"""What a payment pays for, from what moved on the payable before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from firm.errors import InvariantBroken
from firm.ledger.queries import Movement
from firm.money import Money
from payouts.runs.entries import payout_of

EARNINGS = "earnings:"


class NotCovered(InvariantBroken):
    """A payment took more than was owed."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a payment takes of one cause: of `whole`, which came to be owed on a day, `amount` is paid with it."""

    source: str
    on: date
    whole: Money
    amount: Money

    @property
    def is_whole(self) -> bool:
        return self.amount == self.whole


@dataclass(frozen=True, slots=True)
class Cover:
    """The parts of one payment, in the order in which they came to be owed, and what stays payable after it."""

    parts: Sequence[Part]
    remaining: Money


@dataclass(slots=True)
class _Owed:
    """A cause, and how much of it is not paid yet; negative where it is to be set off."""

    source: str
    on: date
    whole: int
    left: int


_Taken = list[tuple[_Owed, int]]


def covers(movements: Sequence[Movement], amount: Money) -> Cover:
    """What a payment of `amount` pays for, after these movements of the payable (debit positive), in their order.

    What is to be set off goes first, then the oldest of what is owed. Earlier payments took by the same rule; what
    came back from one is owed again in its old place. The parts sum to the amount. Raises `NotCovered`.
    """
    owed: list[_Owed] = []
    payments: dict[str, _Taken] = {}
    for moved in movements:
        minor, payment = -moved.amount.minor, payout_of(moved.source)
        if payment and minor < 0:
            payments[payment] = _take(owed, -minor)
        elif payment in payments:
            _give_back(payments[payment], minor)
        else:
            owed.append(_Owed(moved.source, moved.on, minor, minor))
    taken = {id(one): minor for one, minor in _take(owed, amount.minor)}
    currency = amount.currency
    parts = [
        Part(one.source, one.on, Money(one.whole, currency), Money(taken[id(one)], currency))
        for one in owed
        if id(one) in taken
    ]
    return Cover(parts, Money(sum(one.left for one in owed), currency))


def _take(owed: Sequence[_Owed], amount: int) -> _Taken:
    set_off = [(one, one.left) for one in owed if one.left < 0]
    needed = amount - sum(minor for _, minor in set_off)
    taken: _Taken = []
    for one in owed:
        minor = min(one.left, needed)
        if minor > 0:
            taken.append((one, minor))
            needed -= minor
    if needed:
        raise NotCovered(f"A payment of {amount} minor units took {needed} more than was owed before it.")
    for one, minor in (*set_off, *taken):
        one.left -= minor
    return [*set_off, *taken]


def _give_back(taken: _Taken, amount: int) -> None:
    """Put back what came back: all of it with its set-offs, or of a part what was taken last."""
    if amount == sum(minor for _, minor in taken):
        for one, minor in taken:
            one.left += minor
        taken.clear()
        return
    for position in range(len(taken) - 1, -1, -1):
        one, minor = taken[position]
        back = min(max(minor, 0), amount)
        one.left += back
        taken[position] = (one, minor - back)
        amount -= back
