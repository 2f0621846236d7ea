"""Amounts go to Stripe and come back unchanged, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firm.money import LIMIT_MINOR, Money
from payouts.rails.stripe.amounts import STEPS, UnpayableAmount, from_stripe, to_stripe

CURRENCIES = ("USD", "EUR", "JPY", "ISK", "UGX", "MGA", "KWD", "BHD", "HUF")


@pytest.mark.parametrize(
    ("amount", "currency", "at_stripe"),
    [
        ("10.00", "USD", 1000),
        ("10", "JPY", 10),
        ("10", "ISK", 1000),
        ("10", "UGX", 1000),
        ("10.00", "MGA", 10),
        ("10.120", "KWD", 10_120),
    ],
)
def test_each_currency_has_stripes_own_digits(amount: str, currency: str, at_stripe: int) -> None:
    money = Money.parse(amount, currency)
    assert to_stripe(money) == at_stripe
    assert from_stripe(at_stripe, currency.lower()) == money


@pytest.mark.parametrize(("minor", "currency"), [(0, "USD"), (-1, "USD"), (1001, "KWD"), (1050, "MGA")])
def test_what_cannot_be_paid_is_never_paid_in_part(minor: int, currency: str) -> None:
    with pytest.raises(UnpayableAmount):
        to_stripe(Money(minor, currency))


@pytest.mark.parametrize(("amount", "currency"), [(1050, "isk"), (1, "ugx")])
def test_what_the_books_cannot_hold_is_not_rounded(amount: int, currency: str) -> None:
    with pytest.raises(UnpayableAmount):
        from_stripe(amount, currency)


@given(st.integers(1, LIMIT_MINOR), st.sampled_from(CURRENCIES))
def test_whatever_can_be_paid_comes_back_the_same(minor: int, currency: str) -> None:
    step = STEPS.get(currency, 1)
    money = Money(minor * step, currency)
    assert from_stripe(to_stripe(money), currency) == money
