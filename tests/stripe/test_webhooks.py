"""What Stripe pushes: signatures that the SDK verifies, and all the disorder that may befall it."""

from __future__ import annotations

import random

import pytest
from stripe import SignatureVerificationError, StripeClient, WebhookSignature

from tests.receivers import answering, receiver
from tests.stripe import accounts, payouts
from tests.stripe.oracle import judge
from tests.stripe.sending import transfer
from tests.stripe.server import Server
from tests.stripe.webhooks import CONNECT, PLATFORM, Delivery, messy, sign

pytestmark = pytest.mark.usefixtures("funded")


@pytest.fixture
def delivery(client: StripeClient, ada: str, stripe_server: Server) -> Delivery:
    """Of a transfer that was made."""
    transfer(client, ada)
    return stripe_server.webhooks.fresh()[-1]


def verified(client: StripeClient, delivery: Delivery, secret: str) -> object:
    return client.construct_event(delivery.body, delivery.headers["Stripe-Signature"], secret)


def test_a_signature_is_what_the_sdk_would_make() -> None:
    body, at = '{"a": 1}', 1_700_000_000
    header = WebhookSignature.generate_signature_header(body, "whsec_x", at)
    assert header == f"t={at},v1={sign(body.encode(), 'whsec_x', at)}"


def test_the_sdk_verifies_a_snapshot(client: StripeClient, delivery: Delivery, stripe_server: Server) -> None:
    event = verified(client, delivery, stripe_server.secrets.platform[0])
    assert (event.type, event.livemode) == ("transfer.created", False)  # type: ignore[attr-defined]
    assert event.data.object.metadata.payout == "p1"  # type: ignore[attr-defined]
    assert client.v1.events.retrieve(delivery.id).type == "transfer.created"


def test_the_sdk_verifies_a_thin_event_and_fetches_what_it_is_about(
    client: StripeClient, ada: str, stripe_server: Server
) -> None:
    delivery = next(each for each in stripe_server.webhooks.fresh() if "capability_status" in each.event["type"])
    notice = client.parse_event_notification(
        delivery.body, delivery.headers["Stripe-Signature"], stripe_server.secrets.platform[0]
    )
    assert notice.type == "v2.core.account[configuration.recipient].capability_status_updated"
    assert notice.fetch_related_object().id == ada
    assert notice.fetch_event().data.updated_capability == "stripe_balance.stripe_transfers"


def test_a_payee_s_events_come_to_the_other_door_with_the_account(
    client: StripeClient, ada: str, stripe_server: Server
) -> None:
    transfer(client, ada)
    stripe_server.webhooks.fresh()
    payouts.pay_out(stripe_server.state, ada, "usd")
    (delivery,) = stripe_server.webhooks.fresh()
    assert (delivery.endpoint, delivery.path) == (CONNECT, "/webhooks/stripe-connect")
    event = verified(client, delivery, stripe_server.secrets.connect[0])
    assert (event.type, event.account) == ("payout.created", ada)  # type: ignore[attr-defined]


def test_what_is_wrong_with_a_signature_is_refused(
    client: StripeClient, delivery: Delivery, stripe_server: Server
) -> None:
    secret = stripe_server.secrets.platform[0]
    for forged in (
        delivery.signed_with("whsec_other"),
        delivery.skewed(-301),
        delivery.sent_to(CONNECT).signed_with("x"),
    ):
        with pytest.raises(SignatureVerificationError):
            verified(client, forged, secret)
    assert verified(client, delivery.skewed(3_600), secret)
    with pytest.raises(SignatureVerificationError):
        client.construct_event(delivery.body + b" ", delivery.headers["Stripe-Signature"], secret)


def test_two_secrets_sign_during_a_rotation(client: StripeClient, stripe_server: Server, delivery: Delivery) -> None:
    (old,) = stripe_server.secrets.platform
    stripe_server.secrets.rotate(PLATFORM, "whsec_new")
    both = stripe_server.webhooks.again(delivery.id)
    assert both.headers["Stripe-Signature"].count("v1=") == 2
    assert verified(client, both, old)
    assert verified(client, both, "whsec_new")
    stripe_server.secrets.expire(PLATFORM)
    with pytest.raises(SignatureVerificationError):
        verified(client, stripe_server.webhooks.again(delivery.id), old)


def test_an_event_may_be_of_another_version_mode_or_account(client: StripeClient, delivery: Delivery) -> None:
    other = delivery.changed(api_version="2019-02-19", livemode=True, account="acct_other")
    event = verified(client, other, delivery.secrets[0])
    assert (event.api_version, event.livemode, event.account) == ("2019-02-19", True, "acct_other")  # type: ignore[attr-defined]


def test_deliveries_are_repeated_lost_and_shuffled_by_a_seed(
    client: StripeClient, ada: str, stripe_server: Server
) -> None:
    for number in range(30):
        transfer(client, ada, amount=1, payout=f"p{number}")
    orderly = stripe_server.webhooks.fresh()
    sent = messy(orderly, random.Random(7), repeated=0.5, lost=0.2)
    assert sent == messy(orderly, random.Random(7), repeated=0.5, lost=0.2)
    ids = [each.id for each in sent]
    assert len(set(ids)) < len(orderly)
    assert len(ids) > len(set(ids))
    assert ids != sorted(ids)
    assert stripe_server.webhooks.fresh() == []


def test_an_event_is_pushed_over_http(delivery: Delivery) -> None:
    with receiver(answering(200, b"thank you")) as product:
        assert delivery.push(product.url) == 200
        (message,) = product.messages
    assert message.path == "/webhooks/stripe"
    assert message.body.encode() == delivery.body
    assert message.headers["stripe-signature"] == delivery.headers["Stripe-Signature"]


def test_a_payout_may_fail_after_it_was_paid(client: StripeClient, ada: str, stripe_server: Server) -> None:
    transfer(client, ada, amount=5_000)
    payout = payouts.pay_out(stripe_server.state, ada, "usd")
    assert payout is not None
    for status in ("in_transit", "paid", "failed"):
        payouts.move(stripe_server.state, payout["id"], status)
    seen = client.v1.payouts.retrieve(payout["id"], {}, {"stripe_account": ada})
    assert (seen.status, seen.failure_code, seen.amount) == ("failed", "account_closed", 5_000)
    balance = client.v1.balance.retrieve({}, {"stripe_account": ada})
    assert balance.available[0].amount == 5_000
    types = [
        each.type
        for each in client.v1.events.list({"types": ["payout.paid", "payout.failed"]}, {"stripe_account": ada}).data
    ]
    assert types == ["payout.failed", "payout.paid"]
    assert judge(stripe_server.world) == []


def test_events_are_listed_for_thirty_days(client: StripeClient, ada: str, stripe_server: Server) -> None:
    transfer(client, ada)
    assert "transfer.created" in [each.type for each in client.v1.events.list({"type": "transfer.*"}).data]
    assert client.v2.core.events.list({"object_id": ada}).data
    stripe_server.clock.advance(days=31)
    assert client.v1.events.list().data == []
    assert client.v2.core.events.list().data == []


def test_an_onboarding_ends_with_a_thin_event(client: StripeClient, ada: str, stripe_server: Server) -> None:
    accounts.come_back(stripe_server.state, ada)
    delivery = stripe_server.webhooks.fresh()[-1]
    notice = client.parse_event_notification(delivery.body, delivery.headers["Stripe-Signature"], delivery.secrets[0])
    assert notice.type == "v2.core.account_link.returned"
    assert notice.fetch_event().data.account_id == ada
