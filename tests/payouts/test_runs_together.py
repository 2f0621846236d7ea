"""Two people at one payout run at the same moment: one wins, the other is told, nobody is paid twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from firm.actor import Actor, Role
from firm.errors import Busy, Refused
from payouts.rails.rail import Order
from payouts.runs import approvals, policies, preparation, queries, sending
from payouts.runs.model import Payout, PayoutPolicy, PayoutRun
from payouts.runs.moves import PayoutNotInState, RunNotInState
from payouts.runs.preparation import AlreadyInARun, Drafted, NothingPayable
from tests import lovelace
from tests.firm.books import together
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD, usd
from tests.payouts import paying
from tests.payouts.bank import Bank
from tests.payouts.interruptions import meanwhile
from tests.payouts.paying import LATER

Opens = Callable[[str], AbstractContextManager[Flask]]
ROUNDS = 3
ONCE = ["Ada 1,950.00 USD", "Grace 4,300.00 USD"]
PARTNER = Actor("partner", Role.LEAD)


def one_of_two(results: list[Any], won: type, *lost: type) -> Any:
    """The result of the one who won; the other got one of the refusals."""
    winners = [result for result in results if isinstance(result, won)]
    losers = [result for result in results if isinstance(result, lost)]
    assert (len(winners), len(losers)) == (1, 1), results
    return winners[0]


def approve(number: str, by: Actor) -> Callable[[], PayoutRun]:
    return lambda: approvals.approve(number, by=by, now=AFTER)


def proposed() -> str:
    number = paying.draft().run.number
    approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    return number


def test_of_two_approvals_at_the_same_moment_one_wins(opens: Opens) -> None:
    for _ in range(ROUNDS):
        with opens("closed") as app:
            number = proposed()
            run = one_of_two(together(app, approve(number, LEAD), approve(number, PARTNER)), PayoutRun, RunNotInState)
            assert run.state == "approved"
            assert lovelace.trial_balance()["liabilities:payouts-in-transit"] == "-6,250.00 USD"
            lovelace.assert_books_hold()


def test_a_policy_waits_for_an_approval_that_has_not_seen_it(opens: Opens) -> None:
    with opens("closed") as app:
        number = proposed()

        def lay_down() -> PayoutPolicy:
            earlier = AFTER - timedelta(seconds=1)
            return policies.lay_down(minimum=usd("0.00"), approvals=2, by=LEAD, now=earlier)

        with meanwhile(app, "INSERT INTO payout_approval", lay_down) as laid_down:
            assert approvals.approve(number, by=LEAD, now=AFTER).state == "approved"
        assert [policy.set_at for policy in laid_down] == [AFTER]
        lovelace.assert_books_hold()


def test_a_run_is_approved_or_canceled_and_never_both(opens: Opens) -> None:
    for _ in range(ROUNDS):
        with opens("closed") as app:
            number = proposed()

            def cancel(number: str = number) -> PayoutRun:
                return preparation.cancel(number, by=ADMINISTRATOR, now=AFTER)

            run = one_of_two(together(app, approve(number, LEAD), cancel), PayoutRun, RunNotInState)
            in_transit = lovelace.trial_balance().get("liabilities:payouts-in-transit")
            assert (run.state, in_transit) in [("approved", "-6,250.00 USD"), ("canceled", None)]
            lovelace.assert_books_hold()


def test_of_two_drafts_at_the_same_moment_one_holds_the_people(opens: Opens) -> None:
    for _ in range(ROUNDS):
        with opens("closed") as app:
            drafted = one_of_two(together(app, paying.draft, paying.draft), Drafted, AlreadyInARun, NothingPayable)
            assert drafted.run.number == "RUN-2026-0001"
            assert len(drafted.payouts) == 2
            lovelace.assert_books_hold()


def test_a_draft_beside_an_approval_pays_nobody_twice(opens: Opens) -> None:
    for _ in range(ROUNDS):
        with opens("closed") as app:
            number = proposed()
            run, second = together(app, approve(number, LEAD), paying.draft)
            assert isinstance(run, PayoutRun), run
            assert isinstance(second, (NothingPayable, AlreadyInARun)), second
            lovelace.assert_books_hold()


def test_two_senders_at_the_same_moment_pay_everybody_once(opens: Opens) -> None:
    for _ in range(ROUNDS):
        with opens("closed") as app:
            bank = Bank()
            number = paying.approved(bank)
            results = together(app, *[lambda number=number, bank=bank: paying.send(number, bank)] * 2)
            assert all(isinstance(result, (PayoutRun, Refused, Busy)) for result in results), results
            paying.send(number, bank, now=LATER)
            assert bank.amounts() == ONCE
            assert len(bank.asked) == 2
            assert set(paying.states(number).values()) == {"sent"}
            lovelace.assert_books_hold()


def test_what_one_sender_has_under_way_another_one_leaves_alone(closed_october: Flask) -> None:
    bank = Bank()
    number = paying.approved(bank)
    second: list[Any] = []

    def somebody_else_sends(order: Order) -> None:
        bank.before_paying = lambda order: None
        second.extend(together(closed_october, lambda: paying.send(number, bank)))

    bank.before_paying = somebody_else_sends
    paying.send(number, bank)
    assert isinstance(second[0], (PayoutRun, Refused, Busy)), second
    assert bank.amounts() == ONCE
    assert len(bank.asked) == 2
    assert set(paying.states(number).values()) == {"sent"}
    lovelace.assert_books_hold()


def test_a_payout_is_settled_once_however_many_enter_the_proof(opens: Opens) -> None:
    for _ in range(ROUNDS):
        with opens("closed") as app:
            number = paying.approved()
            paying.send(number, Bank())
            grace = paying.payout_to(number, "Grace").id
            results = together(app, lambda g=grace: paying.settle(g), lambda g=grace: paying.settle(g, reference="x"))
            one_of_two(results, Payout, PayoutNotInState)
            assert lovelace.trial_balance()["assets:bank"] == "-4,300.00 USD"
            lovelace.assert_books_hold()


def test_a_payment_that_settles_while_it_is_entered_as_returned_is_booked_one_way(opens: Opens) -> None:
    """Settled and then returned is a possible end; returned from transit with the bank charged is not."""
    for _ in range(ROUNDS):
        with opens("closed") as app:
            number = paying.approved()
            paying.send(number, Bank())
            grace = paying.payout_to(number, "Grace").id
            settled, returned = together(app, lambda g=grace: paying.settle(g), lambda g=grace: paying.give_back(g))
            assert isinstance(settled, (Payout, PayoutNotInState)), settled
            assert isinstance(returned, (Payout, PayoutNotInState)), returned
            assert isinstance(settled, Payout) or isinstance(returned, Payout)
            lovelace.assert_books_hold()


def test_a_payment_that_settles_just_before_its_return_is_entered_leaves_nothing_in_transit(
    postgresql_at: Opens,
) -> None:
    with postgresql_at("closed") as app:
        number = paying.approved()
        paying.send(number, Bank())
        grace = paying.payout_to(number, "Grace").id
        settling = meanwhile(app, "UPDATE payout SET", lambda: paying.settle(grace))
        with settling as settled, suppress(PayoutNotInState):
            paying.give_back(grace)
        assert isinstance(settled[0], (Payout, PayoutNotInState))
        assert paying.states(number)["Grace"] in ("settled", "returned")
        lovelace.assert_books_hold()


def test_of_two_who_end_the_last_payouts_at_the_same_moment_one_ends_the_run(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opens("closed") as app:
        bank = Bank()
        number = paying.approved(bank)
        paying.send(number, bank)
        first, second = sending.run_with_payouts(number)[1]
        both = threading.Barrier(2)
        states_of = queries.states_of

        def seen_together(session: Session, run_id: str) -> list[str]:
            found = states_of(session, run_id)
            with suppress(threading.BrokenBarrierError):
                # Whoever waits for the other in the database never comes here in time.
                both.wait(timeout=0.5)
            return found

        monkeypatch.setattr(queries, "states_of", seen_together)
        together(app, lambda: paying.settle(first.id), lambda: paying.settle(second.id))
        assert sending.run_with_payouts(number)[0].state == "settled"
        lovelace.assert_books_hold()
