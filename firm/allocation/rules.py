"""Dividing revenue by a plan: pure integers, the same parts for the same input."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from firm.errors import Invalid
from firm.money import BASIS, Money, split

Target = tuple[str, str]
"""A kind ("overhead", "reserve", "package") and, of a reserve its name, of a package its id."""

OVERHEAD: Target = ("overhead", "")


MOST_WEIGHT = 1_000_000


class InvalidPlan(Invalid):
    """A plan that does not add up."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Rates in basis points and package weights; what overhead and reserves leave goes to the packages."""

    overhead_bp: int
    reserves: Mapping[str, int]
    weights: Mapping[str, int]
    """Package id to weight."""
    targets: tuple[Target, ...] = field(init=False)

    def __post_init__(self) -> None:
        rates = [self.overhead_bp, *self.reserves.values()]
        if min(rates) < 0 or sum(rates) > BASIS:
            raise InvalidPlan("Overhead and reserves together take between 0 and 100 % of the revenue.")
        if not all(0 <= weight <= MOST_WEIGHT for weight in self.weights.values()):
            raise InvalidPlan(f"A package's weight is a whole number from 0 to {MOST_WEIGHT:,}.", field="weights")
        if sum(rates) < BASIS and not sum(self.weights.values()):
            raise InvalidPlan(
                "Give at least one package a weight above zero; it gets what the rates leave.", field="weights"
            )
        # Ties between equal remainders go by name and id, never by the order in which a plan was typed.
        reserves = [("reserve", name) for name in sorted(self.reserves)]
        packages = [("package", package_id) for package_id in sorted(self.weights)]
        object.__setattr__(self, "targets", (OVERHEAD, *reserves, *packages))

    def divide(self, revenue: Money) -> list[int]:
        """The minor units of each of `targets`, summing to the revenue."""
        reserves = [self.reserves[name] for name in sorted(self.reserves)]
        rest_bp = BASIS - self.overhead_bp - sum(reserves)
        weights = [self.weights[package_id] for package_id in sorted(self.weights)]
        # Divided once: dividing the rest a second time could put a share more than one unit from exact.
        whole = sum(weights) or 1
        set_aside = [rate_bp * whole for rate_bp in (self.overhead_bp, *reserves)]
        return split(revenue.minor, [*set_aside, *(rest_bp * weight for weight in weights)])


@dataclass(frozen=True, slots=True)
class Share:
    """What one retainer's revenue gave one target."""

    engagement_id: str
    kind: str
    target: str
    minor: int


def divide_all(plan: Plan, revenue: Mapping[str, Money]) -> list[Share]:
    """Every retainer's shares, in the order of engagements and targets; empty ones are left out."""
    return [
        Share(engagement_id, kind, target, minor)
        for engagement_id in sorted(revenue)
        for (kind, target), minor in zip(plan.targets, plan.divide(revenue[engagement_id]), strict=True)
        if minor
    ]


def by_target(shares: Iterable[Share]) -> dict[Target, int]:
    """What each target gets in all, in the order of targets."""
    sums: dict[Target, int] = defaultdict(int)
    for share in shares:
        sums[share.kind, share.target] += share.minor
    return dict(sorted(sums.items()))
