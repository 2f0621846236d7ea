"""What a seed decides before anything happens."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from tests.crash.lives import Death
from tests.stripe import faults
from tests.stripe.faults import Fault

MOST_DEATHS = 6
PATIENCE_SECONDS = 0.25
"""How long a life waits for an answer of the provider's."""

KILLED_BEFORE, KILLED_AFTER = "killed with the request at the provider", "killed with the effect at the provider"
"""Two more ways to die: the request has left, and the answer has not come."""

CREATE, LIST = "POST /v1/transfers", "GET /v1/transfers"
STEPS = tuple(timedelta(minutes=minutes) for minutes in (0.5, 3, 20, 61, 130, 25 * 60))
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
    company: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole schedule; `later` are the steps of the clock between the lives that are left alone."""

    seed: int
    payees: int
    banked: bool
    by_worker: bool
    short_of_funds: bool
    lives: tuple[LifePlan, ...]
    later: tuple[timedelta, ...]


KINDS: dict[str, Fault] = {fault.name: fault for fault in faults.every(patience=PATIENCE_SECONDS)}
ALL_KINDS = (*KINDS, KILLED_BEFORE, KILLED_AFTER)


def plan(seed: int, points: Sequence[str]) -> Plan:
    """The schedule of a seed: the same for ever, as long as the points and the faults are the same."""
    chance = random.Random(seed)
    payees = chance.randint(2, 5)
    return Plan(
        seed=seed,
        payees=payees,
        banked=chance.random() < 0.4,
        by_worker=chance.random() < 0.6,
        short_of_funds=chance.random() < 0.2,
        lives=tuple(_life(chance, points, payees) for _ in range(chance.randint(1, MOST_DEATHS))),
        later=tuple(chance.choice(LATER_STEPS) for _ in range(12)),
    )


def _life(chance: random.Random, points: Sequence[str], payees: int) -> LifePlan:
    """A death by name gives rare points their turn; a death by number falls where most happens."""
    by_name = chance.random() < 0.6
    death = Death(chance.randint(1, payees), chance.choice(points)) if by_name else Death(chance.randint(1, 5 * payees))
    return LifePlan(
        death=death if chance.random() < 0.9 else None,
        strikes=tuple(_strike(chance, payees) for _ in range(chance.choice((0, 1, 1, 2)))),
        step=chance.choice(STEPS),
        company=chance.random() < 0.15,
    )


def _strike(chance: random.Random, payees: int) -> Strike:
    operation = CREATE if chance.random() < 0.75 else LIST
    fault = chance.choice(ALL_KINDS)
    # Three times: as often as the library tries by itself.
    return Strike(operation, fault, chance.choice((0, 0, 0, 1, 2)), chance.choice((1, 1, 3)))
