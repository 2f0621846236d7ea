"""What a month of an engagement is worth, and which clauses are never signed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from firm.money import Money
from firm.month import Month

BLOCKING_CLAUSES = {
    "total-ip-assignment": "a license to what is delivered; maintainers keep their copyright",
    "exclusivity": "a notice when we take on a direct competitor",
    "early-vulnerability-notice": "a response within hours of public disclosure; embargoes hold for every client",
}
"""Clauses that block a signature, and what the firm accepts instead."""


@dataclass(frozen=True, slots=True)
class Term:
    """When an engagement runs, half-open, and what a whole month of it costs."""

    fee: Money
    starts_on: date
    ends_on: date | None

    def covers(self, month: Month) -> bool:
        return self._days(month) > 0

    def worth(self, month: Month) -> Money:
        """The fee of the month, prorated by days where the term begins or ends within it."""
        days = self._days(month)
        return self.fee.split([days, month.days - days])[0]

    def months(self, start: Month, end: Month) -> Iterator[Month]:
        """The months of [start, end) that the term covers."""
        first = max(start, Month.of(self.starts_on))
        if self.ends_on is not None:
            end = min(end, Month.of(self.ends_on - timedelta(days=1)).next)
        return first.until(end)

    def _days(self, month: Month) -> int:
        begin = max(self.starts_on, month.first_day)
        end = month.next.first_day
        if self.ends_on is not None:
            end = min(end, self.ends_on)
        return max((end - begin).days, 0)


def blocked(clauses: Iterable[str]) -> list[str]:
    """The codes of the clauses among these that the firm never signs, however a person has spelled them."""
    codes = ("-".join(re.split(r"[\s_-]+", clause.strip().lower())) for clause in clauses)
    return [code for code in codes if code in BLOCKING_CLAUSES]
