"""A calendar month in the firm's own time zone: the unit in which revenue is earned and people are paid."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from firm.errors import Invalid

_TEXT = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)
_NAMES = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


class InvalidMonth(Invalid):
    """Text that names no month."""


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """One month; `str()` is "2026-10", which also sorts; `name` is "October 2026" for people."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not (2000 <= self.year <= 2199 and 1 <= self.number <= 12):
            raise InvalidMonth("A month lies between 2000-01 and 2199-12.")

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read "2026-10". Raises `InvalidMonth`."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise InvalidMonth('Write a month as year and number, for example "2026-10".')
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        return cls(day.year, day.month)

    @classmethod
    def at(cls, moment: datetime, zone: ZoneInfo) -> Month:
        """The month a moment falls in, by the firm's wall clock."""
        return cls.of(moment.astimezone(zone).date())

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    @property
    def name(self) -> str:
        return f"{_NAMES[self.number - 1]} {self.year}"

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last_day(self) -> date:
        return date(self.year, self.number, monthrange(self.year, self.number)[1])

    @property
    def days(self) -> int:
        return self.last_day.day

    @property
    def next(self) -> Month:
        return self.plus(1)

    @property
    def previous(self) -> Month:
        return self.plus(-1)

    def plus(self, months: int) -> Month:
        index = self.year * 12 + self.number - 1 + months
        return Month(index // 12, index % 12 + 1)

    def minus(self, other: Month) -> int:
        """How many months lie from `other` to this one."""
        return (self.year - other.year) * 12 + self.number - other.number

    def until(self, end: Month) -> Iterator[Month]:
        """This month and those after it, up to but without `end`: ranges are half-open."""
        month = self
        while month < end:
            yield month
            month = month.next

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The half-open range of moments [start, end) of this month on the firm's wall clock."""
        start, end = self.first_day, self.last_day + timedelta(days=1)
        return (
            datetime(start.year, start.month, 1, tzinfo=zone),
            datetime(end.year, end.month, 1, tzinfo=zone),
        )
