"""A destination changes under a run: what was planned or approved for the old one is taken back in the same commit."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask

from firm.db import transaction
from payouts.destinations import decisions
from payouts.destinations.decisions import PayoutUnderWay
from payouts.runs import approvals, changes, preparation, sending, settling
from payouts.runs.approvals import DestinationChanged
from payouts.runs.moves import RunNotInState
from tests import lovelace
from tests.examples.refusals import refused
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD
from tests.payouts import paying
from tests.payouts.bank import Bank

IBAN = "DE89370400440532013000"
COOLED = AFTER + timedelta(hours=73)


def change_graces() -> None:
    """The administrator proposes another account of Grace's, and the lead confirms it."""
    proposal = lovelace.propose_destination("Grace", iban=IBAN, now=AFTER)
    changes.confirm_destination(proposal.id, by=LEAD, now=AFTER)


def test_an_approval_that_named_the_old_destination_is_void(closed_october: Flask) -> None:
    number = paying.approved()
    change_graces()
    assert paying.states(number) == {"Ada": "reserved", "Grace": "canceled"}
    assert lovelace.trial_balance()["liabilities:payables"] == "-4,300.00 USD"
    bank = Bank()
    paying.pay_run(number, bank)
    assert bank.amounts() == ["Ada 1,950.00 USD"]
    lovelace.assert_books_hold()

    second = preparation.draft(rails={"manual": bank}, by=ADMINISTRATOR, now=COOLED)
    assert [str(one.amount) for one in second.payouts] == ["4,300.00 USD"]


def test_a_proposed_run_becomes_a_draft_without_the_payee(closed_october: Flask) -> None:
    number = paying.draft().run.number
    approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    change_graces()
    assert paying.states(number) == {"Ada": "planned", "Grace": "held"}
    with refused(RunNotInState, "is draft, not proposed"):
        approvals.approve(number, by=LEAD, now=AFTER)
    lovelace.assert_books_hold()


def test_what_may_have_left_for_the_old_destination_stays_under_way(closed_october: Flask) -> None:
    bank = Bank(loses_answer_for={"Grace"}, finds=False)
    number = paying.approved(bank)
    paying.send(number, bank)
    change_graces()
    assert paying.states(number)["Grace"] == "unknown"
    bank.finds = True
    paying.send(number, bank, now=paying.LATER)
    assert paying.states(number)["Grace"] == "sent"
    assert bank.amounts() == ["Ada 1,950.00 USD", "Grace 4,300.00 USD"]
    lovelace.assert_books_hold()


def test_the_rail_is_not_switched_while_something_may_have_left(closed_october: Flask) -> None:
    bank = Bank(loses_answer_for={"Grace"}, finds=False)
    number = paying.approved(bank)
    paying.send(number, bank)
    proposal = lovelace.propose_destination("Grace", rail="sepa", iban=IBAN, now=AFTER)
    with refused(PayoutUnderWay, r"A payout is under way over the rail manual \(4,300.00 USD to Grace\)"):
        changes.confirm_destination(proposal.id, by=LEAD, now=AFTER)
    assert paying.states(number)["Grace"] == "unknown"


def test_the_rail_is_not_switched_while_a_payment_is_on_its_way(closed_october: Flask) -> None:
    number = paying.approved(Bank())
    paying.send(number, Bank())
    proposal = lovelace.propose_destination("Grace", rail="sepa", iban=IBAN, now=AFTER)
    with refused(PayoutUnderWay, "A payout is under way over the rail manual"):
        changes.confirm_destination(proposal.id, by=LEAD, now=AFTER)
    settling.settle(paying.payout_to(number, "Grace").id, reference="TX-1", on=AFTER.date(), by=LEAD, now=AFTER)
    assert changes.confirm_destination(proposal.id, by=LEAD, now=AFTER).replaced is not None
    assert paying.states(number)["Grace"] == "settled"


def change_behind_the_run(name: str) -> None:
    """As by somebody whose transaction did not see the run's draft yet."""
    proposal = lovelace.propose_destination(name, iban=IBAN, now=AFTER)
    with transaction() as session:
        decisions.confirm_in(session, proposal.id, in_flight=[], by=LEAD, now=AFTER)


def test_a_draft_that_a_change_did_not_see_is_not_proposed(closed_october: Flask) -> None:
    drafted = paying.draft()
    change_behind_the_run("Grace")
    with refused(DestinationChanged, "Grace may not be paid to the destination that RUN-2026-0001 names; hold"):
        approvals.propose(drafted.run.number, by=ADMINISTRATOR, now=AFTER)
    grace = next(one for one in drafted.payouts if one.payee_name == "Grace")
    preparation.hold(grace.id, reason="Another account", by=ADMINISTRATOR, now=AFTER)
    assert approvals.propose(drafted.run.number, by=ADMINISTRATOR, now=AFTER).state == "proposed"


def test_a_proposal_that_a_change_did_not_see_is_not_approved(closed_october: Flask) -> None:
    number = paying.draft().run.number
    approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    change_behind_the_run("Grace")
    with refused(DestinationChanged, "Grace may not be paid"):
        approvals.approve(number, by=LEAD, now=AFTER)
    assert paying.states(number) == {"Ada": "planned", "Grace": "planned"}
    lovelace.assert_books_hold()


def test_a_payee_whose_change_waits_is_held_and_named(closed_october: Flask) -> None:
    lovelace.propose_destination("Grace", iban=IBAN, now=AFTER)
    drafted = paying.draft()
    held = next(one for one in drafted.payouts if one.payee_name == "Grace")
    assert held.state == "held"
    assert "that nobody has confirmed" in str(held.reason)
    assert sending.run_with_payouts(drafted.run.number)[0].state == "draft"
