"""What Stripe tells after a run was sent: in any order, twice, late or not at all, it ends where Stripe stands."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from firm.audit.model import audit_record
from firm.db import reading, transaction
from firm.errors import Busy
from firm.notices.model import Notice
from payouts.provider_accounts import queries as account_queries
from payouts.provider_events import failed_payouts, receiving
from payouts.provider_events.model import PayeePayout, ProviderEvent
from payouts.rails.stripe.values import Event
from payouts.runs import preparation, settling
from payouts.runs.settling import ProviderGivesBack
from tests import lovelace
from tests.examples.refusals import refused
from tests.lovelace import ADMINISTRATOR, AFTER
from tests.payouts.conftest import Opens
from tests.payouts.over_stripe import WORKER, OverStripe, event, events, payee_payouts, paying
from tests.stripe import accounts, faults, payouts, transfers
from tests.stripe.server import Server
from tests.stripe.webhooks import messy

PAID = {"Grace": "settled", "Ada": "settled"}


@pytest.fixture
def firm(closed_october: Flask, stripe_server: Server) -> Iterator[OverStripe]:
    with paying(stripe_server) as found:
        yield found


def told(name: str, kind: str, *, account: str | None = None, object_id: str | None = None) -> Event:
    """An event that somebody made up."""
    return Event(name, kind, AFTER, account, False, object_id, None, None)


def store(one: Event, endpoint: str = "platform") -> None:
    receiving.store(one, provider="stripe", endpoint=endpoint, by=WORKER, now=AFTER)


def verbs(prefix: str) -> list[str]:
    with reading() as session:
        query = select(audit_record.c.verb).where(audit_record.c.verb.startswith(prefix)).order_by(audit_record.c.id)
        return list(session.scalars(query))


def test_a_transfer_whose_answer_was_lost_is_settled_by_its_event(firm: OverStripe) -> None:
    firm.send(cut_for=["Grace"])
    assert firm.states()["Grace"] == "unknown"
    firm.tell(firm.news())
    assert firm.states() == PAID
    assert firm.payout_to("Grace").reference == firm.transfer_to("Grace")["id"]
    assert lovelace.entry_text(f"payout-settled:{firm.payout_to('Grace').id}") == (
        "dr liabilities:payouts-in-transit   4,300.00 USD\ncr assets:stripe                    4,300.00 USD"
    )
    assert lovelace.trial_balance()["assets:stripe"] == "-6,250.00 USD"
    lovelace.assert_books_hold()


def test_an_event_before_our_own_answer_is_committed_changes_nothing_twice(firm: OverStripe) -> None:
    firm.send()
    news = firm.news()
    firm.tell(news + news)
    assert firm.states() == PAID
    firm.tell(firm.server.webhooks.again(one.id) for one in news)
    assert lovelace.trial_balance()["assets:stripe"] == "-6,250.00 USD"
    lovelace.assert_books_hold()


def test_a_part_that_comes_back_is_booked_once_and_payable_again(firm: OverStripe) -> None:
    firm.send()
    firm.tell(firm.news())
    reversal = transfers.give_back(firm.server.state, firm.transfer_to("Grace"), 100_000)
    news = firm.news()
    firm.tell(news * 3)
    assert firm.states() == PAID
    assert lovelace.entry_text(f"payout-reversed:{reversal['id']}:{firm.payout_to('Grace').id}") == (
        "dr assets:stripe          1,000.00 USD\ncr liabilities:payables   1,000.00 USD"
    )
    assert lovelace.trial_balance()["liabilities:payables"] == "-1,000.00 USD"
    lovelace.assert_books_hold()


def test_when_all_of_it_came_back_the_payout_is_returned(firm: OverStripe) -> None:
    firm.send()
    for amount in (100_000, 330_000):
        transfers.give_back(firm.server.state, firm.transfer_to("Grace"), amount)
    firm.tell(reversed(firm.news()))
    assert firm.states() == {"Grace": "returned", "Ada": "settled"}
    assert lovelace.trial_balance()["liabilities:payables"] == "-4,300.00 USD"
    again = preparation.draft(rails={"stripe": firm.rail}, by=ADMINISTRATOR, now=AFTER)
    assert [str(one.amount) for one in again.payouts] == ["4,300.00 USD"]
    lovelace.assert_books_hold()


def test_nobody_says_by_hand_that_a_transfer_came_back(firm: OverStripe) -> None:
    firm.send()
    grace, reference = firm.payout_to("Grace"), firm.transfer_to("Grace")["id"]
    before = lovelace.trial_balance()
    with refused(ProviderGivesBack, f"reverse the transfer {reference} there"):
        settling.give_back(grace.id, reason="her bank sent it back", on=AFTER.date(), by=ADMINISTRATOR, now=AFTER)
    assert (firm.states(), lovelace.trial_balance()) == (PAID, before)
    with pytest.raises(preparation.NothingPayable):
        preparation.draft(rails={"stripe": firm.rail}, by=ADMINISTRATOR, now=AFTER)
    transfers.give_back(firm.server.state, firm.transfer_to("Grace"), 430_000)
    firm.tell(firm.news())
    assert firm.states() == {"Grace": "returned", "Ada": "settled"}
    lovelace.assert_books_hold()


# Two transfers for one payout


def parked() -> dict[str, str]:
    """The events that wait, by Stripe's id, and why they do."""
    with reading() as session:
        found = session.scalars(select(ProviderEvent).where(ProviderEvent.state == "parked"))
        return {one.event_id: str(one.reason) for one in found}


def payable() -> str | None:
    return lovelace.trial_balance().get("liabilities:payables")


def test_nothing_is_payable_again_while_another_transfer_of_the_payout_stands(firm: OverStripe) -> None:
    firm.send()
    first, second = firm.transfer_to("Grace"), firm.paid_again("Grace")
    transfers.give_back(firm.server.state, first, 430_000)
    firm.tell(firm.news())
    assert (firm.states(), payable()) == (PAID, None)
    assert any(f"{second['id']} still stands" in reason for reason in parked().values())
    transfers.give_back(firm.server.state, second, 430_000)
    firm.tell(firm.news())
    for name in parked():
        firm.apply(name)
    assert (firm.states()["Grace"], payable(), parked()) == ("returned", "-4,300.00 USD", {})
    lovelace.assert_books_hold()


def test_a_second_transfer_that_was_taken_back_leaves_the_payout_as_it_is(firm: OverStripe) -> None:
    firm.send()
    second = firm.paid_again("Grace")
    firm.tell(firm.news())
    [reason] = parked().values()
    assert f"The provider shows {second['id']}" in reason
    transfers.give_back(firm.server.state, second, 430_000)
    for name in parked():
        assert firm.apply(name) == "ignored"
    firm.tell(firm.news())
    assert (firm.states(), payable(), parked()) == (PAID, None, {})
    lovelace.assert_books_hold()


@pytest.mark.parametrize("taken_back", [0, 1])
def test_of_two_transfers_for_an_unknown_payout_the_one_that_is_left_settles_it(
    firm: OverStripe, taken_back: int
) -> None:
    firm.send(cut_for=["Grace"])
    both = [firm.transfer_to("Grace"), firm.paid_again("Grace")]
    firm.tell(firm.news())
    assert firm.states()["Grace"] == "unknown"
    assert all("pay the same payout" in reason for reason in parked().values())
    transfers.give_back(firm.server.state, both[taken_back], 430_000)
    for name in reversed(parked()):
        firm.apply(name)
    firm.tell(firm.news())
    assert (firm.states(), payable(), parked()) == (PAID, None, {})
    assert firm.payout_to("Grace").reference == both[1 - taken_back]["id"]
    lovelace.assert_books_hold()


def notices_of(template: str) -> list[Notice]:
    with reading() as session:
        return list(session.scalars(select(Notice).where(Notice.template == template).order_by(Notice.id)))


def test_a_bank_that_takes_back_what_it_paid_makes_no_new_debt(firm: OverStripe) -> None:
    firm.send()
    firm.tell(firm.news())
    state = firm.server.state
    payout = payouts.pay_out(state, firm.accounts["Grace"], "usd")
    assert payout is not None
    payouts.move(state, payout["id"], "in_transit")
    payouts.move(state, payout["id"], "paid")
    firm.tell(firm.news())
    assert payee_payouts() == [("4,300.00 USD", "paid", None)]
    before = lovelace.trial_balance()
    payouts.move(state, payout["id"], "failed")
    firm.tell(firm.news())
    assert payee_payouts() == [("4,300.00 USD", "failed", "account_closed")]
    assert verbs("payee-payout") == ["payee-payout.paid", "payee-payout.failed"]
    assert (firm.states(), lovelace.trial_balance()) == (PAID, before)
    lovelace.assert_books_hold()


def test_a_payee_whose_bank_did_not_take_the_money_is_told_once_and_without_any_account(firm: OverStripe) -> None:
    firm.send()
    payout = payouts.pay_out(firm.server.state, firm.accounts["Grace"], "usd")
    assert payout is not None
    payouts.move(firm.server.state, payout["id"], "failed")
    news = [*firm.news()]
    firm.tell(news)
    firm.tell(reversed(news))
    [told] = notices_of("payee-payout-failed")
    assert told.to_address == "grace@lovelace.example"
    assert told.subject == "Lovelace Maintainers: your bank did not take 4,300.00 USD"
    assert "Stripe could not bring 4,300.00 USD of it to your bank: the bank account is closed." in told.text
    assert "does not send it a second time" in told.text
    assert firm.accounts["Grace"] not in told.text + told.figures


def failed_payout(firm: OverStripe) -> None:
    firm.send()
    payout = payouts.pay_out(firm.server.state, firm.accounts["Grace"], "usd")
    assert payout is not None
    payouts.move(firm.server.state, payout["id"], "failed")


def test_in_books_that_read_a_failure_anew_the_payee_is_not_told_again(firm: OverStripe) -> None:
    failed_payout(firm)
    firm.tell(firm.news())
    with reading() as session:
        known = session.scalars(select(PayeePayout)).one()
    # As the restored books have it: the same payout of the provider under another id of ours.
    columns = {column.name: getattr(known, column.name) for column in PayeePayout.__table__.columns}
    anew = PayeePayout(**columns | {"id": "pbp_2"})
    with transaction() as session:
        failed_payouts.tell(session, anew, by=WORKER, now=AFTER)
    [told] = notices_of("payee-payout-failed")
    assert known.reference not in told.key
    assert known.account not in told.key


@pytest.mark.parametrize(("days", "count"), [(16, 1), (17, 0)], ids=["two weeks after it was due", "later"])
def test_a_failure_that_is_no_news_any_more_is_not_told(firm: OverStripe, days: int, count: int) -> None:
    failed_payout(firm)
    firm.tell(firm.news(), now=AFTER + timedelta(days=days))
    assert payee_payouts() == [("4,300.00 USD", "failed", "account_closed")]
    assert len(notices_of("payee-payout-failed")) == count


def test_a_failure_that_this_version_has_no_words_for_is_told_all_the_same(firm: OverStripe) -> None:
    firm.send()
    payout = payouts.pay_out(firm.server.state, firm.accounts["Grace"], "usd")
    assert payout is not None
    payouts.move(firm.server.state, payout["id"], "failed", code="bank_on_the_moon")
    firm.tell(firm.news())
    assert "to your bank: the bank gives no reason." in notices_of("payee-payout-failed")[0].text


def test_paid_before_created_is_paid(firm: OverStripe) -> None:
    firm.send()
    firm.tell(firm.news())
    payout = payouts.pay_out(firm.server.state, firm.accounts["Ada"], "usd")
    assert payout is not None
    payouts.move(firm.server.state, payout["id"], "paid")
    firm.tell(reversed(firm.news()))
    assert payee_payouts() == [("1,950.00 USD", "paid", None)]


def test_what_stripe_still_asks_of_a_payee_is_known_by_its_event(firm: OverStripe) -> None:
    firm.news()
    accounts.set_capability(firm.server.state, firm.accounts["Ada"], transfers="restricted")
    firm.tell(firm.news())
    with reading() as session:
        found = account_queries.by_account(session, firm.accounts["Ada"])
    assert found is not None
    assert found.status == "restricted"


def test_a_payee_who_leaves_is_held(firm: OverStripe) -> None:
    account = firm.accounts["Ada"]
    store(told("evt_bye", "account.application.deauthorized", account=account, object_id="ca_1"), "connect")
    assert firm.apply("evt_bye") == "applied"
    with reading() as session:
        found = account_queries.by_account(session, account)
    assert found is not None
    assert found.status == "closed"


def test_a_payout_that_is_not_here_is_waited_for_and_then_shown(firm: OverStripe) -> None:
    firm.send()
    firm.news()
    firm.transfer_to("Grace")["metadata"]["payout"] = "pay_01K9A7Q4M0TTV5WJ3YB2N8RZ6C"
    store(told("evt_early", "transfer.created", object_id=firm.transfer_to("Grace")["id"]))
    for _ in range(2):
        assert firm.apply("evt_early") == "parked"
    assert event("evt_early").alarm
    assert verbs("provider-event") == ["provider-event.stored", "provider-event.parked", "provider-event.parked"]
    firm.transfer_to("Grace")["metadata"]["payout"] = firm.payout_to("Grace").id
    assert firm.apply("evt_early") == "applied"
    assert not event("evt_early").alarm
    assert firm.states()["Grace"] == "settled"


def test_a_transfer_of_another_amount_touches_nothing_and_is_shown(firm: OverStripe) -> None:
    firm.send(cut_for=["Grace"])
    before = lovelace.trial_balance()
    firm.transfer_to("Grace")["amount"] = 430_001
    store(told("evt_x", "transfer.created", object_id=firm.transfer_to("Grace")["id"]))
    assert firm.apply("evt_x") == "parked"
    assert "4,300.01 USD" in str(event("evt_x").reason)
    assert firm.states()["Grace"] == "unknown"
    assert lovelace.trial_balance() == before


@pytest.mark.parametrize("changes", [{"destination": "acct_thief"}, {"livemode": True}])
def test_a_transfer_that_went_elsewhere_settles_nothing_and_is_shown(
    firm: OverStripe, changes: dict[str, object]
) -> None:
    firm.send(cut_for=["Grace"])
    before = lovelace.trial_balance()
    strange = firm.transfer_to("Grace")
    strange.update(changes)
    store(told("evt_x", "transfer.created", object_id=strange["id"]))
    assert firm.apply("evt_x") == "parked"
    assert "This is an incident" in str(event("evt_x").reason)
    assert (firm.states()["Grace"], lovelace.trial_balance()) == ("unknown", before)


def test_a_transfer_that_went_elsewhere_and_came_back_makes_the_money_payable_again(firm: OverStripe) -> None:
    firm.send(cut_for=["Grace"])
    strange = firm.transfer_to("Grace")
    transfers.give_back(firm.server.state, strange, 430_000)
    strange["destination"] = "acct_thief"
    firm.tell(firm.news())
    assert firm.states()["Grace"] == "returned"
    assert lovelace.trial_balance()["liabilities:payables"] == "-4,300.00 USD"
    lovelace.assert_books_hold()


@pytest.mark.parametrize(
    ("one", "endpoint", "alarm"),
    [
        (told("evt_x", "moon.landed", object_id="moon_1"), "platform", False),
        (told("evt_x", "invoice.paid", object_id="in_1"), "platform", False),
        (told("evt_x", "payout.paid", object_id="po_1"), "platform", False),
        (told("evt_x", "payout.paid", object_id="po_1"), "connect", True),
        (told("evt_x", "payout.paid", account="acct_foreign", object_id="po_1"), "connect", True),
        (told("evt_x", "account.updated", account="acct_foreign", object_id="acct_foreign"), "connect", True),
        (told("evt_x", "v2.core.account[requirements].updated", object_id="acct_foreign"), "platform", True),
        (told("evt_x", "transfer.created", account="acct_foreign", object_id="tr_1"), "connect", True),
    ],
)
def test_what_is_about_nothing_of_ours_is_kept_and_ignored(
    firm: OverStripe, one: Event, endpoint: str, alarm: bool
) -> None:
    before = lovelace.trial_balance()
    store(one, endpoint)
    assert firm.apply("evt_x") == "ignored"
    assert event("evt_x").alarm is alarm
    assert event("evt_x").reason
    assert lovelace.trial_balance() == before


def test_while_stripe_is_away_the_event_stays(firm: OverStripe) -> None:
    firm.send(cut_for=["Grace"])
    news = [one for one in firm.news() if one.event["type"] == "transfer.created"]
    firm.server.faults.plan("GET /v1/transfers/{transfer}", faults.BAD_GATEWAY, times=50)
    with pytest.raises(Busy):
        firm.tell(news)
    assert event(news[0].id).state == "stored"
    firm.server.faults.clear()
    firm.tell(news)
    assert firm.states() == PAID


def test_a_made_up_transfer_waits(firm: OverStripe) -> None:
    store(told("evt_x", "transfer.created", object_id="tr_made_up"))
    assert firm.apply("evt_x") == "parked"


def end(firm: OverStripe) -> object:
    """Everything that events change."""
    with reading() as session:
        found = [account_queries.by_account(session, one) for one in firm.accounts.values()]
    standing = [(one.status, one.payouts_status) for one in found if one is not None]
    return firm.states(), lovelace.trial_balance(), sorted(payee_payouts()), standing


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_any_order_with_repetitions_ends_where_stripe_stands(
    sqlite_at: Opens, stripe_server: Server, seed: int
) -> None:
    """Events come as they may while things go on at Stripe; when all have come, we are where it is."""
    chance = random.Random(seed)
    stripe_server.reset()
    with sqlite_at("closed"), paying(stripe_server) as firm:
        state = stripe_server.state
        firm.send(cut_for=chance.choice([[], ["Grace"], ["Grace", "Ada"]]))
        transfers.give_back(state, firm.transfer_to("Grace"), 100_000)
        waiting = messy(firm.news(), chance)
        for name, ways in (("Grace", ("paid", "failed")), ("Ada", ("in_transit", "paid"))):
            payout = payouts.pay_out(state, firm.accounts[name], "usd")
            assert payout is not None
            for way in ways:
                payouts.move(state, payout["id"], way)
                waiting = messy([*waiting, *firm.news()], chance)
                firm.tell(waiting[: chance.randrange(len(waiting))])
        accounts.set_capability(state, firm.accounts["Ada"], payouts="restricted")
        firm.tell(messy([*waiting, *firm.news()], chance))
        assert end(firm) == (
            PAID,
            lovelace.trial_balance() | {"assets:stripe": "-5,250.00 USD", "liabilities:payables": "-1,000.00 USD"},
            [("1,950.00 USD", "paid", None), ("3,300.00 USD", "failed", "account_closed")],
            [("active", "active"), ("active", "restricted")],
        )
        assert {state for _, state in events()} <= {"applied", "ignored"}
        lovelace.assert_books_hold()


def test_two_workers_that_apply_the_same_event_book_it_once(firm: OverStripe, closed_october: Flask) -> None:
    firm.send(cut_for=["Grace"])
    transfers.give_back(firm.server.state, firm.transfer_to("Grace"), 100_000)
    name = "evt_both"
    store(told(name, "transfer.reversed", object_id=firm.transfer_to("Grace")["id"]))
    found: list[object] = []

    def work() -> None:
        with closed_october.app_context():
            try:
                found.append(firm.apply(name))
            except Exception as error:  # border: the example looks at whatever went wrong
                found.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["applied"] * 4
    assert lovelace.trial_balance()["liabilities:payables"] == "-1,000.00 USD"
    assert verbs("provider-event.applied") == ["provider-event.applied"]
    lovelace.assert_books_hold()
