"""Watching a process from outside: how long it runs, and how much memory it holds meanwhile."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

EVERY_SECONDS = 0.2
CHAMBERS = str(Path(sys.executable).with_name("chambers"))


@dataclass(frozen=True, slots=True)
class Sample:
    """How far the work was, and how many megabytes were resident, children's included."""

    done: int
    megabytes: float


@dataclass(frozen=True, slots=True)
class Watched:
    """One run of a process. `samples` are in the order of time."""

    status: int
    seconds: float
    samples: Sequence[Sample]

    @property
    def peak(self) -> float:
        return max((sample.megabytes for sample in self.samples), default=0)

    def at(self, done: int) -> float:
        """The megabytes when so much was done, or at the end."""
        later = (sample.megabytes for sample in self.samples if sample.done >= done)
        return next(later, self.samples[-1].megabytes if self.samples else 0)


def watch(command: Sequence[str], environment: Mapping[str, str], progress: Callable[[], int]) -> Watched:
    """Run a command to its end; `progress` says from outside how much of its work is done."""
    samples = []
    started = time.monotonic()
    with subprocess.Popen(command, env=environment) as process:
        while process.poll() is None:
            done = progress()
            megabytes = sum(map(_resident, [process.pid, *_children(process.pid)]))
            if megabytes:
                samples.append(Sample(done, megabytes))
            time.sleep(EVERY_SECONDS)
    return Watched(process.returncode, time.monotonic() - started, samples)


def _resident(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    _, found, rest = status.partition("VmRSS:")
    return int(rest.split()[0]) / 1024 if found else 0


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []
