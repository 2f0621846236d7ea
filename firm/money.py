"""Money: an integer of minor units with its currency beside it. No float ever comes near.

The number of digits is ISO 4217's (CLDR's differ for 13 currencies). Dividing uses the largest remainder, so
parts always sum to the whole and the odd cent goes to the same place for the same input.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from iso4217 import Currency as _IsoCurrency

from firm.errors import Invalid

LIMIT_MINOR = 10**15
"""No single amount may exceed this many minor units: sums of a thousand of them still fit 63 bits."""

LARGEST_SUM = 2**63 - 1
"""What a sum of amounts may come to: what both databases can hold."""

BASIS = 10_000
"""Rates are integers in basis points: 10 % is 1,000 of 10,000."""

_AMOUNT = re.compile(r"(-?)([0-9]{1,16})(?:\.([0-9]{1,4}))?", re.ASCII)
_DIGITS = re.compile(r"-?[0-9]{17,40}(\.[0-9]{1,4})?", re.ASCII)


class InvalidMoney(Invalid):
    """An amount or a currency that cannot be."""


class CurrencyMismatch(Invalid):
    """Two currencies met where only one may be."""


@lru_cache(maxsize=512)
def digits(currency: str) -> int:
    """How many decimal digits the currency has (ISO 4217): USD 2, JPY 0, KWD 3. Raises `InvalidMoney`."""
    try:
        exponent = _IsoCurrency(currency).exponent
    except ValueError as error:
        raise InvalidMoney(
            f"{currency!r} is not an ISO 4217 currency code such as USD or EUR.", field="currency"
        ) from error
    if exponent is None:
        raise InvalidMoney(
            f"{currency} has no minor unit and cannot be paid in; use a national currency.", field="currency"
        )
    return int(exponent)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents of USD, whole JPY) and its ISO 4217 currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise InvalidMoney("An amount is a whole number of minor units.")
        if not -LARGEST_SUM <= self.minor <= LARGEST_SUM:
            raise InvalidMoney("A sum may not exceed 63 bits of minor units.")
        digits(self.currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(0, currency)

    @classmethod
    def parse(cls, amount: str, currency: str) -> Money:
        """Read a decimal string such as "10000.00". Raises `InvalidMoney`, saying what is expected."""
        places = digits(currency)
        match = _AMOUNT.fullmatch(amount)
        if match is None and _DIGITS.fullmatch(amount):
            raise InvalidMoney(f"An amount may not exceed {cls(LIMIT_MINOR, currency)}.")
        if match is None:
            raise InvalidMoney('Write an amount as a decimal string such as "10000.00".')
        sign, whole, fraction = match[1], match[2], match[3] or ""
        if len(fraction) > places:
            raise InvalidMoney(f"{currency} has {places} decimal digits; {amount} has {len(fraction)}.")
        minor = int(whole + fraction.ljust(places, "0"))
        if minor > LIMIT_MINOR:
            raise InvalidMoney(f"An amount may not exceed {cls(LIMIT_MINOR, currency)}.")
        return cls(-minor if sign else minor, currency)

    @property
    def decimal(self) -> str:
        """The decimal string with the currency's own number of digits: "10000.00"."""
        places = digits(self.currency)
        sign, figures = "-" if self.minor < 0 else "", str(abs(self.minor)).rjust(places + 1, "0")
        return sign + (f"{figures[:-places]}.{figures[-places:]}" if places else figures)

    def __str__(self) -> str:
        """For people: "10,000.00 USD"."""
        sign, figures = ("-", self.decimal[1:]) if self.minor < 0 else ("", self.decimal)
        whole, point, fraction = figures.partition(".")
        return f"{sign}{int(whole):,}{point}{fraction} {self.currency}"

    def __add__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: Money) -> bool:
        self._same_currency(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same_currency(other)
        return self.minor <= other.minor

    def portion(self, rate_bp: int) -> Money:
        """The share of this amount that a rate in basis points takes, to the nearest minor unit."""
        return Money(portion(self.minor, rate_bp, BASIS), self.currency)

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Divide by weights with the largest remainder; the parts sum to the whole."""
        return [Money(part, self.currency) for part in split(self.minor, weights)]

    def _same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} cannot be added or compared.")


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum, zero of the currency when there are none."""
    result = Money.zero(currency)
    for amount in amounts:
        result += amount
    return result


def split(minor: int, weights: Sequence[int]) -> list[int]:
    """Divide an integer by integer weights with the largest remainder method (Hamilton's).

    Each part is within one unit of exact, a weight of zero gets zero, and a negative whole is divided as the
    mirror image of the positive one. Equal remainders go to the earlier weight, so the same input in the same
    order always gives the same parts. Raises `InvalidMoney` for negative weights, or none above zero.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise InvalidMoney("Divide by weights of zero or more, at least one of them above zero.")
    if minor < 0:
        return [-part for part in split(-minor, weights)]
    parts = [minor * weight // whole for weight in weights]
    left = minor - sum(parts)
    if left:
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(minor * weights[i] % whole), i))
        for i in by_remainder[:left]:
            parts[i] += 1
    return parts


def portion(minor: int, part: int, whole: int) -> int:
    """`part` of `whole` shares of an amount, to the nearest minor unit, halves in favor of the part."""
    return split(minor, [part, whole - part])[0]
