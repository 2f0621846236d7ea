"""Running a pair: ours and the floor in alternating order, on fresh stores, by wall clock."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Timed = Callable[[], float]
"""Runs once on a fresh store and returns the seconds that the measured part took."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The seconds of one ours and one floor, run next to each other."""

    ours: float
    floor: float

    @property
    def ratio(self) -> float:
        return self.floor / self.ours


@dataclass(slots=True)
class Result:
    """What an item came to. `unit` is what `count` counts, for a rate a second to read beside the ratio."""

    name: str
    store: str
    title: str
    pairs: list[Pair]
    count: int
    unit: str
    goal: float | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return statistics.median(pair.ratio for pair in self.pairs)

    def line(self) -> str:
        ours = statistics.median(pair.ours for pair in self.pairs)
        floor = statistics.median(pair.floor for pair in self.pairs)
        ratios = [pair.ratio for pair in self.pairs]
        text = (
            f"{self.name:<4} {self.title:<34} {self.store:<14} ours {self._rate(ours):>14}  "
            f"floor {self._rate(floor):>14}  ratio {self.ratio:.2f} [{min(ratios):.2f}..{max(ratios):.2f}]"
        )
        if self.goal is not None:
            text += f"  goal {self.goal:.2f} {'ok' if self.ratio >= self.goal else 'MISSED'}"
        return "\n     ".join([text, *self.notes])

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "title": self.title,
            "store": self.store,
            "ratio": round(self.ratio, 4),
            "ratios": [round(pair.ratio, 4) for pair in self.pairs],
            "goal": self.goal,
            "notes": self.notes,
        }

    def _rate(self, seconds: float) -> str:
        if self.count > 1:
            return f"{self.count / seconds:,.0f} {self.unit}/s"
        return f"{seconds * 1000:,.1f} ms"


def run_pairs(ours: Timed, floor: Timed, *, number: int) -> list[Pair]:
    """A warm-up pair, then `number` pairs in the order A B, B A, A B …"""
    _one(ours, floor)
    return [_one(ours, floor) if turn % 2 else _one(floor, ours, swapped=True) for turn in range(number)]


def timed(work: Callable[[], object]) -> float:
    """The wall seconds that the work takes, with no collection of garbage in between."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
    finally:
        gc.enable()


def _one(first: Timed, second: Timed, *, swapped: bool = False) -> Pair:
    one, other = first(), second()
    return Pair(ours=other, floor=one) if swapped else Pair(ours=one, floor=other)
