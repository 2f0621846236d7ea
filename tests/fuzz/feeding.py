"""Feeding one parser for so long, in a process of its own: its memory is then nobody else's."""

from __future__ import annotations

import contextlib
import logging
import resource
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.target import OURS, Target
from tests.fuzz.targets import application, targets

EXAMPLES = 100
"""Inputs of one seed."""
MOST_GROWTH = 64 << 10
"""How much more memory the process may ever have held after one input than before, in KiB."""


class Slow(Exception):
    """One input took longer than any should."""


class Large(Exception):
    """One input took more memory than any should."""


@dataclass(frozen=True, slots=True)
class Fed:
    """What a parser was fed, and how it failed if it did; `cpu` and `slowest` in seconds."""

    parser: str
    cpu: float
    inputs: int
    slowest: float
    slowest_target: str
    failure: str = ""


def feed(parser: str, seconds: float, number: int, only: str | None = None) -> Fed:
    """Feed every target of a parser in turn, each for its part of so many seconds of CPU.

    The seeds begin at `number`: the same number begins with the same inputs. Ends at the first failure, with the
    smallest input that shows it.
    """
    # What is refused is also logged; here nobody reads it.
    logging.getLogger().addHandler(logging.NullHandler())
    with tempfile.TemporaryDirectory() as folder, application(f"sqlite:///{folder}/fuzz.db") as app:
        found = [one for one in targets(app, Path(folder)) if one.parser == parser and only in (None, one.name)]
        if not found:
            return Fed(parser, 0, 0, 0, "")
        begun = time.process_time()
        meals = []
        for target in found:
            meal = _Meal(target)
            meals.append(meal)
            failure = meal.take(seconds / len(found), number)
            if failure:
                break
        slowest = max(meals, key=lambda meal: meal.slowest)
        cpu, inputs = time.process_time() - begun, sum(meal.inputs for meal in meals)
        return Fed(parser, cpu, inputs, slowest.slowest, slowest.target.name, failure)


class _Meal:
    """What one target is fed."""

    def __init__(self, target: Target) -> None:
        self.target, self.inputs, self.slowest = target, 0, 0.0

    def take(self, seconds: float, number: int) -> str:
        """Empty, or the failure."""
        deadline = time.process_time() + seconds
        while time.process_time() < deadline:
            try:
                seed(number)(_run(self.target, self._one))()
            except Exception as error:
                replay = f"make fuzz ARGS='--seed {number} --only \"{self.target.name}\"'"
                where = "".join(traceback.format_tb(error.__traceback__)[-6:])
                said = "\n".join([repr(error), *getattr(error, "__notes__", [])])
                return f"{self.target.name}:\n{where}{said[:1_500]}\nAgain: {replay}"
            number += 1
        return ""

    def _one(self, value: object) -> None:
        held = _peak()
        taken = _cost(self.target, value)
        if taken > self.target.seconds_each:
            # Once may be the collector's turn, or a module's first use; an input that burns does so each time.
            taken = min(taken, _cost(self.target, value), _cost(self.target, value))
        # Modules and fonts are loaded by the first.
        grown = _peak() - held if self.inputs else 0
        self.inputs += 1
        self.slowest = max(self.slowest, taken)
        if taken > self.target.seconds_each:
            raise Slow(f"{taken:.3f} s of CPU")
        if grown > MOST_GROWTH:
            raise Large(f"{grown >> 10} MiB more than before")


def _run(target: Target, one: Callable[[object], None]) -> Callable[[], None]:
    options = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    return options(given(target.inputs)(one))


def _cost(target: Target, value: object) -> float:
    """The CPU seconds that one input takes; errors other than the parser's own pass through."""
    begun = time.process_time()
    with contextlib.suppress(*OURS):
        target.feed(value)
    return time.process_time() - begun


def _peak() -> int:
    """The most memory that this process has ever held, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
