"""Converting amounts with integers only."""

from __future__ import annotations

import re

from firm.errors import Invalid
from firm.money import Money, digits

SCALE = 10**8
_RATE = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,8}))?", re.ASCII)


class InvalidRate(Invalid):
    """Text that is no rate above zero."""


def parse_rate(text: str) -> int:
    """Read "1.0850" as hundred-millionths. Raises `InvalidRate`."""
    match = _RATE.fullmatch(text)
    rate = int(match[1] + (match[2] or "").ljust(8, "0")) if match else 0
    if rate == 0:
        raise InvalidRate('Write a rate above zero with at most eight decimal places, such as "1.0850".', field="rate")
    return rate


def rate_text(rate: int) -> str:
    """The rate as a decimal string without needless zeros."""
    whole, fraction = divmod(rate, SCALE)
    return f"{whole}.{fraction:08d}".rstrip("0").rstrip(".")


def convert(amount: Money, rate: int, currency: str) -> Money:
    """The amount in the other currency, to its nearest minor unit, halves to even (IEEE 754's default)."""
    numerator = amount.minor * rate * 10 ** digits(currency)
    denominator = SCALE * 10 ** digits(amount.currency)
    quotient, remainder = divmod(numerator, denominator)
    half = 2 * remainder - denominator
    if half > 0 or (half == 0 and quotient % 2):
        quotient += 1
    return Money(quotient, currency)
