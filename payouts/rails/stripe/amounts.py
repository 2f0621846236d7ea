"""Amounts as Stripe counts them. Its number of digits is ISO 4217's but for three currencies.

Stripe: "Special cases" of its supported currencies. ISK and UGX have no digits in ISO 4217, and two at Stripe that
must be zero; MGA has two in ISO 4217 and none at Stripe. Three-digit currencies must end in a zero.
"""

from __future__ import annotations

from collections.abc import Mapping

from firm.errors import Invalid
from firm.money import Money, digits

_DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}
STEPS: Mapping[str, int] = {"MGA": 100, **dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 10)}
"""In which currencies not every amount can be paid, and the smallest step in our minor units."""


class UnpayableAmount(Invalid):
    """An amount that Stripe cannot move, or that has no place in our books."""


def to_stripe(amount: Money) -> int:
    """The amount as Stripe counts it. Raises `UnpayableAmount` rather than to change it."""
    if amount.minor <= 0 or amount.minor % STEPS.get(amount.currency, 1):
        raise UnpayableAmount(f"{amount} cannot be paid over Stripe; pay a positive amount in whole steps.")
    more = _more_digits(amount.currency)
    return int(amount.minor * 10**more if more >= 0 else amount.minor // 10**-more)


def from_stripe(amount: int, currency: str) -> Money:
    """The amount in our minor units, also a negative one. Raises `UnpayableAmount` where a part would be lost."""
    code = currency.upper()
    more = _more_digits(code)
    if more > 0 and amount % 10**more:
        raise UnpayableAmount(f"Stripe speaks of {amount} of {code}, which our books cannot hold.")
    return Money(amount // 10**more if more >= 0 else amount * 10**-more, code)


def _more_digits(currency: str) -> int:
    iso = digits(currency)
    return _DIGITS.get(currency, iso) - iso
