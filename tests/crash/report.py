"""Reading what the processes tell, and saying what it comes to."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO

from tests.crash import points
from tests.crash.lanes import Counted, Told
from tests.crash.plans import ALL_KINDS

ENOUGH = 500
"""From so many schedules on, each point must have been died at, and each kind of fault must have struck."""


@dataclass(slots=True)
class Report:
    told: list[Told] = field(default_factory=list)
    reached: Counter[str] = field(default_factory=Counter)
    died: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def read(self, engine: str, processes: Sequence[subprocess.Popen[str]]) -> None:
        """Read to the end of all of them; what is wrong is printed as soon as it is known."""
        started, before = time.monotonic(), len(self.told)
        with ThreadPoolExecutor(len(processes)) as pool:
            for told in pool.map(lambda process: self._read_one(engine, process), processes):
                self.told += told
        for lane, ours in _by_lane(self.told[before:]):
            seconds = _sum(ours, "milliseconds") // 1_000 // len(processes)
            lives, kills = _sum(ours, "lives"), _sum(ours, "kills")
            print(f"{engine}: {lane} {len(ours)}, lives {lives}, kills {kills}, {seconds} seconds")
        print(f"{engine}: {int(time.monotonic() - started)} seconds in all", flush=True)

    def show(self, engine: str, told: Told) -> None:
        """What went wrong in one schedule, and how to see it again."""
        again = f"; again with `make crash SEED={told.name} N=1 DB={engine}`" if told.lane == "schedules" else ""
        print(f"{engine}: {told.lane} {told.name} went wrong{again}")
        for kind in ("twice", "lost", "wrong"):
            for sentence in getattr(told, kind):
                print(f"    {kind}: {sentence.strip()}", flush=True)

    def end(self) -> int:
        """Print the whole of it; returns the status to exit with."""
        schedules = [told for told in self.told if told.lane != "mutants"]
        struck = sum((Counter(told.struck) for told in schedules), Counter())
        for kind in ALL_KINDS:
            print(f"  fault  {kind:<44}{struck[kind]:>7}")
        for name in points.to_hit():
            print(f"  point  {name:<44}{self.reached[name]:>7} reached, {self.died[name]} killed there")
        for told in self.told:
            if told.lane == "mutants" and told.good:
                print(f"  mutant {told.name}")
        failures = [*self.failures]
        if len(schedules) >= ENOUGH:
            failures += [f"{kind} never struck." for kind in ALL_KINDS if not struck[kind]]
            failures += [f"Nobody was killed at {name}." for name in points.to_hit() if not self.died[name]]
        for failure in failures:
            print(failure)
        twice, lost = (sum(bool(getattr(told, what)) for told in schedules) for what in ("twice", "lost"))
        wrong = sum(not told.good for told in self.told)
        if wrong or failures:
            print(f"{wrong} schedules went wrong.")
        kills = _sum(schedules, "kills")
        print(f"schedules {len(schedules)}, kills {kills}, paid twice {twice}, lost {lost}")
        return 1 if wrong or failures else 0

    def _read_one(self, engine: str, process: subprocess.Popen[str]) -> list[Told]:
        found: list[Told] = []
        assert process.stdout is not None
        for line in _lines(process.stdout):
            if "reached" in line:
                counted = Counted(**line)  # type: ignore[arg-type]
                self.reached.update(counted.reached)
                self.died.update(counted.died)
                continue
            told = Told(**line)  # type: ignore[arg-type]
            found.append(told)
            _wait_with_me(engine, told, len(found))
            if not told.good:
                self.show(engine, told)
        if process.wait() != 0:
            self.failures.append(f"A process of {engine} ended with status {process.returncode}.")
        return found


def _wait_with_me(engine: str, told: Told, count: int) -> None:
    """Somebody at a terminal sees that it goes on."""
    if sys.stderr.isatty():
        print(f"\r{engine}: {told.lane} {count:>5} ", end="", file=sys.stderr, flush=True)


def _lines(told: IO[str]) -> Iterator[dict[str, object]]:
    for line in told:
        if line.startswith("{"):
            yield json.loads(line)
        else:
            print(line, end="", flush=True)


def _by_lane(told: Sequence[Told]) -> Iterator[tuple[str, list[Told]]]:
    for lane in sorted({each.lane for each in told}):
        yield lane, [each for each in told if each.lane == lane]


def _sum(told: Sequence[Told], what: str) -> int:
    return sum(getattr(each, what) for each in told)
