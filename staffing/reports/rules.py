"""What a funded-work report says: figures as JSON values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from firm.errors import Invalid
from firm.month import Month


class InvalidPeriod(Invalid):
    """A period that is empty or too long for one paper."""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole months [from_month, until_month)."""

    from_month: Month
    until_month: Month

    def __post_init__(self) -> None:
        if not 1 <= self.until_month.minus(self.from_month) <= 36:
            raise InvalidPeriod("A report covers between 1 and 36 whole months.", field="until_month")

    @property
    def name(self) -> str:
        last = self.until_month.previous
        return last.name if last == self.from_month else f"{self.from_month.name} to {last.name}"

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        return self.from_month.bounds(zone)[0], self.until_month.bounds(zone)[0]


@dataclass(frozen=True, slots=True)
class WorkLine:
    """One public piece of work, as a report lists it."""

    on: datetime
    kind: str
    key: str
    title: str
    by: str | None
    """Our maintainer, or None for what happened to the package without our claiming it."""
    url: str | None


@dataclass(frozen=True, slots=True)
class PackageWork:
    """What happened on one package in the period."""

    name: str
    may_stop: bool
    months_to_replace: int
    people: Sequence[str]
    counts: Mapping[str, int]
    releases: Sequence[WorkLine]
    security: Sequence[WorkLine]
    work: Sequence[WorkLine]


def work_line(row: Any, names: Mapping[str, str]) -> WorkLine:
    return WorkLine(
        on=row.happened_at,
        kind=row.kind,
        key=row.key,
        title=row.title,
        by=names.get(row.maintainer_id),
        url=row.url or None,
    )


def package_figures(package: PackageWork, zone: ZoneInfo) -> dict[str, object]:
    """One package of the report."""

    def day(moment: datetime) -> str:
        return moment.astimezone(zone).date().isoformat()

    return {
        "name": package.name,
        "reason": reason(package),
        "people": list(package.people),
        "counts": dict(sorted(package.counts.items())),
        "releases": [
            {"version": line.title, "on": day(line.on), "url": line.url, "ours": line.by is not None}
            for line in package.releases
        ],
        "security": [
            {
                "id": line.key,
                "summary": line.title,
                "on": day(line.on),
                "url": line.url,
                "ours": line.by is not None,
            }
            for line in package.security
        ],
        "work": [
            {"on": day(line.on), "kind": line.kind, "title": line.title, "by": line.by, "url": line.url}
            for line in package.work
        ],
        "more": max(package.counts.get("commit", 0) - len(package.work), 0),
    }


def totals(packages: Sequence[PackageWork]) -> dict[str, int]:
    """The counts of all packages together, by kind."""
    sums: Counter[str] = Counter()
    for package in packages:
        sums.update(package.counts)
    return dict(sorted(sums.items()))


def reason(package: PackageWork) -> str:
    """Why the client named the package, from their two answers."""
    stop = "stopping would be acceptable" if package.may_stop else "stopping is not acceptable"
    months = package.months_to_replace
    return f"you named this package: {stop}; replacing it would take {months} engineer-month{'s'[: months != 1]}"
