"""Fifty people press the same button at the same moment: one effect, and everybody else is told so."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from flask import Flask

from api.errors import status_of
from firm.actor import Actor, Role
from firm.errors import ChambersError
from payouts.rails.rail import Order
from payouts.runs import approvals, policies
from payouts.runs.model import PayoutRun
from tests import lovelace
from tests.firm.books import together
from tests.lovelace import ADMINISTRATOR, AFTER
from tests.payouts import over_stripe, paying
from tests.payouts.bank import Bank
from tests.stripe.server import Server

Opens = Callable[[str], AbstractContextManager[Flask]]
FIFTY = range(50)


def outcomes(results: list[Any]) -> Counter[str]:
    """What came of it, by its name; what would be a 500 over HTTP fails here."""
    for result in results:
        assert isinstance(result, PayoutRun | ChambersError), repr(result)
        assert not isinstance(result, ChambersError) or status_of(result) != 500, repr(result)
    return Counter(type(result).__name__ for result in results)


def test_of_fifty_approvals_one_reserves_the_money(opens: Opens) -> None:
    with opens("closed") as app:
        number = paying.draft().run.number
        approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
        people = [Actor(f"lead-{which}", Role.LEAD) for which in FIFTY]
        results = together(app, *(lambda by=by: approvals.approve(number, by=by, now=AFTER) for by in people))
        assert outcomes(results) == {"PayoutRun": 1, "RunNotInState": 49}
        assert lovelace.trial_balance()["liabilities:payouts-in-transit"] == "-6,250.00 USD"
        lovelace.assert_books_hold()


def test_of_fifty_approvals_by_one_person_one_counts(opens: Opens) -> None:
    with opens("closed") as app:
        policies.lay_down(minimum=lovelace.usd("0.00"), approvals=2, by=lovelace.LEAD, now=AFTER)
        number = paying.draft().run.number
        approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
        results = together(app, *(lambda: approvals.approve(number, by=lovelace.LEAD, now=AFTER) for _ in FIFTY))
        assert outcomes(results) == {"PayoutRun": 1, "AlreadyApproved": 49}
        assert "liabilities:payouts-in-transit" not in lovelace.trial_balance()


def test_of_fifty_sendings_each_payee_is_paid_once(opens: Opens) -> None:
    with opens("closed") as app:
        number = paying.approved()
        bank = Bank(before_paying=_slowly)
        results = together(app, *(lambda: paying.send(number, bank) for _ in FIFTY))
        assert set(outcomes(results)) <= {"PayoutRun", "StillSending"}
        assert sorted(Counter(bank.asked).values()) == [1, 1], "nobody asks the bank twice for the same"
        assert bank.amounts() == ["Ada 1,950.00 USD", "Grace 4,300.00 USD"]
        assert set(paying.states(number).values()) == {"sent"}
        lovelace.assert_books_hold()


def test_of_fifty_sendings_over_stripe_each_payee_gets_one_transfer(opens: Opens, stripe_server: Server) -> None:
    with opens("closed") as app, over_stripe.paying(stripe_server) as firm:
        firm.approve()
        results = together(app, *(firm.send_again for _ in FIFTY))
        assert set(outcomes(results)) <= {"PayoutRun", "StillSending"}
        assert sorted(one["amount"] for one in stripe_server.state.of("transfer")) == [195_000, 430_000]
        assert firm.states() == {"Ada": "settled", "Grace": "settled"}
        lovelace.assert_books_hold()


def _slowly(_: Order) -> None:
    time.sleep(0.1)
