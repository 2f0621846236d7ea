"""What a month of a term is worth: the whole fee, or its days."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from firm.engagements.rules import Term, blocked
from firm.money import Money
from firm.month import Month

days = st.dates(date(2024, 1, 1), date(2030, 12, 31))
fees = st.integers(1, 10**12).map(lambda minor: Money(minor, "USD"))
months = st.builds(Month, st.integers(2023, 2031), st.integers(1, 12))


@given(fees, days, st.none() | st.integers(1, 1500), months)
def test_a_month_is_worth_its_days_to_the_nearest_cent(
    fee: Money, start: date, length: int | None, month: Month
) -> None:
    term = Term(fee, start, None if length is None else start + timedelta(days=length))
    running = sum(
        term.starts_on <= day and (term.ends_on is None or day < term.ends_on)
        for day in (month.first_day + timedelta(days=n) for n in range(month.days))
    )
    worth = term.worth(month)
    assert abs(worth.minor - Fraction(fee.minor * running, month.days)) <= Fraction(1, 2)
    assert term.covers(month) == (running > 0)
    if running == month.days:
        assert worth == fee


@given(fees, days, st.integers(1, 1500))
def test_the_months_of_a_term_are_those_it_covers(fee: Money, start: date, length: int) -> None:
    term = Term(fee, start, start + timedelta(days=length))
    first, end = Month(2023, 1), Month(2036, 1)
    assert list(term.months(first, end)) == [month for month in first.until(end) if term.covers(month)]


@given(fees, days, st.integers(1, 40))
def test_ending_and_signing_again_on_the_same_day_costs_a_month_no_more(fee: Money, start: date, length: int) -> None:
    """Two halves of a month may differ from the whole by the rounding of each, never by more."""
    turn = start + timedelta(days=length)
    before, after = Term(fee, start, turn), Term(fee, turn, None)
    whole = Term(fee, start, None)
    month = Month.of(turn)
    assert abs(before.worth(month).minor + after.worth(month).minor - whole.worth(month).minor) <= 1


def test_february_of_a_leap_year_has_a_day_more() -> None:
    term = Term(Money(29_000, "USD"), date(2028, 2, 29), None)
    assert term.worth(Month(2028, 2)) == Money(1_000, "USD")
    assert Term(Money(28_000, "USD"), date(2027, 2, 28), None).worth(Month(2027, 2)) == Money(1_000, "USD")


def test_a_clause_blocks_however_it_is_spelled() -> None:
    assert blocked(["Exclusivity", " total IP_assignment ", "exclusive"]) == ["exclusivity", "total-ip-assignment"]


def test_only_the_three_clauses_block() -> None:
    assert blocked(["net-60", "exclusivity", "liability-cap"]) == ["exclusivity"]
    assert blocked([]) == []
