"""Running ours beside its floors in alternating order, on fresh stores, by wall clock and by CPU."""

from __future__ import annotations

import gc
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cost:
    """The seconds that one measured part took: on the clock, and of all processors that worked for it."""

    wall: float
    cpu: float


Measured = Callable[[], Cost]
"""Runs once on a fresh store and returns what the measured part cost."""

Clock = Callable[[], float]
"""The CPU seconds used so far by some processes."""


def own_cpu() -> float:
    """The CPU seconds of this process and of the children it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement of each side, next to each other. `own` is the floor on our own tables, if there is one."""

    ours: Cost
    floor: Cost
    own: Cost | None = None


@dataclass(slots=True)
class Result:
    """What an item came to. `count` is how many things were done, for a rate to read beside the ratio."""

    name: str
    store: str
    title: str
    rounds: list[Round]
    count: int = 1
    goal: float | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        return [one.floor.wall / one.ours.wall for one in self.rounds]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def cpu_ratio(self) -> float | None:
        """None where a side used less CPU than the kernel counts."""
        if any(one.ours.cpu <= 0 or one.floor.cpu <= 0 for one in self.rounds):
            return None
        return statistics.median(one.floor.cpu / one.ours.cpu for one in self.rounds)

    @property
    def noisy(self) -> bool:
        return self.cpu_ratio is not None and abs(self.cpu_ratio - self.ratio) > 0.15 * self.ratio

    def prices(self) -> tuple[float, float] | None:
        """The price of our schema (minimal floor / own floor) and that of our Python (own floor / ours)."""
        owns = [(one, one.own) for one in self.rounds if one.own is not None]
        if not owns:
            return None
        schema = statistics.median(one.floor.wall / own.wall for one, own in owns)
        return schema, statistics.median(own.wall / one.ours.wall for one, own in owns)

    def line(self) -> str:
        ours = statistics.median(one.ours.wall for one in self.rounds)
        floor = statistics.median(one.floor.wall for one in self.rounds)
        text = (
            f"{self.name:<4} {self.title:<32} {self.store:<11} ours {self._rate(ours):>11}  floor "
            f"{self._rate(floor):>11}  ratio {self.ratio:.2f} [{min(self.ratios):.2f}..{max(self.ratios):.2f}]"
        )
        if self.goal is not None:
            text += f"  goal {self.goal:.2f} {'ok' if self.ratio >= self.goal else 'MISSED'}"
        if self.noisy:
            text += f"  noisy (by CPU {self.cpu_ratio:.2f})"
        prices = self.prices()
        priced = [f"of which schema {prices[0]:.2f}, Python {prices[1]:.2f}"] if prices else []
        return "\n     ".join([text, *priced, *self.notes])

    def as_json(self) -> dict[str, object]:
        prices = self.prices()
        return {
            "name": self.name,
            "title": self.title,
            "store": self.store,
            "ratio": round(self.ratio, 4),
            "ratios": [round(ratio, 4) for ratio in self.ratios],
            "cpu_ratio": None if self.cpu_ratio is None else round(self.cpu_ratio, 4),
            "noisy": self.noisy,
            "schema": None if prices is None else round(prices[0], 4),
            "python": None if prices is None else round(prices[1], 4),
            "goal": self.goal,
            "notes": self.notes,
        }

    def _rate(self, seconds: float) -> str:
        return f"{self.count / seconds:,.0f}/s" if self.count > 1 else f"{seconds * 1000:,.1f} ms"


def run_rounds(ours: Measured, floor: Measured, own: Measured | None = None, *, number: int) -> list[Round]:
    """A warm-up round, then `number` rounds in the order A B C, C B A, A B C …"""
    sides = {"ours": ours, "floor": floor} | ({"own": own} if own else {})
    _round(sides)
    return [Round(**_round(sides if turn % 2 else dict(reversed(sides.items())))) for turn in range(number)]


def timed(work: Callable[[], object], cpu: Clock = own_cpu) -> Cost:
    """What the work costs, with no collection of garbage in between."""
    gc.collect()
    gc.disable()
    try:
        used, start = cpu(), time.perf_counter()
        work()
        return Cost(time.perf_counter() - start, cpu() - used)
    finally:
        gc.enable()


def _round(sides: Mapping[str, Measured]) -> dict[str, Cost]:
    return {name: measure() for name, measure in sides.items()}
