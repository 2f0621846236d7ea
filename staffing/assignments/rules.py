"""The funding gate, and how much of a person's time is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Funding:
    """What is known of a package when somebody is to be assigned to it."""

    package: str
    has_money: bool
    has_interest: bool
    allows_subcontractors: bool


def obstacles(funding: Funding, *, subcontractor: bool) -> list[str]:
    """Why the package may not be staffed, as sentences; none when it may."""
    found = []
    if not funding.has_money:
        found.append(f"{funding.package} has no money: neither weight in the plan nor anything in its fund.")
    if not funding.has_interest:
        found.append(f"No client with a signed engagement named an interest in {funding.package}.")
    elif subcontractor and not funding.allows_subcontractors:
        found.append(f"No agreement of the clients interested in {funding.package} allows subcontracting.")
    return found


@dataclass(frozen=True, slots=True)
class Span:
    """A share of time in basis points, from a day until the first day it no longer runs."""

    from_on: date
    until_on: date | None
    share_bp: int

    def covers(self, day: date) -> bool:
        return self.from_on <= day and (self.until_on is None or day < self.until_on)

    def meets(self, other: Span) -> bool:
        """Whether the two share a day."""
        begins_in_time = other.until_on is None or self.from_on < other.until_on
        return begins_in_time and (self.until_on is None or self.until_on > other.from_on)


def busiest(spans: Sequence[Span], *, since: date) -> int:
    """The most that the spans take together on any day from `since` on: it changes only where one begins."""
    days = {since, *(span.from_on for span in spans if span.from_on > since)}
    return max(sum(span.share_bp for span in spans if span.covers(day)) for day in days)
