"""Transfers, their reversals and their lists."""

from __future__ import annotations

import pytest
from stripe import InvalidRequestError, StripeClient

from tests.stripe import accounts, balances, payouts
from tests.stripe.oracle import judge
from tests.stripe.sending import count, transfer
from tests.stripe.server import Server

pytestmark = pytest.mark.usefixtures("funded")


def available(client: StripeClient, account: str | None = None) -> int:
    balance = client.v1.balance.retrieve({}, {} if account is None else {"stripe_account": account})
    return next(each.amount for each in balance.available if each.currency == "usd")


def test_a_transfer_moves_money_from_the_platform_to_the_payee(client: StripeClient, ada: str) -> None:
    made = transfer(client, ada, amount=5_000)
    assert (made.amount, made.currency, made.destination, made.reversed) == (5_000, "usd", ada, False)
    assert made.metadata.payout == "p1"
    assert (available(client), available(client, ada)) == (995_000, 5_000)


def test_transfers_are_found_by_their_group_page_by_page(client: StripeClient, ada: str) -> None:
    ids = [transfer(client, ada, amount=1, payout=f"p{number}").id for number in range(25)]
    client.v1.transfers.create({"amount": 1, "currency": "usd", "destination": ada, "transfer_group": "run-2"})
    page = client.v1.transfers.list({"transfer_group": "run-1"})
    assert [each.id for each in page.data] == ids[:-11:-1]
    assert page.has_more
    following = client.v1.transfers.list({"transfer_group": "run-1", "starting_after": page.data[-1].id, "limit": 20})
    assert [each.id for each in following.data] == ids[14::-1]
    assert not following.has_more
    before = client.v1.transfers.list({"transfer_group": "run-1", "ending_before": page.data[2].id})
    assert [each.id for each in before.data] == ids[:-3:-1]
    assert [each.id for each in page.auto_paging_iter()] == ids[::-1]


def test_transfers_are_found_by_when_they_were_made(client: StripeClient, ada: str, stripe_server: Server) -> None:
    early = transfer(client, ada)
    stripe_server.clock.advance(days=1)
    late = transfer(client, ada)
    found = client.v1.transfers.list({"created": {"gte": late.created}})
    assert [each.id for each in found.data] == [late.id]
    found = client.v1.transfers.list({"created": {"lt": late.created}, "destination": ada})
    assert [each.id for each in found.data] == [early.id]


def test_only_what_is_available_can_be_sent(client: StripeClient, ada: str, stripe_server: Server) -> None:
    balances.top_up(stripe_server.state, 500_000, "usd", available_in=3_600)
    with pytest.raises(InvalidRequestError) as refusal:
        transfer(client, ada, amount=1_000_001)
    assert (refusal.value.http_status, refusal.value.code) == (400, "balance_insufficient")
    stripe_server.clock.advance(hours=1)
    assert transfer(client, ada, amount=1_000_001)


def test_each_currency_has_its_own_balance(client: StripeClient, ada: str) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        client.v1.transfers.create({"amount": 1, "currency": "eur", "destination": ada})
    assert refusal.value.code == "balance_insufficient"


@pytest.mark.parametrize("status", ["pending", "restricted", "rejected", "unsupported"])
def test_a_payee_who_may_not_be_paid_is_refused(
    client: StripeClient, ada: str, stripe_server: Server, status: str
) -> None:
    accounts.set_capability(stripe_server.state, ada, transfers=status)
    with pytest.raises(InvalidRequestError) as refusal:
        transfer(client, ada)
    assert refusal.value.code == "insufficient_capabilities_for_transfer"


def test_an_account_that_is_closed_or_unknown_is_no_destination(
    client: StripeClient, ada: str, stripe_server: Server
) -> None:
    accounts.closed(stripe_server.state, ada)
    for destination in (ada, "acct_nobody"):
        with pytest.raises(InvalidRequestError) as refusal:
            transfer(client, destination)
        assert (refusal.value.http_status, refusal.value.code, refusal.value.param) == (
            400,
            "resource_missing",
            "destination",
        )


def test_a_transfer_is_reversed_in_parts_up_to_the_whole(client: StripeClient, ada: str) -> None:
    made = transfer(client, ada, amount=5_000)
    reversal = client.v1.transfers.reversals.create(made.id, {"amount": 2_000, "metadata": {"why": "too much"}})
    assert (reversal.amount, reversal.transfer) == (2_000, made.id)
    partly = client.v1.transfers.retrieve(made.id)
    assert (partly.amount_reversed, partly.reversed) == (2_000, False)
    with pytest.raises(InvalidRequestError):
        client.v1.transfers.reversals.create(made.id, {"amount": 3_001})
    client.v1.transfers.reversals.create(made.id)
    wholly = client.v1.transfers.retrieve(made.id)
    assert (wholly.amount_reversed, wholly.reversed) == (5_000, True)
    assert (available(client), available(client, ada)) == (1_000_000, 0)
    assert len(client.v1.transfers.reversals.list(made.id).data) == 2
    assert client.v1.transfers.reversals.retrieve(made.id, reversal.id).metadata.why == "too much"


def test_what_the_payee_has_taken_to_the_bank_cannot_be_reversed(
    client: StripeClient, ada: str, stripe_server: Server
) -> None:
    made = transfer(client, ada, amount=5_000)
    payouts.pay_out(stripe_server.state, ada, "usd")
    with pytest.raises(InvalidRequestError) as refusal:
        client.v1.transfers.reversals.create(made.id)
    assert refusal.value.code == "balance_insufficient"


def test_fees_across_borders_are_in_the_balance_transaction(
    client: StripeClient, ada: str, stripe_server: Server
) -> None:
    stripe_server.state.cross_border_fees["us"] = 25
    made = transfer(client, ada, amount=10_000)
    moved = client.v1.balance_transactions.retrieve(made.balance_transaction)
    assert (moved.amount, moved.fee, moved.net, moved.type) == (-10_000, 25, -10_025, "transfer")
    assert judge(stripe_server.world) == []


def test_metadata_can_be_changed_afterwards(client: StripeClient, ada: str) -> None:
    made = transfer(client, ada)
    changed = client.v1.transfers.update(made.id, {"metadata": {"payout": "", "note": "late"}})
    assert changed.metadata.to_dict() == {"note": "late"}


def test_what_is_not_there_is_404(client: StripeClient) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        client.v1.transfers.retrieve("tr_nothing")
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")


def test_a_new_world_knows_nothing_of_the_old(client: StripeClient, ada: str, stripe_server: Server) -> None:
    transfer(client, ada)
    stripe_server.reset()
    assert count(client) == 0


def test_the_balance_transaction_comes_along_when_asked_for(client: StripeClient, ada: str) -> None:
    made = transfer(client, ada, amount=5_000)
    seen = client.v1.transfers.retrieve(made.id, {"expand": ["balance_transaction"]})
    assert seen.balance_transaction.net == -5_000
    (listed,) = client.v1.transfers.list({"expand": ["data.balance_transaction"]}).data
    assert listed.balance_transaction.id == made.balance_transaction
    assert client.v1.transfers.retrieve(made.id).balance_transaction == made.balance_transaction
