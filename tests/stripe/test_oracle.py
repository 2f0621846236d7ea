"""The judge sees what is wrong: each planted wrong is found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stripe import StripeClient

from tests.stripe import payouts, transfers
from tests.stripe.oracle import Fact, judge
from tests.stripe.sending import transfer
from tests.stripe.server import Server

pytestmark = pytest.mark.usefixtures("funded")


@pytest.fixture
def fact(client: StripeClient, ada: str) -> Fact:
    made = transfer(client, ada)
    return Fact("p1", made.id, 5_000, "usd", ada)


def test_books_that_agree_are_in_order(client: StripeClient, fact: Fact, stripe_server: Server) -> None:
    assert judge(stripe_server.world, [fact]) == []
    client.v1.transfers.reversals.create(fact.transfer, {"amount": 100})
    payouts.pay_out(stripe_server.state, fact.destination, "usd", 1_000)
    assert judge(stripe_server.world, [replace(fact, reversed=100)]) == []


def test_a_payout_paid_twice_is_found(client: StripeClient, fact: Fact, stripe_server: Server) -> None:
    again = transfer(client, fact.destination)
    (wrong,) = judge(stripe_server.world)
    assert wrong == f"p1 was paid by {fact.transfer}, {again.id}"
    client.v1.transfers.reversals.create(again.id)
    assert judge(stripe_server.world) == []


def test_a_transfer_that_nobody_booked_is_found(fact: Fact, stripe_server: Server) -> None:
    (wrong,) = judge(stripe_server.world, [])
    assert wrong == f"{fact.transfer} is at Stripe and not in the books: 5000 usd for p1"


@pytest.mark.parametrize(
    "other", [{"amount": 4_999}, {"currency": "eur"}, {"destination": "acct_2"}, {"payout": "p2"}, {"reversed": 1}]
)
def test_books_that_say_something_else_are_found(fact: Fact, stripe_server: Server, other: dict[str, object]) -> None:
    (wrong,) = judge(stripe_server.world, [replace(fact, **other)])  # type: ignore[arg-type]
    assert "the books say" in wrong


def test_a_transfer_that_was_never_made_and_one_booked_twice_are_found(fact: Fact, stripe_server: Server) -> None:
    wrong = judge(stripe_server.world, [fact, fact, replace(fact, transfer="tr_never")])
    assert wrong == [f"{fact.transfer} is in the books 2 times", "tr_never of p1 is in the books and not at Stripe"]


def test_money_that_appears_from_nowhere_is_found(fact: Fact, stripe_server: Server) -> None:
    stripe_server.state.ledger.post(None, "transfer_refund", 1, "usd", id="txn_0", source="trr_0")
    (wrong,) = judge(stripe_server.world)
    assert wrong == "the platform holds 995001 usd at Stripe, and 995000 came in"


def test_a_key_that_stands_for_two_payouts_is_found(client: StripeClient, fact: Fact, stripe_server: Server) -> None:
    transfer(client, fact.destination, key="k", payout="p2")
    stripe_server.clock.advance(hours=25)
    transfer(client, fact.destination, key="k", payout="p3")
    assert judge(stripe_server.world) == ["the key k was used for p2, p3"]


def test_a_reversal_beyond_the_payee_s_balance_makes_it_negative(fact: Fact, stripe_server: Server) -> None:
    state = stripe_server.state
    payouts.pay_out(state, fact.destination, "usd")
    transfers.give_back(state, state.objects["transfer"][fact.transfer], 5_000)
    assert state.ledger.available(fact.destination, "usd") == -5_000
    assert judge(stripe_server.world) == []
