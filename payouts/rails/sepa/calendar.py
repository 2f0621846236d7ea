"""The days on which TARGET settles payments in euros."""

from __future__ import annotations

from datetime import date, timedelta

_DAY = timedelta(days=1)


def business_day(day: date) -> date:
    """The day itself, or the next one on which TARGET is open."""
    while not is_open(day):
        day += _DAY
    return day


def is_open(day: date) -> bool:
    """Closed on weekends, 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December."""
    if day.weekday() >= 5 or (day.month, day.day) in ((1, 1), (5, 1), (12, 25), (12, 26)):
        return False
    sunday = easter(day.year)
    return day not in (sunday - 2 * _DAY, sunday + _DAY)


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar, by the rule of Butcher."""
    golden = year % 19
    century, rest = divmod(year, 100)
    skipped, leap = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - skipped - correction + 15) % 30
    quarter, left = divmod(rest, 4)
    weekday = (32 + 2 * leap + 2 * quarter - epact - left) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
