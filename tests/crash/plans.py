"""What a seed decides before anything happens."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from tests.crash.lives import Death
from tests.stripe import faults
from tests.stripe.faults import Fault

MOST_DEATHS = (2, 3, 6)
"""Most die once or twice; long stories have their turn."""
PATIENCE_SECONDS = 0.25
"""How long a life waits for an answer of the provider's."""

KILLED_BEFORE, KILLED_AFTER = "killed with the request at the provider", "killed with the effect at the provider"
"""Two more ways to die: the request has left, and the answer has not come."""

CREATE, LIST, READ = "POST /v1/transfers", "GET /v1/transfers", "GET /v1/*"
DAY = timedelta(hours=25)
STEPS = (*(timedelta(minutes=minutes) for minutes in (0.5, 3, 20, 61, 130)), DAY)
"""How far the clock moves between two lives: within a lease, beyond it, to the next look-up, past the keys' end."""
LATER_STEPS = STEPS[3:]


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that the provider is asked to commit; `kills` says that the caller dies of it."""

    operation: str
    fault: str
    skip: int = 0
    times: int = 1

    @property
    def kills(self) -> bool:
        return self.fault in (KILLED_BEFORE, KILLED_AFTER)


@dataclass(frozen=True, slots=True)
class LifePlan:
    """One life that may be cut short. `company` says that a second worker runs beside it."""

    death: Death | None
    strikes: tuple[Strike, ...]
    step: timedelta
    company: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole schedule; `later` are the steps of the clock between the lives that are left alone.

    `told` says whether the provider's events come in at all, `takes_back` how often it reverses a transfer;
    `swept` that a whole sweep and a comparison end it, `once` that one death at a point is enough.
    """

    seed: int
    payees: int
    lives: tuple[LifePlan, ...]
    later: tuple[timedelta, ...]
    banked: bool = False
    by_worker: bool = False
    short_of_funds: bool = False
    told: bool = False
    takes_back: int = 0
    swept: bool = False
    once: bool = False


KINDS: dict[str, Fault] = {fault.name: fault for fault in faults.every(patience=PATIENCE_SECONDS)}
ALL_KINDS = (*KINDS, KILLED_BEFORE, KILLED_AFTER)
RARE = ("notice.sent_not_marked", "provider-sweep.swept", "rail-file.written", "statement.rendered")
"""Points that a schedule reaches once, if at all."""
BEGINNING = ("run.", "statement.")
"""How the points begin that are reached while the first life prepares the run."""
DEFINITE = (faults.NO_FUNDS.name, faults.NOT_PAYABLE.name)
"""Refusals, after which the money is payable again: they make the longest stories."""


def plan(seed: int, points: Sequence[str]) -> Plan:
    """The schedule of a seed: the same for ever, as long as the points and the faults are the same."""
    chance = random.Random(seed)
    # What goes wrong between two payees shows with two; more of them take longer, and have their turn now and then.
    (payees,) = chance.choices((1, 2, 3, 4, 5), (2, 5, 3, 1, 1))
    takes_back = chance.choice((0, 0, 0, 0, 1, 2))
    steps = (DAY,) if takes_back else LATER_STEPS
    return Plan(
        seed=seed,
        payees=payees,
        lives=tuple(
            _life(chance, points, payees, first=not number)
            for number in range(chance.randint(1, chance.choice(MOST_DEATHS)))
        ),
        later=tuple(chance.choice(steps) for _ in range(12)),
        banked=chance.random() < 0.4 and payees > 1,
        by_worker=chance.random() < 0.6,
        short_of_funds=chance.random() < 0.2,
        told=chance.random() < 0.5,
        takes_back=takes_back,
        swept=chance.random() < 0.25,
    )


def _life(chance: random.Random, points: Sequence[str], payees: int, *, first: bool) -> LifePlan:
    return LifePlan(
        death=_death(chance, points, payees, first=first) if chance.random() < 0.9 else None,
        strikes=tuple(_strike(chance) for _ in range(chance.choice((0, 1, 1, 2)))),
        step=chance.choice(STEPS),
        company=chance.random() < 0.15,
    )


def _death(chance: random.Random, points: Sequence[str], payees: int, *, first: bool) -> Death:
    """By name, so that rare points have their turn; or by number, which falls where most happens."""
    if chance.random() < 0.5:
        return Death(chance.randint(1, chance.choice((2, 6, 5 * payees))))
    likely = [name for name in points if first or not name.startswith(BEGINNING)] or points
    (name,) = chance.choices(likely, [3 if name in RARE else 1 for name in likely])
    return Death(chance.choice((1, 1, 1, 2, 3)), name)


def _strike(chance: random.Random) -> Strike:
    (operation,) = chance.choices((CREATE, LIST, READ), (7, 2, 1))
    (fault,) = chance.choices(ALL_KINDS, [3 if kind in DEFINITE else 1 for kind in ALL_KINDS])
    # Three times: as often as the library tries by itself.
    return Strike(operation, fault, chance.choice((0, 0, 0, 1, 2)), chance.choice((1, 1, 3)))
