"""Who may not be paid any more when an approved run is sent: nothing leaves, and the money is payable again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from api.parts import parts
from firm.db import reading, transaction
from firm.jobs.model import Job
from firm.profile.changes import change_firm
from firm.recovery import operations as recovery
from payouts.adjustments import operations as adjustments
from payouts.adjustments.operations import Draft
from payouts.destinations import operations as destinations
from payouts.provider_accounts import operations as provider_accounts
from payouts.provider_events import sweeping
from payouts.reconciliation import comparing, operations
from payouts.runs import approvals, changes, obstacles, preparation, queries, sending
from payouts.runs.model import PayoutAttempt
from payouts.tax_forms import operations as tax_forms
from tests import lovelace
from tests.databases import SECRET_KEYS
from tests.examples.refusals import refused
from tests.lovelace import ADMINISTRATOR, AFTER, BEFORE, LEAD, usd
from tests.payouts import over_stripe, paying
from tests.payouts.bank import Bank
from tests.payouts.over_stripe import WORKER, OverStripe
from tests.stripe import accounts, balances, transfers
from tests.stripe.answers import Request
from tests.stripe.server import Server

SOON = AFTER + timedelta(minutes=5)


@pytest.fixture
def stripe(closed_october: Flask, stripe_server: Server) -> Iterator[OverStripe]:
    with over_stripe.paying(stripe_server) as ready:
        yield ready


def approved(stripe: OverStripe) -> str:
    number = preparation.draft(rails={"stripe": stripe.rail}, by=ADMINISTRATOR, now=AFTER).run.number
    approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    return approvals.approve(number, by=LEAD, now=AFTER).number


def send(stripe: OverStripe, number: str) -> str:
    keys = parts().keys
    return sending.send(number, rails={"stripe": stripe.rail}, keys=keys, by=ADMINISTRATOR, now=SOON).state


def attempts_of(payout_id: str) -> list[PayoutAttempt]:
    with reading() as session:
        return queries.attempts_of(session, payout_id)


def test_a_draft_that_pays_into_accounts_promises_to_ask_how_they_stand(stripe: OverStripe) -> None:
    stripe.send()
    with reading() as session:
        promised = session.scalars(select(Job.key).where(Job.kind == provider_accounts.REFRESH)).all()
        run = queries.find(session, stripe.run)
    assert promised == [f"provider-accounts:{run.id}"]


def test_a_draft_that_pays_by_bank_asks_nobody(closed_october: Flask) -> None:
    paying.draft()
    with reading() as session:
        assert session.scalars(select(Job.key).where(Job.kind == provider_accounts.REFRESH)).all() == []


def test_an_account_that_became_restricted_after_the_approval_is_not_paid_into(stripe: OverStripe) -> None:
    number = approved(stripe)
    accounts.set_capability(stripe.server.state, stripe.accounts["Grace"], transfers="restricted")
    assert provider_accounts.refresh_all(provider=stripe.source.accounts, by=WORKER, now=SOON) == 2
    assert send(stripe, number) == "partly-settled"
    grace = paying.payout_to(number, "Grace")
    assert paying.states(number) == {"Grace": "canceled", "Ada": "settled"}
    assert grace.reason is not None
    assert grace.reason.startswith("It was not sent: Grace cannot be paid")
    assert attempts_of(grace.id) == []
    assert len(stripe.server.state.of("transfer")) == 1
    assert lovelace.trial_balance()["liabilities:payables"] == "-4,300.00 USD"
    lovelace.assert_books_hold()
    with pytest.raises(preparation.NothingPayable, match=r"Grace .* cannot be paid"):
        preparation.draft(rails={"stripe": stripe.rail}, by=ADMINISTRATOR, now=SOON)
    # Mended, the same money is paid by the next run.
    accounts.set_capability(stripe.server.state, stripe.accounts["Grace"])
    later = SOON + timedelta(seconds=1)
    provider_accounts.refresh_all(provider=stripe.source.accounts, by=WORKER, now=later)
    stripe.send()
    assert stripe.states() == {"Grace": "settled"}
    lovelace.assert_books_hold()


def another_account(stripe: OverStripe, payee: str) -> None:
    """The payee's account is closed, and another one is opened and may be paid into."""
    held = stripe.source.accounts
    provider_accounts.close(payee, provider=held, by=LEAD, now=AFTER)
    opened = provider_accounts.open_account(payee, provider=held, by=LEAD, now=AFTER)
    accounts.set_capability(stripe.server.state, str(opened.account_id))
    provider_accounts.refresh(payee, provider=held, by=LEAD, now=AFTER)


def test_a_destination_that_names_another_account_than_the_payees_is_held_until_it_is_proposed_anew(
    stripe: OverStripe,
) -> None:
    another_account(stripe, "Grace")
    stripe.send()
    assert stripe.states() == {"Grace": "held", "Ada": "settled"}
    assert "names another account at the payment provider" in str(stripe.payout_to("Grace").reason)
    proposed = destinations.propose(
        "Grace", rail="stripe", rails={"stripe": stripe.rail}, keys=parts().keys, by=ADMINISTRATOR, now=AFTER
    )
    changes.confirm_destination(proposed.id, by=LEAD, now=AFTER)
    later = preparation.draft(rails={"stripe": stripe.rail}, by=ADMINISTRATOR, now=AFTER + timedelta(days=8))
    assert [one.state for one in later.payouts] == ["planned"]


def test_an_account_that_was_changed_for_another_after_the_approval_is_not_paid_into(stripe: OverStripe) -> None:
    number = approved(stripe)
    another_account(stripe, "Grace")
    send(stripe, number)
    assert paying.states(number) == {"Grace": "canceled", "Ada": "settled"}
    assert "names another account" in str(paying.payout_to(number, "Grace").reason)


# Who may have been paid already


def reconcile(stripe: OverStripe) -> dict[str, str]:
    """Compare and keep; what is open then, by kind."""
    found = comparing.with_provider("stripe", source=stripe.source, now=SOON)
    return {one.kind: one.id for one in operations.keep(found, now=SOON)}


def made_by_hand(stripe: OverStripe, payee: str, metadata: dict[str, str]) -> dict[str, Any]:
    """A transfer that nobody here asked for."""
    asked = {"amount": 430_000, "currency": "usd", "destination": stripe.accounts[payee], "metadata": metadata}
    balances.top_up(stripe.server.state, 430_000, "usd")
    request = Request("req_1", "POST /v1/transfers", "/v1/transfers", (), asked, None, None)
    return transfers.create(stripe.server.state, request)


def test_whoever_got_money_that_no_payout_asked_for_is_held_until_somebody_looked(stripe: OverStripe) -> None:
    made_by_hand(stripe, "Grace", {"payout": "pay_01M8CV3RH53QS4MA97HM0N5W85"})
    difference = reconcile(stripe)["transfer-without-payout"]
    stripe.send()
    assert stripe.states() == {"Grace": "held", "Ada": "settled"}
    grace = stripe.payout_to("Grace")
    assert f"look at the difference {difference}" in str(grace.reason)
    with refused(obstacles.StillHeld, "Grace may have been paid already"):
        preparation.take_up(grace.id, rails={"stripe": stripe.rail}, by=LEAD, now=SOON)
    operations.resolve(difference, note="A bonus, paid by hand.", by=LEAD, now=SOON)
    reconcile(stripe)
    stripe.send()
    assert stripe.states() == {"Grace": "settled"}
    lovelace.assert_books_hold()


def test_whoever_was_paid_twice_is_held_until_the_second_payment_is_taken_back(stripe: OverStripe) -> None:
    stripe.send()
    second = stripe.paid_again("Grace")
    transfers.give_back(stripe.server.state, stripe.transfer_to("Ada"), 50_000)
    sweeping.sweep("stripe", source=stripe.source, by=WORKER, now=SOON)
    assert "paid-twice" in reconcile(stripe)
    adjustments.make(Draft("Grace", "advance", usd("100.00"), "A new laptop"), by=LEAD, now=SOON)
    stripe.send()
    assert stripe.states() == {"Grace": "held", "Ada": "settled"}
    transfers.give_back(stripe.server.state, second, 430_000)
    assert "paid-twice" not in reconcile(stripe)
    stripe.send()
    assert stripe.states() == {"Grace": "settled"}


def test_what_comes_up_between_approval_and_sending_is_not_sent(stripe: OverStripe) -> None:
    number = approved(stripe)
    made_by_hand(stripe, "Grace", {"payout": paying.payout_to(number, "Grace").id})
    reconcile(stripe)
    send(stripe, number)
    assert paying.states(number) == {"Grace": "canceled", "Ada": "settled"}
    assert "Grace may have been paid already" in str(paying.payout_to(number, "Grace").reason)
    assert attempts_of(paying.payout_to(number, "Grace").id) == []
    lovelace.assert_books_hold()


def test_in_restored_books_what_the_lost_ones_sent_is_found_and_not_taken_back(stripe: OverStripe) -> None:
    number = approved(stripe)
    grace = paying.payout_to(number, "Grace")
    sent = made_by_hand(stripe, "Grace", {"payout": grace.id})
    sent["transfer_group"] = grace.run_id
    one = recovery.begun(source="backup", taken_at=AFTER, chain=(0, "0" * 64), now=AFTER)
    with transaction() as session:
        recovery.begin(session, one, by=LEAD, now=AFTER)
    stripe.server.clock.set(SOON)
    sweeping.sweep("stripe", source=stripe.source, by=WORKER, now=SOON)
    assert "transfer-without-payout" in reconcile(stripe)
    recovery.reconcile(note="compared", by=LEAD, now=SOON)
    send(stripe, number)
    assert paying.states(number) == {"Grace": "settled", "Ada": "settled"}
    assert paying.payout_to(number, "Grace").reference == sent["id"]
    assert len(stripe.server.state.of("transfer")) == 2
    assert "transfer-without-payout" not in reconcile(stripe)
    lovelace.assert_books_hold()


def test_a_tax_form_that_ends_between_approval_and_sending_holds_the_payment(closed_october: Flask) -> None:
    change_firm(tax_forms="on", by=LEAD, now=BEFORE)
    forms = {name: _w9(name) for name in ("Grace", "Ada")}
    bank = Bank()
    number = paying.approved(bank)
    tax_forms.withdraw(forms["Grace"], reason="It is of somebody else.", by=LEAD, now=AFTER)
    paying.send(number, bank)
    assert paying.states(number) == {"Grace": "canceled", "Ada": "sent"}
    assert bank.amounts() == ["Ada 1,950.00 USD"]
    assert "has no W-9 on file" in str(paying.payout_to(number, "Grace").reason)
    lovelace.assert_books_hold()
    _w9("Grace")
    again = paying.approved(bank)
    paying.send(again, bank)
    assert paying.states(again) == {"Grace": "sent"}


def _w9(name: str) -> str:
    form = tax_forms.record(
        name,
        kind="W-9",
        name=name,
        signed_on=date(2026, 10, 1),
        received_on=date(2026, 10, 2),
        tin="536904399",
        keys=SECRET_KEYS,
        by=ADMINISTRATOR,
        now=AFTER,
    )
    return form.id
