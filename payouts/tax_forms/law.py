"""What the law of the United States sets, as rows with the day each began to apply and its source.

A change of the law is a new row. Nothing else in the house knows these numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from firm.errors import Invalid
from firm.money import Money


class NoSuchRule(Invalid):
    """A day before the first row of a table."""


@dataclass(frozen=True, slots=True)
class Dated:
    """A value of the law from a day on, until the next row's day."""

    from_on: date
    value: int
    source: str


NEC_THRESHOLD = (
    Dated(date(2020, 1, 1), 600_00, "26 U.S.C. 6041A(a); Form 1099-NEC is used from tax year 2020 on"),
    Dated(
        date(2026, 1, 1),
        2_000_00,
        "Public Law 119-21, section 70433: payments made after 31 December 2025; adjusted for inflation after 2026",
    ),
)
"""From which total of a calendar year, in cents of USD, a payee gets a Form 1099-NEC."""

BACKUP_WITHHOLDING = (
    Dated(date(2018, 1, 1), 2_400, "26 U.S.C. 3406(a)(1): the fourth lowest rate of section 1(c), 24 % since 2018"),
)
"""What is withheld from a payee without a taxpayer number, in basis points."""

FOREIGN_FORM_YEARS = (
    Dated(date(2001, 1, 1), 3, "26 CFR 1.1441-1(e)(4)(ii)(A): the third succeeding calendar year, to its last day"),
)
"""How many calendar years after the one of its signature a W-8BEN or W-8BEN-E lasts."""


def in_force(table: Sequence[Dated], on: date) -> Dated:
    """The row that applies on a day. Raises `NoSuchRule`."""
    found = [row for row in table if row.from_on <= on]
    if not found:
        raise NoSuchRule(f"The rules kept here begin on {table[0].from_on.isoformat()}; the day lies before that.")
    return max(found, key=lambda row: row.from_on)


def nec_threshold(year: int) -> Money:
    """The total of a calendar year from which a payee gets a Form 1099-NEC; payments count when they are made."""
    return Money(in_force(NEC_THRESHOLD, date(year, 12, 31)).value, "USD")


def backup_withholding_bp(on: date) -> int:
    """The rate of backup withholding on a day, in basis points."""
    return in_force(BACKUP_WITHHOLDING, on).value
