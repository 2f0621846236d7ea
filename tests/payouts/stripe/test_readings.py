"""What Stripe has, as the product reads it: amounts, moments, words that are new, and what cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from firm.money import Money
from payouts.rails.rail import Absent, Order, Payee, Refused, Sent, Unknown
from payouts.rails.stripe import payloads, readings, reversals
from payouts.rails.stripe.client import Client
from payouts.rails.stripe.errors import StripeLater, StripeRefused, StripeUnclear
from payouts.rails.stripe.payloads import read
from payouts.rails.stripe.rail import StripeRail
from tests.stripe import faults, payouts
from tests.stripe.server import Server

FIVE = Money(500, "USD")


@pytest.fixture
def paid(rail: StripeRail, ada: str) -> str:
    """A transfer of 5.00 USD to ada."""
    sent = rail.send(Order("pay_1-1", "pay_1", "run_1", FIVE, Payee("Ada", "US", account=ada), "memo"))
    assert isinstance(sent, Sent)
    return sent.reference


def test_a_transfer_says_what_it_paid_and_what_came_back(client: Client, paid: str, ada: str) -> None:
    assert isinstance(reversals.reverse(client, paid, Money(200, "USD"), key="rev_1"), Sent)
    found = readings.transfer(client, paid)
    assert (found.amount, found.reversed) == (FIVE, Money(200, "USD"))
    assert (found.destination, found.group, found.payout_id, found.live) == (ada, "run_1", "pay_1", False)
    assert list(readings.transfers(client, destination=ada)) == [found]
    assert [one.amount for one in readings.reversals(client, paid)] == [Money(200, "USD")]


def test_lists_are_half_open_spans_of_time(client: Client, paid: str) -> None:
    at = readings.transfer(client, paid).created_at
    assert at.tzinfo is UTC
    second = timedelta(seconds=1)
    assert [one.id for one in readings.transfers(client, since=at, until=at + second)] == [paid]
    assert list(readings.transfers(client, since=at + second)) == []
    assert list(readings.transfers(client, until=at)) == []


def test_balances_tell_what_is_available_to_us_and_to_a_payee(client: Client, paid: str, ada: str) -> None:
    assert readings.balances(client)["USD"] == Money(999_500, "USD")
    assert readings.balances(client, account=ada)["USD"] == FIVE


def test_fees_are_read_from_the_lines_of_the_balance(
    client: Client, stripe_server: Server, rail: StripeRail, ada: str
) -> None:
    stripe_server.state.cross_border_fees["us"] = 25
    rail.send(Order("pay_1-1", "pay_1", "run_1", FIVE, Payee("Ada", "US", account=ada), "memo"))
    line = next(one for one in readings.balance_transactions(client) if one.kind == "transfer")
    assert line.amount - line.fee == line.net
    assert readings.balance_transaction(client, line.id) == line
    assert sum(one.net.minor for one in readings.balance_transactions(client)) == readings.balances(client)["USD"].minor


def test_what_a_payees_account_sends_to_the_bank_may_fail_after_it_was_paid(
    client: Client, stripe_server: Server, paid: str, ada: str
) -> None:
    payouts.pay_out(stripe_server.state, ada, "usd")
    (sent,) = readings.payouts(client, account=ada)
    assert sent.amount == FIVE
    for status in ("in_transit", "paid", "failed"):
        payouts.move(stripe_server.state, sent.id, status)
        assert readings.payout(client, sent.id, account=ada).status == status
    assert list(readings.payouts(client)) == []


def test_events_name_what_happened_and_where(client: Client, stripe_server: Server, paid: str, ada: str) -> None:
    created = next(one for one in readings.events(client, kinds=["transfer.created"]))
    assert (created.object_id, created.object_kind, created.account) == (paid, "transfer", None)
    assert readings.event(client, created.id) == created
    payouts.pay_out(stripe_server.state, ada, "usd")
    assert {one.kind for one in readings.events(client, account=ada)} >= {"payout.created"}


def test_a_transfer_is_taken_back_once_for_each_key(client: Client, paid: str) -> None:
    first = reversals.reverse(client, paid, Money(200, "USD"), key="rev_1")
    assert reversals.reverse(client, paid, Money(200, "USD"), key="rev_1") == first
    assert reversals.find_reversal(client, paid, Money(200, "USD"), key="rev_1") == first
    assert reversals.find_reversal(client, paid, FIVE, key="rev_2") == Absent()
    assert isinstance(reversals.find_reversal(client, paid, FIVE, key="rev_1"), Unknown)


def test_what_the_payee_no_longer_has_cannot_be_taken_back(
    client: Client, stripe_server: Server, paid: str, ada: str
) -> None:
    """No run of ours has to wait for money because of that: the payee stays in our debt."""
    payouts.pay_out(stripe_server.state, ada, "usd")
    assert isinstance(reversals.reverse(client, paid, FIVE, key="rev_1"), Refused)


def test_a_reversal_whose_answer_was_lost_is_looked_up(client: Client, stripe_server: Server, paid: str) -> None:
    stripe_server.faults.plan("POST /v1/transfers/{id}/reversals", faults.ERROR_AFTER)
    assert isinstance(reversals.reverse(client, paid, FIVE, key="rev_1"), Unknown)
    assert isinstance(reversals.find_reversal(client, paid, FIVE, key="rev_1"), Sent)


def test_what_is_not_there_is_refused_and_no_answer_is_no_answer(client: Client, stripe_server: Server) -> None:
    with pytest.raises(StripeRefused) as refusal:
        readings.transfer(client, "tr_nothing")
    assert refusal.value.code == "resource_missing"
    stripe_server.faults.plan("GET *", faults.rate_limited())
    with pytest.raises(StripeLater):
        readings.balances(client)
    stripe_server.faults.plan("GET *", faults.HTML_PAGE)
    with pytest.raises(StripeUnclear):
        readings.balances(client)


PAYOUT = {
    "id": "po_1",
    "created": 1_790_000_000,
    "amount": 500,
    "currency": "usd",
    "status": "paid",
    "arrival_date": 1_790_000_000,
    "automatic": True,
    "livemode": False,
}


def test_a_word_of_a_later_version_is_passed_on() -> None:
    found = read(payloads.PayoutPayload, {**PAYOUT, "status": "teleported", "color": {"of": "the bank"}})
    assert found.status == "teleported"
    assert found.created_at == datetime.fromtimestamp(1_790_000_000, UTC)


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "500"},
        {"amount": 5.0},
        {"amount": True},
        {"amount": None},
        {"currency": "usdc"},
        {"currency": 5},
        {"created": "yesterday"},
        {"created": True},
        {"created": 10**18},
        {"id": ""},
        {"livemode": "no"},
    ],
)
def test_what_cannot_be_read_has_to_be_looked_up(wrong: dict[str, object]) -> None:
    with pytest.raises(StripeUnclear):
        read(payloads.PayoutPayload, {**PAYOUT, **wrong})


@pytest.mark.parametrize("answer", [None, [], "text", 5, {}])
def test_an_answer_of_another_shape_has_to_be_looked_up(answer: object) -> None:
    with pytest.raises(StripeUnclear):
        read(payloads.PayoutPayload, answer)
