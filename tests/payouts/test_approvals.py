"""Who approves what: counted people, bound to what was proposed, void once it may change."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from firm.actor import Actor, Role
from firm.db import db, reading
from firm.profile.changes import change_firm
from payouts.runs import approvals, policies, preparation, queries, settling
from payouts.runs.approvals import AlreadyApproved, ApproverIsPreparer, NothingToPropose
from payouts.runs.moves import PayoutNotInState, RunNotInState
from payouts.runs.obstacles import StillHeld
from payouts.runs.policies import InvalidPolicy
from tests import lovelace
from tests.examples.refusals import refused
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD, usd
from tests.payouts import paying
from tests.payouts.bank import Bank

PARTNER = Actor("partner", Role.LEAD)
EVE = Actor("eve", Role.APPROVER)


def proposed() -> str:
    number = paying.draft().run.number
    approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    return number


def lay_down(**rules: object) -> None:
    policies.lay_down(**{"minimum": usd("0.00"), "by": LEAD, "now": AFTER} | rules)  # type: ignore[arg-type]


def given(number: str) -> list[tuple[str, bool]]:
    """Who approved, and whether that still counts."""
    with reading() as session:
        run = queries.find(session, number)
        return [(one.approved_by, one.voided_at is None) for one in queries.approvals_of(session, run.id)]


def test_a_run_that_takes_two_people_is_reserved_by_the_second(closed_october: Flask) -> None:
    lay_down(approvals=2)
    number = proposed()
    assert approvals.approve(number, by=LEAD, now=AFTER).state == "proposed"
    assert "liabilities:payouts-in-transit" not in lovelace.trial_balance()
    with refused(AlreadyApproved, "lead has approved RUN-2026-0001"):
        approvals.approve(number, by=LEAD, now=AFTER)
    with refused(ApproverIsPreparer, "somebody else has to approve it"):
        approvals.approve(number, by=ADMINISTRATOR, now=AFTER)
    run = approvals.approve(number, by=PARTNER, now=AFTER)
    assert (run.state, run.approved_by, given(number)) == ("approved", "partner", [("lead", True), ("partner", True)])
    assert lovelace.trial_balance()["liabilities:payouts-in-transit"] == "-6,250.00 USD"
    lovelace.assert_books_hold()


def test_what_was_approved_in_the_window_counts_towards_what_is_large(closed_october: Flask) -> None:
    lay_down(large_above=usd("6250.00"), approvals_when_large=2)
    number = proposed()
    assert approvals.approve(number, by=LEAD, now=AFTER).state == "approved"
    bank = Bank(refuses={"Grace": "The account is closed."})
    paying.send(number, bank)
    later = AFTER + timedelta(days=29)
    second = preparation.draft(rails={"manual": bank}, by=ADMINISTRATOR, now=later).run.number
    approvals.propose(second, by=ADMINISTRATOR, now=later)
    assert approvals.approve(second, by=LEAD, now=later).state == "proposed"
    assert approvals.approve(second, by=EVE, now=later).state == "approved"
    lovelace.assert_books_hold()


def test_what_lies_before_the_window_does_not_count(closed_october: Flask) -> None:
    lay_down(large_above=usd("6250.00"), approvals_when_large=2, window_days=7)
    bank = Bank(refuses={"Grace": "The account is closed."})
    number = proposed()
    approvals.approve(number, by=LEAD, now=AFTER)
    paying.send(number, bank)
    later = AFTER + timedelta(days=8)
    second = preparation.draft(rails={"manual": bank}, by=ADMINISTRATOR, now=later).run.number
    approvals.propose(second, by=ADMINISTRATOR, now=later)
    assert approvals.approve(second, by=LEAD, now=later).state == "approved"


def set_at() -> list[datetime]:
    with reading() as session:
        return [policy.set_at for policy in policies.page(session)]


def test_a_policy_is_dated_no_earlier_than_an_approval_that_did_not_see_it(closed_october: Flask) -> None:
    number = proposed()
    assert approvals.approve(number, by=LEAD, now=AFTER).state == "approved"
    lay_down(approvals=2, now=AFTER - timedelta(seconds=1))
    lovelace.assert_books_hold()
    lay_down(minimum=lovelace.Money.parse("0.00", "EUR"), now=AFTER - timedelta(seconds=1))
    assert set_at() == [AFTER, AFTER - timedelta(seconds=1)]


def test_holding_a_payout_takes_a_proposed_run_back_to_a_draft_and_voids_its_approvals(closed_october: Flask) -> None:
    lay_down(approvals=2)
    number = proposed()
    approvals.approve(number, by=LEAD, now=AFTER)
    grace = paying.payout_to(number, "Grace")
    assert preparation.hold(grace.id, reason="Her hours are in question.", by=LEAD, now=AFTER).state == "held"
    assert given(number) == [("lead", False)]
    with refused(RunNotInState, "is draft, not proposed"):
        approvals.approve(number, by=PARTNER, now=AFTER)
    approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    approvals.approve(number, by=LEAD, now=AFTER)
    approvals.approve(number, by=PARTNER, now=AFTER)
    bank = Bank()
    paying.pay_run(number, bank)
    assert bank.amounts() == ["Ada 1,950.00 USD"]
    assert paying.states(number) == {"Ada": "settled", "Grace": "held"}
    assert lovelace.trial_balance()["liabilities:payables"] == "-4,300.00 USD"
    assert [str(one.amount) for one in paying.draft().payouts] == ["4,300.00 USD"]
    lovelace.assert_books_hold()


def test_a_held_payout_is_taken_up_again(closed_october: Flask) -> None:
    number = paying.draft().run.number
    for payee in ("Grace", "Ada"):
        preparation.hold(paying.payout_to(number, payee).id, reason="Wait.", by=LEAD, now=AFTER)
    with refused(NothingToPropose, "Every payout of RUN-2026-0001 is held"):
        approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    ada = paying.payout_to(number, "Ada")
    with refused(StillHeld, "has another destination by now"):
        preparation.take_up(ada.id, rails={}, by=LEAD, now=AFTER)
    assert preparation.take_up(ada.id, rails={"manual": Bank()}, by=LEAD, now=AFTER).state == "planned"
    assert paying.states(number) == {"Ada": "planned", "Grace": "held"}
    lovelace.assert_books_hold()


def test_a_proposed_run_is_taken_back(closed_october: Flask) -> None:
    number = proposed()
    assert approvals.take_back(number, reason="A name is wrong.", by=ADMINISTRATOR, now=AFTER).state == "draft"
    with refused(RunNotInState, "is draft, not proposed"):
        approvals.take_back(number, reason="Again.", by=ADMINISTRATOR, now=AFTER)
    lovelace.assert_books_hold()


def test_an_approved_payout_is_withdrawn_before_anything_left(closed_october: Flask) -> None:
    number = paying.approved()
    grace = paying.payout_to(number, "Grace")
    settling.withdraw(grace.id, reason="She asked for it.", by=LEAD, now=AFTER)
    assert lovelace.trial_balance()["liabilities:payables"] == "-4,300.00 USD"
    bank = Bank()
    paying.pay_run(number, bank)
    assert bank.amounts() == ["Ada 1,950.00 USD"]
    assert paying.states(number) == {"Ada": "settled", "Grace": "canceled"}
    with refused(PayoutNotInState, "is settled"):
        settling.withdraw(paying.payout_to(number, "Ada").id, reason="Too late.", by=LEAD, now=AFTER)
    lovelace.assert_books_hold()


def test_a_run_of_which_everything_is_withdrawn_is_at_its_end(closed_october: Flask) -> None:
    number = paying.approved()
    for payee in ("Grace", "Ada"):
        settling.withdraw(paying.payout_to(number, payee).id, reason="Not now.", by=LEAD, now=AFTER)
    with reading() as session:
        assert queries.find(session, number).state == "partly-settled"
    lovelace.assert_books_hold()


def test_the_one_person_firm_approves_alone_and_the_approval_says_so(closed_october: Flask) -> None:
    change_firm(sole_approval=True, by=LEAD, now=AFTER)
    number = preparation.draft(rails={"manual": Bank()}, by=LEAD, now=AFTER).run.number
    approvals.propose(number, by=LEAD, now=AFTER)
    approvals.approve(number, by=LEAD, now=AFTER)
    with reading() as session:
        [approval] = queries.approvals_of(session, queries.find(session, number).id)
        assert approval.sole
    lovelace.assert_books_hold()


@pytest.mark.parametrize(
    "rules",
    [
        {"approvals": 0},
        {"approvals": 10},
        {"approvals": 3, "approvals_when_large": 2},
        {"window_days": 0},
        {"large_above": lovelace.Money.parse("1.00", "EUR")},
        {"minimum": lovelace.Money(-1, "USD")},
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused(sqlite_app: Flask, rules: dict[str, object]) -> None:
    lovelace.establish()
    with pytest.raises(InvalidPolicy):
        lay_down(**rules)


ATTACKS = {
    "a run is approved with no approval": "UPDATE payout_run SET state = 'approved', approved_by = 'eve'",
    "an approval by the preparer": (
        "INSERT INTO payout_approval (id, run_id, approved_by, approved_at, digest, sole)"
        " SELECT 'apr_x', id, prepared_by, prepared_at, digest, false FROM payout_run"
    ),
    "an approval of something else": (
        "INSERT INTO payout_approval (id, run_id, approved_by, approved_at, digest, sole)"
        " SELECT 'apr_x', id, 'eve', prepared_at, 'else', false FROM payout_run"
    ),
    "an approval is deleted": "DELETE FROM payout_approval",
    "an approval becomes somebody else's": "UPDATE payout_approval SET approved_by = 'eve'",
    "a payout of a proposed run is reserved and sent": "UPDATE payout SET state = 'sending'",
    "a proposed run holds something else": "UPDATE payout_run SET digest = 'else'",
    "a held payout jumps": "UPDATE payout SET state = 'sent'",
    "fewer approvals are needed for an approved run": (
        "UPDATE payout_run SET state = 'approved', approved_by = 'eve', approvals_needed = 1, digest = 'else'"
    ),
    "a policy is changed": "UPDATE payout_policy SET approvals = 1",
    "a policy is deleted": "DELETE FROM payout_policy",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_database_refuses(closed_october: Flask, attack: str) -> None:
    lay_down(approvals=3, approvals_when_large=3)
    number = proposed()
    approvals.approve(number, by=LEAD, now=AFTER)
    with pytest.raises(DBAPIError), db.engine.begin() as connection:
        connection.execute(text(ATTACKS[attack]))
    lovelace.assert_books_hold()
