"""Running one schedule: put the books back, live and die, and judge."""

from __future__ import annotations

import copy
import gc
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import stripe
from flask import Flask

from api.app import create_core, standard_stripe
from firm.db import db
from firm.settings import Settings
from migrations import run as migrations
from payouts.rails.manual import ManualRail
from payouts.rails.sepa import SepaRail
from payouts.rails.stripe import transport
from tests.crash import desk, firm, judging, points
from tests.crash.books import Books
from tests.crash.firm import Owed, RailIntoAccounts
from tests.crash.judging import Verdict
from tests.crash.lives import End, Life, Program
from tests.crash.plans import KILLED_BEFORE, KINDS, PATIENCE_SECONDS, LifePlan, Plan, Strike
from tests.databases import TEST_KEY
from tests.lovelace import AFTER
from tests.stripe import accounts, balances, faults
from tests.stripe.server import Server

MOST_RESTARTS = 12
MONEY = 100_000_000
"""What the firm has at the provider, in cents: more than enough."""
LITTLE = 150_000
"""What it has when it is short of funds: enough for one or two."""

Mutant = Callable[[], None]


@dataclass(slots=True)
class Result:
    """What one schedule came to."""

    verdict: Verdict
    lives: int = 0
    kills: int = 0
    struck: Counter[str] = field(default_factory=Counter)


class Crashing:
    """Everything that schedules share: the tests' Stripe, the application on its books, the counts of the points."""

    def __init__(self, stripe_server: Server, books: Books, folder: Path) -> None:
        self.points = points.to_hit()
        names = points.registered()
        self.reached, self.died = points.Tally(names), points.Tally(names)
        self._server = stripe_server
        self._books = books
        self.mutant: Mutant | None = None
        self._accounts: dict[str, Any] = {}
        self._owed: dict[str, list[Owed]] = {}
        _be_quick()
        settings = _settings(stripe_server, books.url, folder)
        way_out = standard_stripe(settings)
        assert way_out is not None
        self._way_out = way_out
        self._account_of: dict[str, str] = {}
        rails = {"manual": ManualRail(), "sepa": SepaRail(), "stripe": RailIntoAccounts(way_out, self._account_of)}
        self.app: Flask = create_core(settings, rails=rails)
        self._found()

    def run(self, plan: Plan) -> Result:
        """Run a schedule to its verdict. Nobody may be connected to the books."""
        owed = self._begin(plan)
        result, now = Result(Verdict()), AFTER
        world = self._server.world
        for life in self._lives(plan):
            now += life.step
            self._server.clock.set(now)
            if result.lives == len(plan.lives):
                self._leave_alone()
            ends = self._live(life, plan, now)
            result.lives += 1
            result.kills += sum(end.killed for end in ends)
            result.verdict.wrong += [sentence for end in ends for sentence in end.said]
            if result.lives >= len(plan.lives) and not any(end.killed for end in ends) and self._quiet(owed):
                break
        else:
            result.verdict.lost.append(f"It is not quiet after {MOST_RESTARTS} restarts.")
        self._judge(result, owed, now)
        result.struck = world.faults.struck.copy()
        return result

    def _lives(self, plan: Plan) -> Iterator[LifePlan]:
        yield from plan.lives
        for step in plan.later[: MOST_RESTARTS + 1 - len(plan.lives)]:
            yield LifePlan(None, (), step, company=False)

    def _live(self, life: LifePlan, plan: Plan, now: datetime) -> list[End]:
        """Let one life go to its end, and the one beside it."""
        living: list[Life] = []

        def kill(_: object) -> None:
            if living:
                living[0].kill()

        for strike in life.strikes:
            self._plan_strike(strike, kill)
        program = self._program(now, by_worker=plan.by_worker)
        living.append(Life(program, life.death, reached=self.reached, died=self.died))
        if life.company:
            living.append(Life(program, None, reached=self.reached, died=self.died))
        ends = [each.end() for each in living]
        self._server.drain()
        return ends

    def _plan_strike(self, strike: Strike, kill: Callable[[object], None]) -> None:
        fault = KINDS.get(strike.fault)
        if fault is None:
            fault = faults.call_before(kill) if strike.fault == KILLED_BEFORE else faults.call_after(kill)
            fault = replace(fault, name=strike.fault)
        self._server.faults.plan(strike.operation, fault, skip=strike.skip, times=1 if strike.kills else strike.times)

    def _program(self, now: datetime, *, by_worker: bool) -> Program:
        def program(say: Callable[[str], None]) -> None:
            gc.enable()
            if self.mutant is not None:
                self.mutant()
            desk.set_clock(now)
            with desk.overheard(say):
                desk.work(self.app, by_worker=by_worker)

        return program

    def _begin(self, plan: Plan) -> list[Owed]:
        name = _firm_of(plan.payees, plan.banked)
        with self._at_the_books():
            self._books.put_back(name)
        world = self._server.reset()
        world.clock.set(AFTER)
        for account in copy.deepcopy(list(self._accounts.values())):
            world.state.add("account", account)
        balances.top_up(world.state, LITTLE if plan.short_of_funds else MONEY, "eur")
        return self._owed[name]

    def _leave_alone(self) -> None:
        """From now on nothing goes wrong, and there is money."""
        self._server.faults.clear()
        balances.top_up(self._server.state, MONEY, "eur")

    def _quiet(self, owed: Sequence[Owed]) -> bool:
        with self._at_the_books():
            return judging.is_quiet(owed)

    def _judge(self, result: Result, owed: Sequence[Owed], now: datetime) -> None:
        with self._at_the_books():
            found = judging.judge(self._server.world, owed, now=now + timedelta(seconds=1))
        result.verdict.twice += found.twice
        result.verdict.lost += found.lost
        result.verdict.wrong += found.wrong

    @contextmanager
    def _at_the_books(self) -> Iterator[None]:
        """A look of the parent's own, which leaves no connection behind for the next life to inherit."""
        with self.app.app_context():
            try:
                yield
            finally:
                db.session.remove()
                db.engine.dispose()

    def _found(self) -> None:
        """Found the firm once, and keep it with each choice of payees; then warm up what every life needs."""
        with self._at_the_books():
            migrations.upgrade(db.engine)
            firm.found()
            for account in list(self._server.state.objects["account"]):
                accounts.set_capability(self._server.state, account)
            self._accounts = copy.deepcopy(self._server.state.objects["account"])
            self._books.keep("founded")
        for payees in range(1, 6):
            for banked in (False, True) if payees > 1 else (False,):
                with self._at_the_books():
                    self._books.put_back("founded")
                    name = _firm_of(payees, banked)
                    self._owed[name] = firm.direct(payees, banked=banked)
                    self._account_of.update({one.name: one.account for one in self._owed[name] if one.account})
                    self._books.keep(name)
        self._warm_up()

    def _warm_up(self) -> None:
        """Live a life in this process: what was translated and imported once, every fork of it has."""
        plan = Plan(0, 3, True, True, False, (), ())
        owed = self._begin(plan)
        desk.set_clock(AFTER)
        desk.work(self.app, by_worker=True)
        desk.work(self.app, by_worker=False)
        self._way_out.close()
        self._judge(Result(Verdict()), owed, AFTER)
        gc.collect()
        gc.freeze()


def _firm_of(payees: int, banked: bool) -> str:
    return f"{payees}-{'banked' if banked else 'direct'}"


def _settings(server: Server, url: str, folder: Path) -> Settings:
    return Settings(
        database_url=url,
        secret_keys=TEST_KEY,  # type: ignore[arg-type]
        sqlite_synchronous="NORMAL",
        audit_anchors=folder / "anchors",
        STRIPE_API_KEY=server.api_key,  # type: ignore[call-arg]
        STRIPE_API_BASE=server.url,
        STRIPE_CALLS_A_SECOND=10_000,
    )


def _be_quick() -> None:
    """A provider on this machine answers at once or not at all."""
    transport.TIMEOUTS = (PATIENCE_SECONDS, PATIENCE_SECONDS)  # type: ignore[assignment]
    stripe.HTTPClient.INITIAL_DELAY = stripe.HTTPClient.MAX_DELAY = 0.001
    logging.getLogger("chambers").setLevel(logging.ERROR)
