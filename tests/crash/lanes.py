"""What one process of a set of schedules does, and how it tells: a line of JSON for each schedule."""

from __future__ import annotations

import json
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

from tests import postgres
from tests.crash.books import Books, PostgresBooks, SqliteBooks
from tests.crash.house import House
from tests.crash.lives import Death
from tests.crash.mutants import MUTANTS
from tests.crash.plans import ALL_KINDS, CREATE, DAY, LifePlan, Plan, Strike, plan
from tests.crash.schedule import Result, Schedule
from tests.mailbox import open_mailbox
from tests.stripe.server import serving

MEMORY = Path("/dev/shm")  # noqa: S108 (where the machine has it, a place in memory)
SCHEDULES_A_MUTANT = 50
ENGINES = ("sqlite", "postgresql")


@dataclass(slots=True)
class Told:
    """One schedule as its process tells of it."""

    lane: str
    name: str
    lives: int = 0
    kills: int = 0
    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    struck: dict[str, int] = field(default_factory=dict)
    milliseconds: int = 0

    @property
    def good(self) -> bool:
        return not (self.twice or self.lost or self.wrong)


@dataclass(slots=True)
class Counted:
    """What a process has counted over all of its schedules."""

    reached: dict[str, int]
    died: dict[str, int]


@contextmanager
def house(engine: str) -> Iterator[House]:
    """A firm on an engine, with its own Stripe, ready to be crashed."""
    with ExitStack() as stack:
        memory = MEMORY if MEMORY.is_dir() else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=memory)))
        books: Books = (
            SqliteBooks(folder) if engine == "sqlite" else PostgresBooks(stack.enter_context(postgres.server()))
        )
        yield House(stack.enter_context(serving()), books, stack.enter_context(open_mailbox(_free_port())), folder)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def work(engine: str, lanes: list[str], *, seed: int, schedules: int, part: int, parts: int) -> None:
    """Do this process's part of each lane, and print what came of it."""
    with house(engine) as ready:
        for lane in lanes:
            for told in LANES[lane](ready, seed, schedules, part, parts):
                _print(told)
            if lane != "mutants":  # where a sick product dies says nothing about the healthy one
                _print(Counted(dict(ready.reached.counts()), dict(ready.died.counts())))
            ready.reached.clear()
            ready.died.clear()


def _print(value: Told | Counted) -> None:
    print(json.dumps(asdict(value)), flush=True)


def _seeded(ready: House, seed: int, schedules: int, part: int, parts: int) -> Iterator[Told]:
    for number in range(seed + part, seed + schedules, parts):
        yield _told("schedules", str(number), Schedule(ready, plan(number, ready.points)).run)


def _exhaustive(ready: House, seed: int, schedules: int, part: int, parts: int) -> Iterator[Told]:
    """Every point with every fault: whoever dies there has, or has not yet, met it."""
    pairs = [(point, fault) for point in ready.points for fault in ALL_KINDS]
    for point, fault in pairs[part::parts]:
        before = ready.died.counts()[point]
        told = _told("pairs", f"{point} with {fault}", Schedule(ready, _pair(point, fault)).run)
        if ready.died.counts()[point] == before:
            told.wrong.append(f"Nobody died at {point} with {fault}.")
        yield told


def _pair(point: str, fault: str) -> Plan:
    """One payable; the fault strikes every call of the first life that dies, and the clock lets everything come up."""
    banked = point.startswith(("rail-file", "notice"))
    death, soon, later = Death(1, point), timedelta(minutes=3), timedelta(minutes=61)
    first = LifePlan(death, (Strike(CREATE, fault, 0, 3),), soon)
    rest = [LifePlan(death, (), step) for step in (DAY, later, later, later)]
    return Plan(0, 2 if banked else 1, (first, *rest), (later,) * 12, banked=banked, told=True, once=True)


def _mutants(ready: House, seed: int, schedules: int, part: int, parts: int) -> Iterator[Told]:
    """Each planted bug, until it is caught; one that is not is what is wrong."""
    for name in list(MUTANTS)[part::parts]:
        ready.mutant = MUTANTS[name]
        told = Told("mutants", name, wrong=[f"{name} was not caught in {SCHEDULES_A_MUTANT} schedules."])
        for number in range(seed, seed + SCHEDULES_A_MUTANT):
            found = _told("mutants", name, Schedule(ready, plan(number, ready.points)).run)
            told.lives, told.kills = told.lives + found.lives, told.kills + found.kills
            told.milliseconds += found.milliseconds
            if not found.good:
                sentence = next(iter((*found.twice, *found.lost, *found.wrong))).strip().splitlines()[-1]
                told.name, told.wrong = f"{name}: caught by seed {number}: {sentence[:110]}", []
                break
        yield told
    ready.mutant = None


LANES = {"schedules": _seeded, "pairs": _exhaustive, "mutants": _mutants}


def _told(lane: str, name: str, run: Callable[[], Result]) -> Told:
    started = time.monotonic()
    result = run()
    verdict = result.verdict
    return Told(
        lane,
        name,
        result.lives,
        result.kills,
        verdict.twice,
        verdict.lost,
        verdict.wrong,
        dict(result.struck),
        int((time.monotonic() - started) * 1_000),
    )
