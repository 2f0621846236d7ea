"""Exchange rates: entered by a person, exact, and fixed once a month has used them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from firm.db import reading, transaction
from firm.errors import Invalid
from firm.exchange import operations as exchange
from firm.exchange.operations import RateInUse, RateMissing
from firm.exchange.rules import SCALE, InvalidRate, convert, parse_rate, rate_text
from firm.ledger import periods
from firm.money import InvalidMoney, Money, digits
from firm.month import Month
from tests import lovelace
from tests.firm.books import CLERK, NOW, OCTOBER

rates = st.integers(1, 10**14 - 1)


@given(rates)
def test_a_rate_reads_back_as_it_was_written(rate: int) -> None:
    assert parse_rate(rate_text(rate)) == rate


@given(st.integers(-(10**9), 10**9), st.integers(1, 100 * SCALE), *[st.sampled_from(["JPY", "EUR", "KWD"])] * 2)
def test_converting_is_exact_to_half_a_unit(minor: int, rate: int, source: str, target: str) -> None:
    exact = Fraction(minor * rate * 10 ** digits(target), SCALE * 10 ** digits(source))
    converted = convert(Money(minor, source), rate, target)
    assert abs(converted.minor - exact) <= Fraction(1, 2)
    assert convert(Money(-minor, source), rate, target) == -converted


@pytest.mark.parametrize(
    ("minor", "rate", "minor_after"), [(5, "0.1", 0), (15, "0.1", 2), (25, "0.1", 2), (-5, "0.1", 0), (-15, "0.1", -2)]
)
def test_half_a_unit_goes_to_the_even_one(minor: int, rate: str, minor_after: int) -> None:
    assert convert(Money(minor, "EUR"), parse_rate(rate), "USD").minor == minor_after


def test_currencies_without_cents_are_converted_by_their_own_digits() -> None:
    assert str(convert(Money(150_000, "JPY"), parse_rate("0.0067"), "USD")) == "1,005.00 USD"
    assert str(convert(Money(1_000, "KWD"), parse_rate("3.25"), "USD")) == "3.25 USD"


def test_what_grows_past_the_limit_is_refused() -> None:
    with pytest.raises(InvalidMoney, match="may not exceed"):
        convert(Money(10**15, "EUR"), parse_rate("999999"), "USD")


@pytest.mark.parametrize(
    "text",
    ["0", "0.00000000", "-1", "1e3", "1,5", "1.", ".5", "1.000000001", "1234567", "١.٥", "1_0", "+1", " 1", "NaN", ""],
)
def test_only_plain_rates_above_zero_are_rates(text: str) -> None:
    with pytest.raises(InvalidRate, match="above zero"):
        parse_rate(text)


@pytest.fixture
def firm(app: Flask) -> Flask:
    lovelace.establish(currency="USD")
    return app


def set_rate(currency: str, month: Month, rate: str) -> None:
    exchange.set_rate(currency, month, rate, source="ECB", by=CLERK, now=NOW)


def rates_for(month: Month, *currencies: str) -> dict[str, int]:
    with reading() as session:
        return exchange.rates_for(session, month, currencies)


def test_a_rate_holds_for_its_month_and_may_be_corrected(firm: Flask) -> None:
    set_rate("EUR", OCTOBER, "1.0850")
    set_rate("EUR", OCTOBER, "1.0860")
    set_rate("EUR", OCTOBER.next, "1.1")
    assert rates_for(OCTOBER, "EUR") == {"EUR": 108_600_000}
    assert rates_for(OCTOBER) == {}


def test_a_missing_rate_is_named(firm: Flask) -> None:
    set_rate("EUR", OCTOBER, "1.0850")
    with pytest.raises(RateMissing, match="no CHF rate for October 2026; enter it with `chambers rate set CHF 2026-10"):
        rates_for(OCTOBER, "EUR", "CHF")


def test_the_currency_of_the_books_needs_no_rate(firm: Flask) -> None:
    with pytest.raises(Invalid, match="needs no rate"):
        set_rate("USD", OCTOBER, "1")


def test_a_rate_that_a_month_has_used_stays(firm: Flask) -> None:
    set_rate("EUR", OCTOBER, "1.0850")
    with transaction() as session:
        periods.open_month(session, OCTOBER)
        periods.claim_step(session, OCTOBER, "recognize", items=0, total_minor=0, by=CLERK, now=NOW)
    with pytest.raises(RateInUse, match="October 2026 has been recognized"):
        set_rate("EUR", OCTOBER, "1.2")
    assert rates_for(OCTOBER, "EUR") == {"EUR": 108_500_000}
