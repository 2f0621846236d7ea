"""Money is whole minor units: it divides without losing a cent and reads only what it should."""

from __future__ import annotations

import time
from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso4217 import Currency

from firm import money
from firm.money import BASIS, LARGEST_SUM, LIMIT_MINOR, CurrencyMismatch, InvalidMoney, Money

PAYABLE = sorted(currency.code for currency in Currency if currency.exponent is not None)
minors = st.integers(-LIMIT_MINOR, LIMIT_MINOR)
weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=40).filter(any)


@given(minors, weights)
def test_the_parts_sum_to_the_whole(minor: int, weights: list[int]) -> None:
    assert sum(money.split(minor, weights)) == minor


@given(minors, weights)
def test_each_part_is_within_one_unit_of_its_exact_share(minor: int, weights: list[int]) -> None:
    whole = sum(weights)
    for part, weight in zip(money.split(minor, weights), weights, strict=True):
        assert abs(part * whole - minor * weight) < whole


@given(minors, weights)
def test_a_debt_is_divided_as_the_mirror_image_of_a_claim(minor: int, weights: list[int]) -> None:
    assert money.split(-minor, weights) == [-part for part in money.split(minor, weights)]


@given(minors, weights)
def test_a_weight_of_zero_gets_nothing(minor: int, weights: list[int]) -> None:
    parts = money.split(minor, [*weights, 0])
    assert [part for part, weight in zip(parts, [*weights, 0], strict=True) if weight == 0 and part] == []


@given(minors, weights, st.randoms(use_true_random=False))
def test_the_order_of_the_weights_decides_only_between_equals(minor: int, weights: list[int], random) -> None:
    order = list(range(len(weights)))
    random.shuffle(order)
    shuffled = money.split(minor, [weights[i] for i in order])
    by_weight: dict[int, list[int]] = defaultdict(list)
    by_weight_shuffled: dict[int, list[int]] = defaultdict(list)
    whole = sum(weights)
    for position, part in enumerate(money.split(minor, weights)):
        by_weight[abs(minor) * weights[position] % whole].append(part - minor * weights[position] // whole)
    for position, part in zip(order, shuffled, strict=True):
        by_weight_shuffled[abs(minor) * weights[position] % whole].append(part - minor * weights[position] // whole)
    assert {key: sum(ups) for key, ups in by_weight.items()} == {
        key: sum(ups) for key, ups in by_weight_shuffled.items()
    }


@given(minors, weights)
def test_the_same_division_gives_the_same_parts(minor: int, weights: list[int]) -> None:
    assert money.split(minor, weights) == money.split(minor, tuple(weights))


def test_the_odd_cent_goes_to_the_earliest_of_equals() -> None:
    assert money.split(100, [1, 1, 1]) == [34, 33, 33]
    assert money.split(-100, [1, 1, 1]) == [-34, -33, -33]
    assert money.split(200, [1, 1, 1]) == [67, 67, 66]


def test_the_odd_cent_goes_to_the_largest_remainder() -> None:
    assert money.split(10, [1, 2, 4]) == [1, 3, 6]


@given(minors, weights, st.integers(0, 39))
def test_a_heavier_weight_never_gets_less(minor: int, weights: list[int], position: int) -> None:
    parts = sorted(zip(weights, money.split(abs(minor), weights), strict=True))
    assert all(lighter[1] <= heavier[1] for lighter, heavier in pairwise(parts) if lighter[0] < heavier[0])


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [-1, 2], [1, -1]])
def test_nothing_is_divided_by_weights_that_make_no_sense(weights: list[int]) -> None:
    with pytest.raises(InvalidMoney, match="zero or more"):
        money.split(100, weights)


@given(minors, st.integers(0, BASIS))
def test_a_rate_and_its_rest_make_the_whole(minor: int, rate_bp: int) -> None:
    part = money.portion(minor, rate_bp, BASIS)
    assert 2 * abs(part * BASIS - minor * rate_bp) <= BASIS
    assert money.split(minor, [rate_bp, BASIS - rate_bp])[1] == minor - part


def test_half_a_cent_is_in_favor_of_the_part() -> None:
    assert Money(5, "USD").portion(1000) == Money(1, "USD")
    assert Money(-5, "USD").portion(1000) == Money(-1, "USD")
    assert Money(4, "USD").portion(1000) == Money(0, "USD")


@pytest.mark.parametrize("rate_bp", [-1, BASIS + 1])
def test_a_rate_lies_between_nothing_and_everything(rate_bp: int) -> None:
    with pytest.raises(InvalidMoney):
        Money(100, "USD").portion(rate_bp)


@given(minors, st.sampled_from(PAYABLE))
def test_an_amount_reads_back_as_it_was_written(minor: int, currency: str) -> None:
    amount = Money(minor, currency)
    assert Money.parse(amount.decimal, currency) == amount


@pytest.mark.parametrize(
    ("amount", "currency", "minor", "decimal", "for_people"),
    [
        ("1234", "JPY", 1234, "1234", "1,234 JPY"),
        ("1234.5", "EUR", 123450, "1234.50", "1,234.50 EUR"),
        ("-0.07", "EUR", -7, "-0.07", "-0.07 EUR"),
        ("1.234", "KWD", 1234, "1.234", "1.234 KWD"),
        ("-1000", "KWD", -1000000, "-1000.000", "-1,000.000 KWD"),
        ("0.0001", "CLF", 1, "0.0001", "0.0001 CLF"),
        ("-0", "USD", 0, "0.00", "0.00 USD"),
        ("007.5", "USD", 750, "7.50", "7.50 USD"),
    ],
)
def test_each_currency_has_its_own_digits(
    amount: str, currency: str, minor: int, decimal: str, for_people: str
) -> None:
    parsed = Money.parse(amount, currency)
    assert (parsed.minor, parsed.decimal, str(parsed)) == (minor, decimal, for_people)


@pytest.mark.parametrize(
    "amount",
    [
        *("1e5", "١٢٣", "1_000", " 1", "1 ", "+1", "--1", "1,000.00", "1.", ".5", "1.2.3", "", "-", "0x10", "1\n"),
        *("NaN", "Infinity", "-inf", "true", "１２", "1\u00a0000", "1\x00", "½", "1e300000", "9" * 5000),
    ],
)
def test_only_plain_decimal_strings_are_amounts(amount: str) -> None:
    with pytest.raises(InvalidMoney, match="decimal string"):
        Money.parse(amount, "EUR")


@pytest.mark.parametrize("amount", ["9" * 5_000_000, "1e300000", "-" * 100_000, "1." + "0" * 1_000_000])
def test_a_hostile_amount_is_refused_quickly(amount: str) -> None:
    begun = time.process_time()
    with pytest.raises(InvalidMoney):
        Money.parse(amount, "EUR")
    assert time.process_time() - begun < 0.1


@pytest.mark.parametrize(("amount", "currency"), [("1.0", "JPY"), ("1.234", "EUR"), ("1.2345", "KWD")])
def test_digits_that_the_currency_lacks_are_refused(amount: str, currency: str) -> None:
    with pytest.raises(InvalidMoney, match=f"{currency} has . decimal digits"):
        Money.parse(amount, currency)


@pytest.mark.parametrize("currency", ["usd", "XXX", "XAU", "", "USD ", "DEM", "US", "USDT", "$", "U\x00D"])
def test_only_national_currencies_in_use_are_currencies(currency: str) -> None:
    with pytest.raises(InvalidMoney):
        Money(1, currency)


@pytest.mark.parametrize("minor", [True, False, "1", None, b"1"])
def test_minor_units_are_whole_numbers(minor: object) -> None:
    with pytest.raises(InvalidMoney, match="whole number"):
        Money(minor, "EUR")  # type: ignore[arg-type]


def test_a_fraction_is_no_minor_unit() -> None:
    for minor in (float("nan"), float("inf"), 1.0, 0.5):
        with pytest.raises(InvalidMoney, match="whole number"):
            Money(minor, "EUR")  # type: ignore[arg-type]


@pytest.mark.parametrize("minor", [LIMIT_MINOR, -LIMIT_MINOR, 2**49, 0])
def test_amounts_up_to_the_limit_are_exact(minor: int) -> None:
    assert Money.parse(Money(minor, "JPY").decimal, "JPY").minor == minor


@pytest.mark.parametrize("minor", [LIMIT_MINOR + 1, -LIMIT_MINOR - 1, 2**53, 9 * LIMIT_MINOR])
def test_amounts_past_the_limit_are_refused(minor: int) -> None:
    with pytest.raises(InvalidMoney, match="may not exceed"):
        Money.parse(str(minor), "JPY")


@pytest.mark.parametrize("minor", [2**63, -(2**63), 10**30])
def test_sums_past_63_bits_are_refused(minor: int) -> None:
    with pytest.raises(InvalidMoney, match="may not exceed"):
        Money(minor, "JPY")


def test_a_sum_of_large_amounts_is_exact() -> None:
    most = Money(LIMIT_MINOR, "EUR")
    assert (most + most).minor == 2 * LIMIT_MINOR
    with pytest.raises(InvalidMoney, match="may not exceed"):
        Money(LARGEST_SUM, "EUR") + Money(1, "EUR")


@given(minors, minors)
def test_adding_and_taking_away_again_changes_nothing(a: int, b: int) -> None:
    one, other = Money(a // 2, "EUR"), Money(b // 2, "EUR")
    assert one + other - other == one
    assert one - one == Money.zero("EUR")
    assert (one < other) == (a // 2 < b // 2)
    assert (one <= other) == (a // 2 <= b // 2)


def test_two_currencies_are_never_added_or_compared() -> None:
    euro, dollar = Money(1, "EUR"), Money(1, "USD")
    for meet in (
        lambda: euro + dollar,
        lambda: euro - dollar,
        lambda: euro < dollar,
        lambda: euro <= dollar,
        lambda: money.total([euro, dollar], "EUR"),
    ):
        with pytest.raises(CurrencyMismatch, match="EUR and USD"):
            meet()


def test_the_sum_of_nothing_is_zero() -> None:
    assert money.total([], "KWD") == Money(0, "KWD")
    assert not money.total([Money(5, "KWD"), Money(-5, "KWD")], "KWD")


@pytest.mark.parametrize("amount", ["1" * 17, "99999999999999999999.00", "-" + "9" * 40])
def test_an_amount_that_is_too_large_is_told_so(amount: str) -> None:
    with pytest.raises(InvalidMoney, match=r"An amount may not exceed 10,000,000,000,000\.00 USD"):
        Money.parse(amount, "USD")
