"""What a kind of job is to a worker, and what a worker hands to the function that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from firm.actor import Actor
from firm.errors import Busy

DELAYS = tuple(timedelta(seconds=5 * 4**number) for number in range(7))
"""Between tries, unless the kind says otherwise: 5 seconds to nearly six hours, eight tries in all."""

Progress = Callable[[int, int | None], None]


class TryAgain(Busy):
    """The job could not be done now and may succeed later: it goes back into the queue, after its kind's delay."""


@dataclass(frozen=True, slots=True)
class Task:
    """A job in a worker's hands; `now` is the moment this try began."""

    job_id: str
    kind: str
    payload: Mapping[str, Any]
    by: Actor
    now: datetime
    attempt: int
    leased_by: str
    last_try: bool
    progress: Progress = lambda done, total: None


@dataclass(frozen=True, slots=True)
class Kind:
    """What to do for a kind of job, and how long to wait after each failed try; one more try than delays, then parked.

    `run` returns JSON or None. It raises `TryAgain` or any `Busy` to be tried again, any other refusal to end the job.
    """

    run: Callable[[Task], Any]
    delays: Sequence[timedelta] = DELAYS
    leaves_the_house: bool = False
    """Whether it sends something to somebody: then it waits while restored books are not reconciled."""

    @property
    def tries(self) -> int:
        return len(self.delays) + 1

    def delay(self, attempt: int) -> timedelta:
        """How long to wait after this failed attempt (the first is 1)."""
        return self.delays[min(attempt, len(self.delays)) - 1] if self.delays else timedelta(0)
