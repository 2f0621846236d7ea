"""A provider's rail: the debt ends with the sending, money may be short, and what left may come back in parts."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from firm.db import reading, transaction
from firm.errors import InvariantBroken
from firm.ledger import queries as ledger
from firm.money import Money
from firm.profile.model import Profile
from payouts.rails.rail import Description, Order
from payouts.runs import policies, preparation, queries, sending, settling
from payouts.runs.preparation import NothingPayable
from payouts.runs.sending import RailNotNow
from payouts.runs.settling import ReversedInPart, SentAfterAll
from tests import lovelace
from tests.examples.refusals import refused
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD, usd
from tests.payouts import paying
from tests.payouts.bank import Bank
from tests.payouts.paying import LATER

AT_ONCE = Description(
    "manual", "A provider", needs_iban=False, settles_when_sent=True, keeps_keys_for=timedelta(hours=20)
)


def entries_of(payout_id: str) -> list[str]:
    with reading() as session:
        return [str(entry) for entry in ledger.entries(session) if entry.source.endswith(payout_id)]


def paid(bank: Bank) -> str:
    number = paying.approved(bank)
    paying.send(number, bank)
    return number


def test_what_is_sent_is_settled_in_the_same_commit(closed_october: Flask) -> None:
    number = paid(Bank(about=AT_ONCE))
    assert set(paying.states(number).values()) == {"settled"}
    grace = paying.payout_to(number, "Grace")
    assert (grace.paid_from, grace.settled_on, grace.reference) == ("assets:bank", AFTER.date(), f"bank-{grace.id}-1")
    assert entries_of(grace.id)[1] == (
        "dr liabilities:payouts-in-transit   4,300.00 USD\ncr assets:bank                      4,300.00 USD"
    )
    assert sending.run_with_payouts(number)[0].state == "settled"
    lovelace.assert_books_hold()


def test_a_run_out_of_funds_waits_and_goes_on_when_there_is_money(closed_october: Flask) -> None:
    bank = Bank(about=AT_ONCE, funds=4_300_00)
    number = paid(bank)
    assert sorted(paying.states(number).values()) in (
        ["settled", "waiting-for-funds"],
        ["reserved", "waiting-for-funds"],
    )
    lovelace.assert_books_hold()
    bank.funds = None
    assert sending.resume(rails={"manual": bank}, keys=lovelace.parts().keys, by=ADMINISTRATOR, now=LATER) == [number]
    assert set(paying.states(number).values()) == {"settled"}
    assert bank.amounts() == ["Ada 1,950.00 USD", "Grace 4,300.00 USD"]
    waited = [key for key in bank.asked if key.endswith("-2")]
    assert len(waited) == 1, "after a definite refusal the next try has a key of its own"
    lovelace.assert_books_hold()


def test_what_waits_for_funds_can_be_withdrawn(closed_october: Flask) -> None:
    number = paid(Bank(funds=0))
    waiting = next(payout for payout in sending.run_with_payouts(number)[1] if payout.state == "waiting-for-funds")
    settling.withdraw(waiting.id, reason="Pay by hand instead.", by=LEAD, now=AFTER)
    assert lovelace.trial_balance()["liabilities:payables"] == f"-{waiting.amount}"
    lovelace.assert_books_hold()


def test_a_rail_that_takes_nothing_now_is_asked_again_under_the_same_key(closed_october: Flask) -> None:
    bank = Bank(about=AT_ONCE, closed=True)
    number = paying.approved(bank)
    with pytest.raises(RailNotNow, match="Too many calls"):
        paying.send(number, bank)
    assert len(bank.asked) == 1, "the rest of the run waits too"
    bank.closed = False
    paying.send(number, bank, now=LATER)
    assert bank.asked.count(bank.asked[0]) == 2
    assert set(paying.states(number).values()) == {"settled"}
    assert bank.amounts() == ["Ada 1,950.00 USD", "Grace 4,300.00 USD"]
    lovelace.assert_books_hold()


def test_an_outage_leaves_what_was_never_sent_to_be_sent_when_it_is_over(closed_october: Flask) -> None:
    bank = Bank(about=AT_ONCE, closed=True, finds=False)
    number = paying.approved(bank)
    for minutes in (0, 1, 2, 62, 130, 195):
        with pytest.raises(RailNotNow):
            paying.send(number, bank, now=AFTER + timedelta(minutes=minutes))
        assert sorted(paying.states(number).values()) == ["reserved", "sending"]
    [key] = set(bank.asked)
    bank.closed, bank.finds = False, True
    paying.send(number, bank, now=AFTER + timedelta(minutes=200))
    assert set(paying.states(number).values()) == {"settled"}
    assert key in bank.paid
    assert bank.amounts() == ["Ada 1,950.00 USD", "Grace 4,300.00 USD"]
    lovelace.assert_books_hold()


def test_an_outage_longer_than_keys_are_kept_leaves_it_to_look_ups(closed_october: Flask) -> None:
    bank = Bank(about=AT_ONCE, closed=True, finds=False)
    number = paying.approved(bank)
    with pytest.raises(RailNotNow):
        paying.send(number, bank)
    [key] = bank.asked
    bank.closed = False
    for hour, finds, state in ((21, False, "unknown"), (22, True, "unknown"), (23, True, "refused")):
        bank.finds = finds
        with suppress(RailNotNow):
            paying.send(number, bank, now=AFTER + timedelta(hours=hour))
        states = {one.state for one in sending.run_with_payouts(number)[1] if key.startswith(one.id)}
        assert states == {state}, f"after {hour} hours"
    assert bank.asked.count(key) == 1
    lovelace.assert_books_hold()


def test_what_was_paid_before_an_outage_is_found_after_it(closed_october: Flask) -> None:
    def cut_the_power(order: Order) -> None:
        raise KeyboardInterrupt

    bank = Bank(about=AT_ONCE, after_paying=cut_the_power)
    number = paying.approved(bank)
    with pytest.raises(KeyboardInterrupt):
        paying.send(number, bank)
    bank.finds, bank.after_paying = False, lambda order: None
    with pytest.raises(RailNotNow, match="The bank does not answer"):
        paying.send(number, bank, now=LATER)
    bank.finds = True
    paying.send(number, bank, now=AFTER + timedelta(hours=2))
    assert set(paying.states(number).values()) == {"settled"}
    assert len(bank.asked) == 2, "what was paid is not sent again"
    lovelace.assert_books_hold()


def test_what_nobody_knows_is_refused_after_two_clean_looks_an_hour_apart(closed_october: Flask) -> None:
    bank = Bank(about=AT_ONCE, loses_answer_for={"Grace"})
    number = paid(bank)
    assert paying.states(number)["Grace"] == "unknown"
    bank.paid = {key: order for key, order in bank.paid.items() if order.payee.name != "Grace"}
    for minutes, state in ((1, "unknown"), (2, "unknown"), (59, "unknown"), (62, "refused")):
        sending.resume(
            rails={"manual": bank}, keys=lovelace.parts().keys, by=ADMINISTRATOR, now=AFTER + timedelta(minutes=minutes)
        )
        assert paying.states(number)["Grace"] == state, f"after {minutes} minutes"
    assert len(bank.asked) == 2, "nothing is ever sent again"
    assert lovelace.trial_balance()["liabilities:payables"] == "-4,300.00 USD"
    lovelace.assert_books_hold()

    grace = paying.payout_to(number, "Grace")
    with refused(SentAfterAll, "which is refused in our books"):
        settling.note_sent(grace.id, reference="tr_9", rail=AT_ONCE, by=ADMINISTRATOR, now=LATER)


def test_a_sender_that_died_longer_ago_than_keys_are_kept_is_only_looked_up(closed_october: Flask) -> None:
    def cut_the_power(order: Order) -> None:
        raise KeyboardInterrupt

    bank = Bank(about=AT_ONCE, before_paying=cut_the_power)
    number = paying.approved(bank)
    with pytest.raises(KeyboardInterrupt):
        paying.send(number, bank)
    [key] = bank.asked
    bank.before_paying = lambda order: None
    paying.send(number, bank, now=AFTER + timedelta(hours=21))
    assert bank.asked.count(key) == 1
    assert sorted(paying.states(number).values()) == ["settled", "unknown"]
    lovelace.assert_books_hold()


def test_the_providers_word_that_it_was_sent_is_taken_once(closed_october: Flask) -> None:
    bank = Bank(about=AT_ONCE, loses_answer_for={"Grace"})
    number = paid(bank)
    grace = paying.payout_to(number, "Grace")
    for _ in range(2):
        told = settling.note_sent(grace.id, reference="tr_1", rail=AT_ONCE, by=ADMINISTRATOR, now=AFTER)
        assert (told.state, told.reference) == ("settled", "tr_1")
    with refused(SentAfterAll, "The provider shows tr_2"):
        settling.note_sent(grace.id, reference="tr_2", rail=AT_ONCE, by=ADMINISTRATOR, now=AFTER)
    lovelace.assert_books_hold()


def reverse(payout_id: str, reference: str, amount: str) -> str:
    return settling.reverse(payout_id, reference=reference, amount=usd(amount), by=ADMINISTRATOR, now=LATER).state


def test_a_payout_comes_back_in_parts_each_booked_once(closed_october: Flask) -> None:
    number = paid(Bank(about=AT_ONCE))
    grace = paying.payout_to(number, "Grace")
    assert reverse(grace.id, "trr_1", "300.00") == "settled"
    assert reverse(grace.id, "trr_1", "300.00") == "settled"
    assert lovelace.trial_balance()["liabilities:payables"] == "-300.00 USD"
    with refused(ReversedInPart, "enter the rest as reversed"):
        settling.give_back(grace.id, reason="all of it", on=AFTER.date(), by=LEAD, now=AFTER)
    with refused(InvariantBroken, "More of the payout"):
        reverse(grace.id, "trr_2", "4000.01")
    assert reverse(grace.id, "trr_3", "4000.00") == "returned"
    assert reverse(grace.id, "trr_3", "4000.00") == "returned"
    assert lovelace.trial_balance()["liabilities:payables"] == "-4,300.00 USD"
    assert sending.run_with_payouts(number)[0].state == "partly-settled"
    with reading() as session:
        assert [str(one.amount) for one in queries.reversals_of(session, grace.id)] == ["300.00 USD", "4,000.00 USD"]
    lovelace.assert_books_hold()


def test_too_little_is_carried_over_and_paid_once_it_is_enough(closed_october: Flask) -> None:
    policies.lay_down(minimum=usd("2000.00"), by=LEAD, now=AFTER)
    drafted = paying.draft()
    assert {one.payee_name: one.state for one in drafted.payouts} == {"Ada": "carried-over", "Grace": "planned"}
    assert next(one.reason for one in drafted.payouts if one.payee_name == "Ada") == "is less than 2,000.00 USD"
    preparation.cancel(drafted.run.number, by=LEAD, now=AFTER)
    policies.lay_down(minimum=usd("5000.00"), by=LEAD, now=AFTER)
    with refused(NothingPayable, r"Grace \(4,300.00 USD\) is less than 5,000.00 USD"):
        paying.draft()
    policies.lay_down(minimum=usd("0.00"), by=LEAD, now=AFTER)
    assert {one.state for one in paying.draft().payouts} == {"planned"}
    lovelace.assert_books_hold()


def test_what_a_rail_cannot_pay_stays_payable(closed_october: Flask) -> None:
    about = Description("manual", "A provider of whole thousands", needs_iban=False, steps={"USD": 1000_00})
    number = paying.approved(Bank(about=about))
    paying.pay_run(number, Bank(about=about))
    assert sorted(str(one.amount) for one in sending.run_with_payouts(number)[1]) == ["1,000.00 USD", "4,000.00 USD"]
    assert lovelace.trial_balance()["liabilities:payables"] == "-1,250.00 USD"
    assert about.payable_part(Money(999_99, "USD")) == Money(0, "USD")
    lovelace.assert_books_hold()


def test_the_order_is_the_same_at_every_try_whatever_the_firm_is_called_by_then(closed_october: Flask) -> None:
    seen: list[Order] = []

    def note(order: Order) -> None:
        seen.append(order)
        raise KeyboardInterrupt

    bank = Bank(before_paying=note)
    number = paying.approved(bank)
    with pytest.raises(KeyboardInterrupt):
        paying.send(number, bank)
    rename_the_firm("Byron & Co.")
    bank.before_paying = seen.append
    paying.send(number, bank, now=LATER)
    assert seen[0] == seen[1]
    assert seen[0].memo == "Lovelace Maintainers RUN-2026-0001"


def rename_the_firm(name: str) -> None:
    with transaction() as session:
        session.execute(update(Profile).values(name=name))
