"""Months of the firm's own wall clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firm.month import InvalidMonth, Month

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "America/Havana",
    "America/Asuncion",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
]
FIRST, LAST = Month(2000, 1), Month(2199, 12)
months = st.builds(Month, st.integers(2001, 2198), st.integers(1, 12))
zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.datetimes(datetime(2001, 1, 2), datetime(2199, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(months)
def test_a_month_reads_back_as_it_was_written(month: Month) -> None:
    assert Month.parse(str(month)) == month


@given(months, months)
def test_text_sorts_as_the_months_do(one: Month, other: Month) -> None:
    assert (one < other) == (str(one) < str(other))


@given(months, st.integers(-12, 12))
def test_going_there_and_back_leads_home(month: Month, number: int) -> None:
    assert month.plus(number).plus(-number) == month
    assert month.plus(number).minus(month) == number
    assert month.next.previous == month


@given(months, st.integers(0, 30))
def test_a_range_of_months_leaves_out_its_end(month: Month, number: int) -> None:
    if month.year < 2190:
        found = list(month.until(month.plus(number)))
        assert len(found) == number
        assert month.plus(number) not in found
    assert list(month.until(month)) == []
    assert list(month.until(month.previous)) == []


@given(months)
def test_the_days_of_a_month_are_those_of_the_calendar(month: Month) -> None:
    assert (month.last_day - month.first_day).days + 1 == month.days
    assert Month.of(month.first_day) == Month.of(month.last_day) == month
    assert Month.of(month.last_day + timedelta(days=1)) == month.next


@pytest.mark.parametrize(("month", "days"), [("2024-02", 29), ("2026-02", 28), ("2100-02", 28), ("2026-12", 31)])
def test_leap_years_are_known(month: str, days: int) -> None:
    assert Month.parse(month).days == days


@given(moments, zones)
def test_a_moment_lies_in_the_one_month_whose_bounds_hold_it(moment: datetime, zone: ZoneInfo) -> None:
    month = Month.at(moment, zone)
    start, end = month.bounds(zone)
    assert start.astimezone(UTC) <= moment < end.astimezone(UTC)


@given(months, zones)
def test_months_follow_one_another_without_gap_or_overlap(month: Month, zone: ZoneInfo) -> None:
    assert month.bounds(zone)[1] == month.next.bounds(zone)[0]


@given(months, zones)
def test_a_month_begins_at_its_first_moment(month: Month, zone: ZoneInfo) -> None:
    start = month.bounds(zone)[0].astimezone(UTC)
    assert Month.at(start, zone) == month
    assert Month.at(start - timedelta(microseconds=1), zone) == month.previous


@pytest.mark.parametrize(
    ("zone", "month", "hours"),
    [
        ("Europe/Berlin", "2026-03", 31 * 24 - 1),
        ("Europe/Berlin", "2026-10", 31 * 24 + 1),
        ("America/New_York", "2026-03", 31 * 24 - 1),
        ("America/New_York", "2026-11", 30 * 24 + 1),
        ("Pacific/Kiritimati", "2026-03", 31 * 24),
        ("America/Havana", "2026-11", 30 * 24 + 1),
    ],
)
def test_a_month_with_a_change_of_the_clock_is_an_hour_off(zone: str, month: str, hours: int) -> None:
    start, end = (moment.astimezone(UTC) for moment in Month.parse(month).bounds(ZoneInfo(zone)))
    assert end - start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("zone", "moment", "month"),
    [
        ("Pacific/Kiritimati", "2026-09-30T10:00:00+00:00", "2026-10"),
        ("Pacific/Kiritimati", "2026-09-30T09:59:59+00:00", "2026-09"),
        ("Europe/Berlin", "2026-09-30T22:00:00+00:00", "2026-10"),
        ("Europe/Berlin", "2026-10-31T22:59:59+00:00", "2026-10"),
        ("Europe/Berlin", "2026-10-31T23:00:00+00:00", "2026-11"),
        ("America/New_York", "2026-11-01T03:59:59+00:00", "2026-10"),
        ("America/New_York", "2026-11-01T04:00:00+00:00", "2026-11"),
        ("America/New_York", "2026-12-01T04:59:59+00:00", "2026-11"),
        ("Pacific/Pago_Pago", "2026-11-01T10:59:59+00:00", "2026-10"),
    ],
)
def test_the_firm_s_wall_clock_decides_where_a_month_ends(zone: str, moment: str, month: str) -> None:
    assert str(Month.at(datetime.fromisoformat(moment), ZoneInfo(zone))) == month


@pytest.mark.parametrize(
    "text",
    ["2026-13", "2026-00", "2026-1", "26-10", "2026-10-01", " 2026-10", "2026-10\n", "٢٠٢٦-١٠", "2026/10", "", "now"],
)
def test_only_a_year_and_a_number_name_a_month(text: str) -> None:
    with pytest.raises(InvalidMonth, match="2026-10"):
        Month.parse(text)


@pytest.mark.parametrize(("year", "number"), [(1999, 12), (2200, 1), (2026, 0), (2026, 13), (-1, 1)])
def test_months_outside_two_centuries_are_refused(year: int, number: int) -> None:
    with pytest.raises(InvalidMonth, match="between 2000-01 and 2199-12"):
        Month(year, number)


def test_nothing_lies_before_the_first_month_or_after_the_last() -> None:
    with pytest.raises(InvalidMonth):
        _ = FIRST.previous
    with pytest.raises(InvalidMonth):
        _ = LAST.next


def test_a_month_has_a_name_for_people() -> None:
    assert Month(2026, 10).name == "October 2026"
    assert Month.of(date(2026, 1, 31)).name == "January 2026"


def test_the_last_month_of_the_calendar_has_its_days() -> None:
    assert Month(2199, 12).days == 31
