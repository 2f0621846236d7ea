"""What is posted: a proposed journal entry and its lines, checked before the database sees them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from firm.errors import Invalid
from firm.money import LIMIT_MINOR, Money
from firm.month import Month


class UnbalancedEntry(Invalid):
    """Debits and credits differ, or there are too few lines."""


@dataclass(frozen=True, slots=True)
class Line:
    """One posting: debits are positive, credits negative; dimensions are ids or empty."""

    account: str
    amount: Money
    client_id: str = ""
    engagement_id: str = ""
    package_id: str = ""
    maintainer_id: str = ""

    def negated(self) -> Line:
        return Line(
            self.account,
            -self.amount,
            self.client_id,
            self.engagement_id,
            self.package_id,
            self.maintainer_id,
        )


def debit(
    account: str,
    amount: Money,
    *,
    client_id: str = "",
    engagement_id: str = "",
    package_id: str = "",
    maintainer_id: str = "",
) -> Line:
    """A debit line of a positive amount."""
    return Line(account, amount, client_id, engagement_id, package_id, maintainer_id)


def credit(
    account: str,
    amount: Money,
    *,
    client_id: str = "",
    engagement_id: str = "",
    package_id: str = "",
    maintainer_id: str = "",
) -> Line:
    """A credit line of a positive amount, which the books keep as a negative one."""
    return Line(account, -amount, client_id, engagement_id, package_id, maintainer_id)


@dataclass(frozen=True, slots=True)
class Entry:
    """A balanced entry to post. `source` is the natural key of its cause: one cause is booked once."""

    source: str
    on: date
    narration: str
    lines: tuple[Line, ...]
    adjusts: Month | None = None
    reverses_id: int | None = None

    def __post_init__(self) -> None:
        if len(self.lines) < 2:
            raise UnbalancedEntry("A journal entry needs at least two lines.")
        sums: dict[str, int] = defaultdict(int)
        for line in self.lines:
            if not line.amount.minor:
                raise UnbalancedEntry(f"A line on {line.account} is of zero; leave it out.")
            if abs(line.amount.minor) > LIMIT_MINOR:
                raise UnbalancedEntry(f"A line on {line.account} exceeds {Money(LIMIT_MINOR, line.amount.currency)}.")
            sums[line.amount.currency] += line.amount.minor
        for currency, difference in sums.items():
            if difference:
                raise UnbalancedEntry(
                    f"Debits and credits differ by {Money(abs(difference), currency)}; they must be equal."
                )

    @property
    def month(self) -> Month:
        return Month(self.on.year, self.on.month)
