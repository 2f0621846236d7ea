"""Paying over Stripe: what each way of going wrong becomes, and that it never becomes two payments."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from firm.db import transaction
from firm.errors import InvariantBroken
from firm.money import Money
from payouts.rails.rail import Absent, Later, NoAnswer, Order, OutOfFunds, Payee, Refused, Sent, Unknown
from payouts.rails.stripe import transport
from payouts.rails.stripe.client import Client
from payouts.rails.stripe.rail import StripeRail
from tests.stripe import accounts, balances, faults
from tests.stripe.answers import Answer
from tests.stripe.faults import Fault, Place
from tests.stripe.server import Server

CREATE = "POST /v1/transfers"
LIST = "GET /v1/transfers"


@pytest.fixture
def order(ada: str) -> Order:
    return _order(ada)


def _order(account: str, *, amount: Money | None = None, payout: str = "pay_ada", number: int = 1) -> Order:
    payee = Payee("Ada", "US", account=account)
    return Order(f"{payout}-{number}", payout, "run_1", amount or Money(195_000, "USD"), payee, "memo")


def made(server: Server) -> list[str]:
    return [each["id"] for each in server.state.objects["transfer"].values()]


def test_a_payout_is_a_transfer_to_the_payees_account_under_its_key(
    rail: StripeRail, order: Order, stripe_server: Server
) -> None:
    sent = rail.send(order)
    assert sent == Sent(made(stripe_server)[0], stripe_server.clock.now().replace(microsecond=0))
    call = stripe_server.log[-1]
    assert call.request.key == "test-transfer-pay_ada-1"
    assert call.request.parameters == {
        "amount": 195_000,
        "currency": "usd",
        "destination": order.payee.account,
        "transfer_group": "run_1",
        "metadata": {"payout": "pay_ada", "run": "run_1", "env": "test"},
    }


def test_sending_again_is_not_paying_again(rail: StripeRail, order: Order, stripe_server: Server) -> None:
    assert rail.send(order) == rail.send(order) == rail.find(order)
    assert len(made(stripe_server)) == 1


def test_what_was_never_sent_is_absent(rail: StripeRail, order: Order) -> None:
    rail.send(replace(order, key="pay_grace-1", payout_id="pay_grace"))
    assert rail.find(order) == Absent()


def odd(body: bytes) -> Fault:
    """An answer that is JSON and nothing that was asked for."""
    return Fault(f"odd {body.decode()}", Place.BEFORE, answer=Answer(200, body))


BEFORE, AFTER = Absent(), Sent("…")
"""What a look-up finds after the fault."""


@pytest.mark.parametrize(
    ("fault", "times", "kind", "found"),
    [
        (faults.DROP_BEFORE, 3, Unknown, BEFORE),
        (faults.RESET_BEFORE, 3, Unknown, BEFORE),
        (faults.DROP_AFTER, 3, Unknown, AFTER),
        (faults.RESET_AFTER, 3, Unknown, AFTER),
        (faults.TRUNCATED, 3, Unknown, AFTER),
        (faults.HTML_PAGE, 1, Unknown, BEFORE),
        (faults.HTML_PAGE_AFTER, 1, Unknown, AFTER),
        (odd(b"[]"), 1, Unknown, BEFORE),
        (odd(b"null"), 1, Unknown, BEFORE),
        (odd(b"{}"), 1, Unknown, BEFORE),
        (odd(b'{"object": "transfer", "id": "tr_1"}'), 1, Unknown, BEFORE),
        (faults.BAD_GATEWAY, 3, Unknown, BEFORE),
        (faults.BAD_GATEWAY_AFTER, 3, Unknown, AFTER),
        (faults.ERROR_BEFORE, 3, Unknown, BEFORE),
        (faults.ERROR_KEPT, 1, Unknown, BEFORE),
        (faults.ERROR_AFTER, 1, Unknown, AFTER),
        (faults.KEY_IN_USE, 3, Unknown, BEFORE),
        (faults.LOCK_TIMEOUT, 3, Later, BEFORE),
        (faults.rate_limited(), 1, Later, BEFORE),
        (faults.EXPIRED_KEY, 1, Later, BEFORE),
        (faults.FORBIDDEN, 1, Later, BEFORE),
        (faults.NO_FUNDS, 1, OutOfFunds, BEFORE),
        (faults.NOT_PAYABLE, 1, Refused, BEFORE),
        (faults.refused("brand_new_code", "Something that nobody has heard of."), 1, Refused, BEFORE),
        (faults.refused("odd", "Pay first.", status=402, kind="card_error"), 1, Unknown, BEFORE),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
def test_each_fault_says_whether_money_can_have_moved(
    rail: StripeRail,
    order: Order,
    stripe_server: Server,
    fault: Fault,
    times: int,
    kind: type,
    found: Absent | Sent,
) -> None:
    stripe_server.faults.plan(CREATE, fault, times=times)
    outcome = rail.send(order)
    assert type(outcome) is kind, outcome
    assert type(rail.find(order)) is type(found)
    assert len(made(stripe_server)) == (1 if found is AFTER else 0)


@pytest.mark.parametrize("fault", [faults.DROP_BEFORE, faults.DROP_AFTER, faults.ERROR_BEFORE, faults.LOCK_TIMEOUT])
def test_a_fault_that_passes_is_not_noticed(
    rail: StripeRail, order: Order, stripe_server: Server, fault: Fault
) -> None:
    stripe_server.faults.plan(CREATE, fault)
    assert isinstance(rail.send(order), Sent)
    assert len(made(stripe_server)) == 1


@pytest.mark.parametrize("second", [faults.rate_limited(), faults.EXPIRED_KEY, faults.FORBIDDEN], ids=lambda f: f.name)
def test_a_try_that_may_have_paid_is_not_forgotten_because_the_next_one_did_not(
    rail: StripeRail, order: Order, stripe_server: Server, second: Fault
) -> None:
    """The library repeats by itself: what it tells of is the last try only."""
    stripe_server.faults.plan(CREATE, faults.DROP_AFTER)
    stripe_server.faults.plan(CREATE, second)
    assert isinstance(rail.send(order), Unknown)
    assert isinstance(rail.find(order), Sent)


def test_who_waits_too_long_for_an_answer_looks_it_up(
    order: Order, stripe_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert transport.TIMEOUTS == (5, 20)
    monkeypatch.setattr(transport, "TIMEOUTS", (1, 1))
    client = Client([stripe_server.api_key], base=stripe_server.url, calls_a_second=10_000)
    stripe_server.faults.plan(CREATE, faults.silence(5), times=3)
    assert isinstance(StripeRail(client).send(order), Unknown)
    assert isinstance(StripeRail(client).find(order), Sent)
    client.close()


def test_calls_are_spread_over_the_second() -> None:
    pace, started = transport.Pace(20), time.monotonic_ns()
    for _ in range(5):
        pace.wait()
    assert time.monotonic_ns() - started >= 4 * 50_000_000


def test_what_cannot_be_reached_has_not_been_paid(order: Order) -> None:
    nowhere = Client(["sk_test_nobody"], base="http://127.0.0.1:9", calls_a_second=10_000)
    assert isinstance(StripeRail(nowhere).send(order), Later)
    assert isinstance(StripeRail(nowhere).find(order), NoAnswer)
    nowhere.close()


@pytest.mark.parametrize(
    "fault",
    [faults.rate_limited(), faults.FORBIDDEN, faults.refused("odd", "No."), odd(b"{}"), odd(b'{"data": [{}]}')],
    ids=lambda fault: fault.name,
)
def test_a_look_up_that_fails_says_nothing(rail: StripeRail, order: Order, stripe_server: Server, fault: Fault) -> None:
    rail.send(order)
    stripe_server.faults.plan(LIST, fault)
    assert isinstance(rail.find(order), NoAnswer)
    assert isinstance(rail.find(order), Sent)


def test_too_little_money_at_stripe_lets_the_run_wait(rail: StripeRail, ada: str) -> None:
    outcome = rail.send(_order(ada, amount=Money(1_000_001, "USD")))
    assert isinstance(outcome, OutOfFunds)
    assert "available" in outcome.detail


def test_when_the_money_has_come_only_another_key_pays(rail: StripeRail, ada: str, stripe_server: Server) -> None:
    much = Money(1_000_001, "USD")
    rail.send(_order(ada, amount=much))
    balances.top_up(stripe_server.state, 1, "usd")
    assert isinstance(rail.send(_order(ada, amount=much)), OutOfFunds)
    assert isinstance(rail.send(_order(ada, amount=much, number=2)), Sent)


def test_a_redirection_is_not_followed(rail: StripeRail, order: Order, stripe_server: Server) -> None:
    elsewhere = Answer(307, b"{}", {"Location": f"{stripe_server.url}/v1/payouts"})
    stripe_server.faults.plan(CREATE, Fault("307", Place.BEFORE, answer=elsewhere))
    assert isinstance(rail.send(order), Unknown)
    assert stripe_server.log[-1].request.operation == CREATE


def test_a_refusal_is_definite_and_a_new_key_may_follow(rail: StripeRail, ada: str, stripe_server: Server) -> None:
    accounts.set_capability(stripe_server.state, ada, transfers="restricted")
    refused = rail.send(_order(ada))
    assert isinstance(refused, Refused)
    assert "may not receive transfers" in refused.reason
    accounts.set_capability(stripe_server.state, ada)
    assert isinstance(rail.send(_order(ada, number=2)), Sent)


def test_one_key_for_two_amounts_is_an_unknown_outcome(rail: StripeRail, order: Order) -> None:
    rail.send(order)
    outcome = rail.send(replace(order, amount=Money(1, "USD")))
    assert isinstance(outcome, Unknown)
    assert "another request" in outcome.detail


def test_stripe_forgets_a_key_and_the_look_up_does_not(rail: StripeRail, order: Order, stripe_server: Server) -> None:
    sent = rail.send(order)
    stripe_server.clock.advance(hours=25)
    assert rail.find(order) == sent
    kept = rail.describe().keeps_keys_for
    assert kept is not None
    assert kept < timedelta(hours=24)


def test_several_transfers_for_one_payout_are_an_incident(
    rail: StripeRail, order: Order, stripe_server: Server
) -> None:
    rail.send(order)
    # What the state machine never does.
    stripe_server.clock.advance(hours=25)
    rail.send(order)
    found = rail.find(order)
    assert isinstance(found, Unknown)
    assert "incident" in found.detail
    stripe_server.reset()


@pytest.mark.parametrize("left", [0, 1])
def test_of_two_transfers_the_one_that_was_not_taken_back_is_found(
    rail: StripeRail, order: Order, stripe_server: Server, left: int
) -> None:
    rail.send(order)
    stripe_server.clock.advance(hours=25)
    rail.send(order)
    both = [stripe_server.state.get("transfer", one) for one in made(stripe_server)]
    both[1 - left]["amount_reversed"] = both[1 - left]["amount"]
    found = rail.find(order)
    assert isinstance(found, Sent)
    assert found.reference == both[left]["id"]
    stripe_server.reset()


def test_a_transfer_that_moved_something_else_is_an_incident(rail: StripeRail, order: Order) -> None:
    rail.send(replace(order, amount=Money(1, "USD")))
    found = rail.find(order)
    assert isinstance(found, Unknown)
    assert "incident" in found.detail


def test_a_transfer_to_somebody_else_is_an_incident_until_it_came_back(
    rail: StripeRail, order: Order, stripe_server: Server
) -> None:
    sent = rail.send(order)
    strange = stripe_server.state.get("transfer", made(stripe_server)[0])
    strange["destination"] = "acct_thief"
    assert isinstance(rail.find(order), Unknown)
    strange["amount_reversed"] = strange["amount"]
    assert rail.find(order) == sent
    stripe_server.reset()


def test_a_transfer_whose_name_was_taken_off_is_not_overlooked(
    rail: StripeRail, client: Client, order: Order, stripe_server: Server
) -> None:
    rail.send(order)
    transfer_id = made(stripe_server)[0]
    client.call(lambda sdk: sdk.v1.transfers.update(transfer_id, {"metadata": {"payout": ""}}))
    found = rail.find(order)
    assert isinstance(found, Unknown)
    assert "names no payout" in found.detail
    stripe_server.reset()


def test_a_run_of_more_than_one_page_is_searched_to_its_end(rail: StripeRail, ada: str) -> None:
    first = rail.send(_order(ada, amount=Money(1, "USD"), payout="pay_first"))
    for number in range(101):
        rail.send(_order(ada, amount=Money(1, "USD"), payout=f"pay_{number}"))
    assert rail.find(_order(ada, amount=Money(1, "USD"), payout="pay_first")) == first


def test_nobody_is_paid_without_an_account(rail: StripeRail, order: Order, stripe_server: Server) -> None:
    before = len(stripe_server.log)
    assert isinstance(rail.send(replace(order, payee=Payee("Ada", "US"))), Refused)
    assert len(stripe_server.log) == before


def test_a_second_key_takes_over_from_one_that_has_ended(order: Order, stripe_server: Server) -> None:
    client = Client(["sk_test_ended", stripe_server.api_key], base=stripe_server.url, calls_a_second=10_000)
    assert isinstance(StripeRail(client).send(order), Sent)
    assert len(made(stripe_server)) == 1
    client.close()


def test_when_no_key_is_accepted_nothing_was_done(order: Order, stripe_server: Server) -> None:
    client = Client(["sk_test_ended", "sk_test_mistyped"], base=stripe_server.url, calls_a_second=10_000)
    outcome = StripeRail(client).send(order)
    assert isinstance(outcome, Later)
    assert "STRIPE_API_KEY" in outcome.detail
    assert "sk_test" not in outcome.detail
    client.close()


def test_nothing_is_sent_while_a_transaction_is_open(
    rail: StripeRail, order: Order, stripe_server: Server, sqlite_app: object
) -> None:
    with pytest.raises(InvariantBroken), transaction():
        rail.send(order)
    assert made(stripe_server) == []
