"""Running one schedule: live and die, until all is quiet, and then be judged."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from tests.crash import desk, judging
from tests.crash.house import MONEY, House
from tests.crash.judging import Verdict
from tests.crash.lives import DONE, Life, Program
from tests.crash.mail import Mail
from tests.crash.plans import KILLED_BEFORE, KINDS, LifePlan, Plan, Strike
from tests.lovelace import AFTER
from tests.stripe import balances, faults, transfers
from tests.stripe.webhooks import Delivery

MOST_RESTARTS = 12


@dataclass(slots=True)
class Result:
    """What one schedule came to."""

    verdict: Verdict = field(default_factory=Verdict)
    lives: int = 0
    kills: int = 0
    struck: Counter[str] = field(default_factory=Counter)


class Schedule:
    """One plan, being carried out."""

    def __init__(self, house: House, plan: Plan) -> None:
        self._house = house
        self._server = house.server
        self._plan = plan
        self._chance = random.Random(plan.seed)
        self._owed = house.begin(plan.payees, banked=plan.banked, short_of_funds=plan.short_of_funds)
        self._mail = Mail(house.server, self._chance, told=plan.told)
        self._to_take_back = plan.takes_back
        self._now = AFTER
        self._result = Result()
        self._died_before = house.died.counts().total()

    def run(self) -> Result:
        """Carry it out. Nobody may be connected to the books."""
        result, armed = self._result, len(self._plan.lives)
        for life in self._lives():
            if result.lives == armed:
                self._leave_alone()
            killed = self._live(life)
            # What was taken back without a word is found by a sweep only, a day after the last.
            unheard = self._plan.takes_back and result.lives <= armed
            alive = self._plan.once and result.lives < armed and not self._has_died()
            if not (killed or unheard or alive) and self._is_quiet():
                break
            if result.lives < armed:
                self._take_back()
        else:
            result.verdict.lost.append(f"It is not quiet after {MOST_RESTARTS} restarts.")
        self._judge()
        return result

    def _lives(self) -> Iterator[LifePlan]:
        yield from self._plan.lives
        for step in self._plan.later[: MOST_RESTARTS + 1 - len(self._plan.lives)]:
            yield LifePlan(None, (), step)

    def _live(self, life: LifePlan) -> bool:
        """Let one life go to its end, and the one beside it; says whether one was killed."""
        self._now += life.step
        self._server.clock.set(self._now)
        living: list[Life] = []

        def kill(_: object) -> None:
            if living:
                living[0].kill()

        for strike in life.strikes:
            self._plan_strike(strike, kill)
        tally = {"reached": self._house.reached, "died": self._house.died}
        death = None if self._plan.once and self._has_died() else life.death
        living.append(Life(self._program(self._mail.bag()), death, **tally))
        if life.company:
            living.append(Life(self._program([]), None, **tally))
        ends = [each.end() for each in living]
        self._server.drain()
        self._mail.acknowledged(ends[0].done)
        killed = sum(end.killed for end in ends)
        self._result.lives += 1
        self._result.kills += killed
        self._result.verdict.wrong += [sentence for end in ends for sentence in end.said]
        if killed:
            # Later lives may put right what this one owed: an intent is committed before the call, or it is too late.
            with self._house.at_the_books():
                self._result.verdict.wrong += judging.uncommitted(self._server.world)
        return killed > 0

    def _has_died(self) -> bool:
        return self._house.died.counts().total() > self._died_before

    def _plan_strike(self, strike: Strike, kill: Callable[[object], None]) -> None:
        fault = KINDS.get(strike.fault)
        if fault is None:
            fault = faults.call_before(kill) if strike.fault == KILLED_BEFORE else faults.call_after(kill)
            fault = replace(fault, name=strike.fault)
        self._server.faults.plan(strike.operation, fault, skip=strike.skip, times=1 if strike.kills else strike.times)

    def _program(self, bag: list[Delivery]) -> Program:
        """What a life does: the mail comes in before people are at work, or after."""
        house, now, by_worker = self._house, self._now, self._plan.by_worker
        mail_first = self._chance.random() < 0.5

        def program(say: Callable[[str], None]) -> None:
            house.hurry()
            if house.mutant is not None:
                house.mutant()
            desk.set_clock(now)
            with desk.overheard(say):
                if mail_first:
                    desk.take_in(house.app, bag, lambda name: say(DONE + name))
                desk.work(house.app, by_worker=by_worker)
                if not mail_first:
                    desk.take_in(house.app, bag, lambda name: say(DONE + name))

        return program

    def _leave_alone(self) -> None:
        """From now on nothing goes wrong, and there is money."""
        self._server.faults.clear()
        balances.top_up(self._server.state, MONEY, "eur")

    def _take_back(self) -> None:
        """The provider reverses a transfer, whole or in part."""
        standing = [each for each in self._server.state.of("transfer") if not each["reversed"]]
        if self._to_take_back and standing and self._chance.random() < 0.5:
            transfer = self._chance.choice(standing)
            left = transfer["amount"] - transfer["amount_reversed"]
            with self._server.state.lock:
                transfers.give_back(self._server.state, transfer, self._chance.choice((left, (left + 1) // 2)))
            self._to_take_back -= 1

    def _is_quiet(self) -> bool:
        with self._house.at_the_books():
            return self._mail.empty and judging.is_quiet()

    def _judge(self) -> None:
        now, verdict = self._now + timedelta(minutes=1), self._result.verdict
        self._result.struck = self._server.faults.struck.copy()
        self._leave_alone()
        with self._house.at_the_books():
            judging.judge(verdict, self._server.world, self._owed, self._house.mailbox, now=now)
            if self._plan.swept:
                judging.reconcile(verdict, now=now)
