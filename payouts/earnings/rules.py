"""Working out a month's earnings: pure values in, explained and charged lines out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from firm.money import Money, portion, split
from payouts.earnings.model import KINDS

NO_PACKAGE = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """One maintainer's terms of the month, in minor units of the books' currency; packages by id."""

    maintainer_id: str
    guarantee: int = 0
    growth_bp: int = 0
    baseline: int = 0
    cap: int | None = None
    fund_shares: tuple[tuple[str, int], ...] = ()
    fixed_fees: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """What one part of the terms earned; `funded` is how much of it the package's fund covers."""

    maintainer_id: str
    kind: str
    package_id: str
    amount: int
    explanation: str
    funded: int = 0


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """What a month's earnings are worked out from."""

    currency: str
    revenue: int
    allocated: Mapping[str, int]
    """Package id to what the month allocated to it: the base of fund shares."""
    funds: Mapping[str, int]
    """Package id to what its fund holds, this month's allocation included: what lines may draw on."""
    package_names: Mapping[str, str]


def work_out(
    terms: Iterable[Terms], shares: Mapping[str, Sequence[tuple[str, int]]], figures: MonthFigures
) -> list[Line]:
    """Every maintainer's lines, charged to funds.

    `shares` is, for each maintainer, the packages of the month and the time given to each (any unit).
    """
    lines = [
        line
        for one in sorted(terms, key=lambda t: t.maintainer_id)
        for line in lines_of(one, sorted(shares.get(one.maintainer_id, ())), figures)
    ]
    return charge(lines, figures.funds)


def lines_of(terms: Terms, shares: Sequence[tuple[str, int]], figures: MonthFigures) -> list[Line]:
    """One maintainer's lines, not charged yet."""

    def money(minor: int) -> str:
        return str(Money(minor, figures.currency))

    guarantee = f"Guarantee of {money(terms.guarantee)} a month"
    lines = _spread(terms, "guarantee", terms.guarantee, guarantee, shares, figures)
    for package_id, amount in terms.fixed_fees:
        explanation = f"Fixed fee for {figures.package_names[package_id]}"
        lines.append(Line(terms.maintainer_id, "fixed-fee", package_id, amount, explanation))
    for package_id, rate_bp in terms.fund_shares:
        base = figures.allocated.get(package_id, 0)
        explanation = f"{percent(rate_bp)} of the {money(base)} allocated to {figures.package_names[package_id]}"
        amount = portion(base, rate_bp, 10_000)
        lines.append(Line(terms.maintainer_id, "fund-share", package_id, amount, explanation))
    growth, reason = growth_of(terms, figures)
    lines += _spread(terms, "growth-share", growth, reason, shares, figures)
    return [line for line in lines if line.amount]


def growth_of(terms: Terms, figures: MonthFigures) -> tuple[int, str]:
    """The growth share and its explanation: a rate on revenue above the baseline, at most the cap."""

    def money(minor: int) -> str:
        return str(Money(minor, figures.currency))

    above = max(figures.revenue - terms.baseline, 0)
    amount = portion(above, terms.growth_bp, 10_000)
    reason = (
        f"{percent(terms.growth_bp)} of {money(above)}, the retainer revenue of {money(figures.revenue)}"
        f" above the baseline of {money(terms.baseline)}"
    )
    if terms.cap is not None and amount > terms.cap:
        return terms.cap, f"{reason}, capped at {money(terms.cap)}"
    return amount, reason


def charge(lines: Sequence[Line], funds: Mapping[str, int]) -> list[Line]:
    """Charge lines to their packages' funds as far as these reach; the order of the lines is kept."""
    left = dict(funds)
    order = sorted(
        range(len(lines)),
        key=lambda i: (lines[i].package_id, KINDS.index(lines[i].kind), lines[i].maintainer_id, i),
    )
    charged = list(lines)
    for position in order:
        line = lines[position]
        funded = min(line.amount, max(left.get(line.package_id, 0), 0))
        if funded:
            left[line.package_id] -= funded
            charged[position] = replace(line, funded=funded)
    return charged


def used_by_package(lines: Iterable[Line]) -> dict[str, int]:
    """What the lines draw from each fund, in the order of package ids."""
    used: dict[str, int] = defaultdict(int)
    for line in lines:
        if line.funded:
            used[line.package_id] += line.funded
    return dict(sorted(used.items()))


def percent(rate_bp: int) -> str:
    """A rate for people: 1,000 basis points are "10 %", 1,025 are "10.25 %"."""
    whole, rest = divmod(rate_bp, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + " %"


def _spread(
    terms: Terms,
    kind: str,
    amount: int,
    reason: str,
    shares: Sequence[tuple[str, int]],
    figures: MonthFigures,
) -> list[Line]:
    """Spread an amount over the packages of the month by time; without any, it concerns no package."""
    weights = [time for _, time in shares]
    if not amount or not sum(weights):
        return [Line(terms.maintainer_id, kind, NO_PACKAGE, amount, reason)] if amount else []
    parts = split(amount, weights)
    if len(shares) == 1:
        return [Line(terms.maintainer_id, kind, shares[0][0], amount, reason)]
    whole = sum(weights)
    return [
        Line(
            terms.maintainer_id,
            kind,
            package_id,
            part,
            f"{reason}; {percent(portion(10_000, time, whole))} of the time was for"
            f" {figures.package_names[package_id]}",
        )
        for (package_id, time), part in zip(shares, parts, strict=True)
    ]
