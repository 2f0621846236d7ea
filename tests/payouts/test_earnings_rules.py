"""Working out earnings: whatever the terms, nothing is drawn that is not there, and order does not matter."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from payouts.earnings.rules import Line, MonthFigures, Terms, charge, growth_of, percent, used_by_package, work_out

PACKAGES = ("age", "ssh", "staticcheck")
PEOPLE = ("ada", "grace", "mary", "emil")
NAMES = {package: package for package in PACKAGES}
amounts = st.integers(0, 10**9)
rates = st.integers(0, 10_000)


@st.composite
def terms(draw: st.DrawFn, who: str) -> Terms:
    return Terms(
        who,
        guarantee=draw(amounts),
        growth_bp=draw(rates),
        baseline=draw(amounts),
        cap=draw(st.none() | amounts),
        fund_shares=tuple((name, draw(st.integers(1, 10_000))) for name in draw(st.sets(st.sampled_from(PACKAGES)))),
        fixed_fees=tuple((name, draw(st.integers(1, 10**8))) for name in draw(st.sets(st.sampled_from(PACKAGES)))),
    )


teams = st.sets(st.sampled_from(PEOPLE)).flatmap(lambda names: st.tuples(*(terms(who=name) for name in sorted(names))))
times = st.dictionaries(
    st.sampled_from(PEOPLE),
    st.lists(st.tuples(st.sampled_from(PACKAGES), st.integers(0, 310_000)), max_size=3, unique_by=lambda one: one[0]),
)
figures = st.builds(
    MonthFigures,
    currency=st.just("USD"),
    revenue=amounts,
    allocated=st.dictionaries(st.sampled_from(PACKAGES), amounts),
    funds=st.dictionaries(st.sampled_from(PACKAGES), amounts),
    package_names=st.just(NAMES),
)


@given(teams, times, figures)
def test_no_fund_gives_more_than_it_holds_and_no_line_takes_more_than_it_is(
    team: tuple[Terms, ...], time: dict[str, list[tuple[str, int]]], month: MonthFigures
) -> None:
    lines = work_out(team, time, month)
    assert all(0 <= line.funded <= line.amount for line in lines)
    assert all(used <= month.funds.get(package, 0) for package, used in used_by_package(lines).items())
    for package in PACKAGES:
        wanted = sum(line.amount for line in lines if line.package_id == package)
        drawn = sum(line.funded for line in lines if line.package_id == package)
        assert drawn == min(wanted, month.funds.get(package, 0))


@given(teams, times, figures, st.randoms(use_true_random=False))
def test_the_order_in_which_people_and_packages_come_changes_nothing(
    team: tuple[Terms, ...], time: dict[str, list[tuple[str, int]]], month: MonthFigures, random: Random
) -> None:
    shuffled = random.sample(team, len(team))
    other = {who: random.sample(shares, len(shares)) for who, shares in random.sample(list(time.items()), len(time))}
    assert work_out(shuffled, other, month) == work_out(team, time, month)


@given(teams, times, figures)
def test_everybody_gets_the_guarantee_and_the_fees_in_full_whatever_the_funds_hold(
    team: tuple[Terms, ...], time: dict[str, list[tuple[str, int]]], month: MonthFigures
) -> None:
    lines = work_out(team, time, month)
    for one in team:
        theirs = [line for line in lines if line.maintainer_id == one.maintainer_id]
        assert sum(line.amount for line in theirs if line.kind == "guarantee") == one.guarantee
        assert sum(line.amount for line in theirs if line.kind == "fixed-fee") == sum(fee for _, fee in one.fixed_fees)
        growth = sum(line.amount for line in theirs if line.kind == "growth-share")
        assert growth == growth_of(one, month)[0]
        assert growth <= (one.cap if one.cap is not None else month.revenue)
    assert all(line.amount > 0 and line.explanation for line in lines)


@given(teams, times, figures)
def test_who_earns_what_does_not_depend_on_who_else_is_there(
    team: tuple[Terms, ...], time: dict[str, list[tuple[str, int]]], month: MonthFigures
) -> None:
    def earned(lines: list[Line], who: str) -> list[tuple[str, str, int]]:
        return [(line.kind, line.package_id, line.amount) for line in lines if line.maintainer_id == who]

    together = work_out(team, time, month)
    for one in team:
        assert earned(together, one.maintainer_id) == earned(work_out([one], time, month), one.maintainer_id)


def test_guarantees_draw_on_a_fund_before_fees_and_fees_before_shares() -> None:
    kinds = ("growth-share", "fund-share", "fixed-fee", "guarantee")
    lines = [Line("ada", kind, "ssh", 100, kind) for kind in kinds]
    assert [line.funded for line in charge(lines, {"ssh": 250})] == [0, 50, 100, 100]


def test_rates_read_as_people_write_them() -> None:
    assert [percent(rate) for rate in (0, 1, 25, 100, 1000, 1025, 3333, 10_000)] == [
        "0 %",
        "0.01 %",
        "0.25 %",
        "1 %",
        "10 %",
        "10.25 %",
        "33.33 %",
        "100 %",
    ]
