"""Dividing revenue: the parts are the whole, near their exact share, whatever the order."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from firm.allocation.rules import InvalidPlan, Plan, by_target, divide_all
from firm.money import BASIS, Money

ENGAGEMENTS = ("acme", "globex", "hooli", "initech")
PACKAGES = ("age", "ssh", "staticcheck", "sumdb")
RESERVES = ("on-ramp", "rainy-day")


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    overhead = draw(st.integers(0, BASIS))
    reserves: dict[str, int] = {}
    for name in draw(st.lists(st.sampled_from(RESERVES), unique=True)):
        reserves[name] = draw(st.integers(0, BASIS - overhead - sum(reserves.values())))
    weights = {name: draw(st.integers(0, 1_000_000)) for name in draw(st.lists(st.sampled_from(PACKAGES), unique=True))}
    assume(sum(weights.values()) or overhead + sum(reserves.values()) == BASIS)
    return Plan(overhead, reserves, weights)


revenues = st.dictionaries(
    st.sampled_from(ENGAGEMENTS), st.integers(0, 10**15).map(lambda minor: Money(minor, "USD")), max_size=4
)


@given(plans(), revenues)
def test_each_retainers_shares_are_its_revenue_to_the_cent(plan: Plan, revenue: dict[str, Money]) -> None:
    shares = divide_all(plan, revenue)
    for engagement, amount in revenue.items():
        assert sum(share.minor for share in shares if share.engagement_id == engagement) == amount.minor
    assert all(share.minor > 0 for share in shares)
    assert sum(by_target(shares).values()) == sum(amount.minor for amount in revenue.values())


@given(plans(), revenues, st.randoms(use_true_random=False))
def test_the_order_of_retainers_reserves_and_packages_changes_nothing(
    plan: Plan, revenue: dict[str, Money], random: Random
) -> None:
    def shuffled(mapping: dict[str, int]) -> dict[str, int]:
        return dict(random.sample(list(mapping.items()), len(mapping)))

    other = Plan(plan.overhead_bp, shuffled(dict(plan.reserves)), shuffled(dict(plan.weights)))
    again = dict(random.sample(list(revenue.items()), len(revenue)))
    assert divide_all(other, again) == divide_all(plan, revenue)


@example(Plan(1200, {"on-ramp": 977, "rainy-day": 1370}, {"age": 3, "ssh": 2, "staticcheck": 3, "sumdb": 60}), 3785)
@given(plans(), st.integers(0, 10**15))
def test_each_share_is_within_a_cent_of_exact(plan: Plan, minor: int) -> None:
    shares = by_target(divide_all(plan, {"acme": Money(minor, "USD")}))
    rest = BASIS - plan.overhead_bp - sum(plan.reserves.values())
    exact = {("overhead", ""): Fraction(plan.overhead_bp, BASIS)}
    exact |= {("reserve", name): Fraction(rate, BASIS) for name, rate in plan.reserves.items()}
    if rest:
        whole = sum(plan.weights.values())
        exact |= {("package", name): Fraction(rest * weight, BASIS * whole) for name, weight in plan.weights.items()}
    for target, part in exact.items():
        assert abs(shares.get(target, 0) - minor * part) < 1, target


@pytest.mark.parametrize(
    ("overhead", "reserves", "weights", "words"),
    [
        (10_001, {}, {"ssh": 1}, "between 0 and 100 %"),
        (-1, {}, {"ssh": 1}, "between 0 and 100 %"),
        (9_000, {"on-ramp": 1_001}, {"ssh": 1}, "between 0 and 100 %"),
        (0, {"on-ramp": -1}, {"ssh": 1}, "between 0 and 100 %"),
        (0, {}, {"ssh": -1}, "A package's weight is a whole number from 0 to 1,000,000"),
        (0, {}, {"ssh": 0}, "Give at least one package a weight above zero"),
        (0, {}, {}, "Give at least one package a weight above zero"),
    ],
)
def test_a_plan_that_does_not_add_up_is_refused(
    overhead: int, reserves: dict[str, int], weights: dict[str, int], words: str
) -> None:
    with pytest.raises(InvalidPlan, match=words):
        Plan(overhead, reserves, weights)


def test_a_firm_that_sets_everything_aside_needs_no_package() -> None:
    plan = Plan(9_000, {"on-ramp": 1_000}, {})
    assert plan.divide(Money(1001, "USD")) == [901, 100]
