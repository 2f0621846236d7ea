"""Payees: their accounts at Stripe, how they are onboarded, and what becomes of their money."""

from __future__ import annotations

import pytest
from stripe import AuthenticationError, InvalidRequestError, PermissionError, StripeClient

from tests.stripe import accounts, first_api_accounts, payouts
from tests.stripe.conftest import ONBOARDING
from tests.stripe.oracle import judge
from tests.stripe.sending import transfer
from tests.stripe.server import Server


def statuses(client: StripeClient, account: str) -> tuple[str, str]:
    seen = client.v2.core.accounts.retrieve(account, {"include": ["configuration.recipient"]})
    balance = seen.configuration.recipient.capabilities.stripe_balance
    return balance.stripe_transfers.status, balance.payouts.status


def test_a_new_payee_may_not_be_paid_yet(client: StripeClient) -> None:
    account = client.v2.core.accounts.create(ONBOARDING)
    assert account.id.startswith("acct_")
    assert account.configuration.recipient.capabilities.stripe_balance.stripe_transfers.status == "pending"
    assert account.requirements.entries == []
    assert account.identity is None


def test_what_is_not_asked_for_is_null(client: StripeClient, ada: str) -> None:
    bare = client.v2.core.accounts.retrieve(ada)
    assert (bare.configuration, bare.requirements, bare.identity, bare.contact_email) == (
        *(None, None, None),
        "ada@example.com",
    )
    assert client.v2.core.accounts.retrieve(ada, {"include": ["identity"]}).identity.country == "us"


def test_an_account_link_leads_to_the_onboarding(client: StripeClient, ada: str) -> None:
    link = client.v2.core.account_links.create(
        {
            "account": ada,
            "use_case": {
                "type": "account_onboarding",
                "account_onboarding": {
                    "refresh_url": "https://chambers.test/again",
                    "return_url": "https://chambers.test/done",
                },
            },
        }
    )
    assert link.url.startswith("https://accounts.stripe.com/")
    assert link.expires_at > link.created


@pytest.mark.parametrize("status", ["active", "pending", "restricted", "rejected", "unsupported"])
def test_stripe_decides_who_may_be_paid(client: StripeClient, ada: str, stripe_server: Server, status: str) -> None:
    accounts.set_capability(stripe_server.state, ada, transfers=status, payouts=status)
    assert statuses(client, ada) == (status, status)


def test_an_account_is_changed_closed_and_unknown(client: StripeClient, ada: str) -> None:
    client.v2.core.accounts.update(ada, {"contact_email": "new@example.com", "metadata": {"person": "ada"}})
    seen = client.v2.core.accounts.retrieve(ada)
    assert (seen.contact_email, seen.metadata["person"]) == ("new@example.com", "ada")
    assert client.v2.core.accounts.close(ada).closed
    with pytest.raises(InvalidRequestError) as refusal:
        client.v2.core.accounts.retrieve("acct_nobody")
    assert (refusal.value.http_status, refusal.value.error.code) == (404, "not_found")


def test_a_wrong_key_opens_nothing(stripe_server: Server) -> None:
    stranger = StripeClient("sk_test_stranger", base_addresses={"api": stripe_server.url})
    with pytest.raises(AuthenticationError):
        stranger.v1.balance.retrieve()
    stripe_server.also_accepted.add("sk_test_stranger")
    assert stranger.v1.balance.retrieve()
    stripe_server.also_accepted.clear()


def test_an_account_that_is_not_ours_cannot_be_spoken_for(client: StripeClient) -> None:
    with pytest.raises(PermissionError, match="does not have access to account"):
        client.v1.balance.retrieve({}, {"stripe_account": "acct_other"})


@pytest.mark.usefixtures("funded")
def test_a_payout_can_be_canceled_while_it_is_pending(client: StripeClient, ada: str, stripe_server: Server) -> None:
    transfer(client, ada, amount=700)
    made = client.v1.payouts.create({"amount": 500, "currency": "usd"}, {"stripe_account": ada})
    assert (made.status, made.automatic) == ("pending", False)
    assert client.v1.payouts.cancel(made.id, {}, {"stripe_account": ada}).status == "canceled"
    with pytest.raises(InvalidRequestError):
        client.v1.payouts.cancel(made.id, {}, {"stripe_account": ada})
    with pytest.raises(InvalidRequestError):
        client.v1.payouts.retrieve(made.id)
    assert judge(stripe_server.world) == []


@pytest.mark.usefixtures("funded")
def test_a_payout_s_contents_can_be_listed_when_it_was_automatic(
    client: StripeClient, ada: str, stripe_server: Server
) -> None:
    for number in range(2):
        transfer(client, ada, amount=700, payout=f"p{number}")
    first = payouts.pay_out(stripe_server.state, ada, "usd")
    transfer(client, ada, amount=300, payout="p3")
    second = payouts.pay_out(stripe_server.state, ada, "usd")
    assert first is not None
    assert second is not None
    for payout, amounts in ((first, [-1_400, 700, 700]), (second, [-300, 300])):
        listed = client.v1.balance_transactions.list({"payout": payout["id"]}, {"stripe_account": ada}).data
        assert [each.amount for each in listed] == amounts
    assert payouts.pay_out(stripe_server.state, ada, "usd") is None


@pytest.mark.usefixtures("funded")
def test_the_firm_s_own_payouts_compete_for_the_balance_and_leave_the_minimum(
    client: StripeClient, ada: str, stripe_server: Server
) -> None:
    client.v1.balance_settings.update({"payments": {"payouts": {"minimum_balance_by_currency": {"usd": 400_000}}}})
    taken = payouts.pay_out(stripe_server.state, None, "usd")
    assert taken is not None
    assert taken["amount"] == 600_000
    with pytest.raises(InvalidRequestError):
        transfer(client, ada, amount=400_001)
    assert client.v1.balance_settings.retrieve().payments.payouts.minimum_balance_by_currency["usd"] == 400_000


def test_the_first_api_shows_the_same_account(client: StripeClient, ada: str, stripe_server: Server) -> None:
    seen = client.v1.accounts.retrieve(ada)
    assert (seen.capabilities.transfers, seen.payouts_enabled, seen.country) == ("active", True, "US")
    first_api_accounts.tell_update(stripe_server.state, ada)
    first_api_accounts.deauthorize(stripe_server.state, ada)
    deliveries = stripe_server.webhooks.fresh()[-2:]
    assert [(each.event["type"], each.event["account"]) for each in deliveries] == [
        ("account.updated", ada),
        ("account.application.deauthorized", ada),
    ]
    with pytest.raises(PermissionError) as refusal:
        client.v1.balance.retrieve({}, {"stripe_account": ada})
    assert refusal.value.http_status == 403
