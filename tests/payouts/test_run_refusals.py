"""What stands in the way of a payout run, and what one person alone may do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from api.parts import parts
from firm.actor import Actor, Role
from firm.db import reading
from firm.ledger.periods import MonthClosed
from firm.profile.changes import change_firm
from payouts import month_end
from payouts.destinations.accounts import InvalidIban
from payouts.destinations.rules import UnknownRail
from payouts.rails.manual import ManualRail
from payouts.rails.sepa.rail import SepaRail
from payouts.runs import approvals, files, preparation, settling
from payouts.runs.approvals import ApproverIsPreparer
from payouts.runs.moves import PayoutNotInState, RunNotInState
from payouts.runs.preparation import NothingPayable
from payouts.runs.queries import FileNotWritten, PayoutNotFound, RunNotFound
from payouts.runs.settling import LeftTooEarly
from staffing.maintainers.queries import MaintainerNotFound
from tests import lovelace
from tests.examples.refusals import refused
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD
from tests.payouts import paying
from tests.payouts.bank import Bank

Opens = Callable[[str], AbstractContextManager[Flask]]
PARTNER = Actor("partner", Role.LEAD)
IBAN = "DE89370400440532013000"


def set_destination(name: str, *, rail: str = "sepa", iban: str | None = IBAN) -> None:
    lovelace.set_destination(name, rail=rail, iban=iban)


def test_a_run_with_nothing_payable_is_not_drafted(ready_october: Flask) -> None:
    with refused(NothingPayable, "Nothing is payable; close a month first"):
        paying.draft()


def test_a_second_run_finds_nothing_payable(closed_october: Flask) -> None:
    paying.draft()
    with refused(NothingPayable, "in another run that has not been sent"):
        paying.draft()
    paying.pay(Bank())
    with refused(NothingPayable, "Nothing is payable"):
        paying.draft()
    lovelace.assert_books_hold()


def test_people_without_a_destination_are_left_out_and_named(sqlite_app: Flask) -> None:
    lovelace.establish()
    lovelace.add_clients()
    lovelace.set_plan()
    lovelace.staff()
    lovelace.set_terms()
    month_end.close(lovelace.OCTOBER, by=LEAD, now=AFTER)
    each = r"has no destination; set one with `chambers maintainer destination`"
    for name, payable in (("Ada", "1,950.00"), ("Grace", "4,300.00")):
        with refused(NothingPayable, rf"{name} \({payable} USD\) {each}"):
            paying.draft()
    set_destination("Grace", rail="manual", iban=None)
    drafted = paying.draft()
    assert [payout.payee_name for payout in drafted.payouts] == ["Grace"]
    assert [(left.name, str(left.payable)) for left in drafted.left_out] == [("Ada", "1,950.00 USD")]
    lovelace.assert_books_hold()


def test_a_rail_that_pays_only_euros_leaves_dollars_alone(sqlite_at: Opens) -> None:
    with sqlite_at("closed"):
        for name in ("Grace", "Ada"):
            set_destination(name)
        rails = {"manual": ManualRail(), "sepa": SepaRail()}
        with refused(NothingPayable, "on the rail sepa, which does not pay USD"):
            preparation.draft(rails=rails, by=LEAD, now=AFTER)


@pytest.mark.parametrize(
    "iban",
    [
        "DE89370400440532013001",
        "DE8937040044053201300",
        "XX89370400440532013000",
        "hello",
        "DE89 3704 0044 0532 0130 0",
    ],
)
def test_a_wrong_iban_is_refused_and_never_repeated(sqlite_at: Opens, iban: str) -> None:
    with sqlite_at("ready"):
        with refused(InvalidIban, "not a valid IBAN; check it against the paper it came from"):
            set_destination("Grace", iban=iban)
        with pytest.raises(InvalidIban) as caught:
            set_destination("Grace", iban=iban)
        assert iban not in caught.value.message


def test_a_rail_that_pays_to_an_iban_asks_for_it(sqlite_at: Opens) -> None:
    with sqlite_at("ready"), refused(InvalidIban, "The rail sepa pays to an IBAN; give it"):
        set_destination("Grace", iban=None)


def test_a_rail_that_the_firm_does_not_have_is_named(sqlite_at: Opens) -> None:
    with sqlite_at("ready"):
        with refused(UnknownRail, "'pigeon' is no rail of this firm; use one of manual, sepa"):
            set_destination("Grace", rail="pigeon")
        with refused(MaintainerNotFound, "There is no maintainer 'Charles'"):
            set_destination("Charles")


def test_an_iban_is_sealed_and_shown_by_its_end(sqlite_at: Opens) -> None:
    with sqlite_at("ready"):
        set_destination("Grace", iban="DE89 3704 0044 0532 0130 00")
        with reading() as session:
            rows = session.execute(text("SELECT * FROM destination")).all()
            audit = session.scalars(text("SELECT facts FROM audit_record")).all()
        assert IBAN not in repr(rows)
        assert "3000" in repr(rows)
        assert IBAN not in repr(audit)


def test_whoever_prepared_a_run_does_not_approve_it(closed_october: Flask) -> None:
    number = paying.draft().run.number
    approvals.propose(number, by=PARTNER, now=AFTER)
    for person in (ADMINISTRATOR, PARTNER):
        with refused(ApproverIsPreparer, "was prepared by .*; somebody else has to approve it"):
            approvals.approve(number, by=person, now=AFTER)
    run = approvals.approve(number, by=LEAD, now=AFTER)
    assert (run.approved_by, run.sole_approval) == ("lead", False)
    lovelace.assert_books_hold()


def test_a_firm_of_one_may_approve_its_own_run_and_the_log_says_so(closed_october: Flask) -> None:
    change_firm(sole_approval=True, by=LEAD, now=AFTER)
    number = paying.draft().run.number
    approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    run = approvals.approve(number, by=ADMINISTRATOR, now=AFTER)
    assert (run.approved_by, run.sole_approval) == ("administrator", True)
    with reading() as session:
        facts = dict(
            session.execute(
                text("SELECT verb, facts FROM audit_record WHERE verb IN ('firm.sole-approval', 'run.approved')")
            ).all()
        )
    assert '"allowed":true' in facts["firm.sole-approval"]
    assert '"sole_approval":true' in facts["run.approved"]
    change_firm(sole_approval=False, by=LEAD, now=AFTER)
    lovelace.assert_books_hold()


def test_another_approver_is_no_sole_approval_even_where_that_is_allowed(sqlite_at: Opens) -> None:
    with sqlite_at("closed"):
        change_firm(sole_approval=True, by=LEAD, now=AFTER)
        number = paying.draft().run.number
        approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
        assert approvals.approve(number, by=LEAD, now=AFTER).sole_approval is False
        lovelace.assert_books_hold()


def test_each_step_of_a_run_follows_the_one_before(closed_october: Flask) -> None:
    drafted = paying.draft()
    number, payout = drafted.run.number, drafted.payouts[0]
    with refused(RunNotInState, f"{number} is draft, not proposed"):
        approvals.approve(number, by=LEAD, now=AFTER)
    with refused(RunNotInState, f"{number} is draft; it can be sent once it is approved"):
        paying.send(number, Bank())
    with refused(PayoutNotInState, "is planned; this step is for a sent one"):
        paying.settle(payout.id)
    approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    with refused(RunNotInState, f"{number} is proposed, not draft"):
        approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    approvals.approve(number, by=LEAD, now=AFTER)
    with refused(RunNotInState, f"{number} is approved, not "):
        preparation.cancel(number, by=LEAD, now=AFTER)
    with refused(PayoutNotInState, "is reserved; this step is for a sent one"):
        paying.give_back(payout.id)
    lovelace.assert_books_hold()


def test_runs_payouts_and_files_that_are_not_there_are_not_found(sqlite_at: Opens) -> None:
    with sqlite_at("closed"):
        with refused(RunNotFound, "There is no payout run 'RUN-2026-0009'"):
            approvals.propose("RUN-2026-0009", by=LEAD, now=AFTER)
        with refused(PayoutNotFound, "There is no payout 'pay_1'"):
            paying.settle("pay_1")
        number = paying.approved()
        with refused(FileNotWritten, "The run pays nobody over the rail sepa, so that it has no sepa file"):
            files.file_of(number, "sepa", keys=parts().keys, by=LEAD, now=AFTER)


def test_a_payment_is_not_settled_in_a_closed_month(closed_october: Flask) -> None:
    number = paying.approved()
    paying.send(number, Bank())
    grace = paying.payout_to(number, "Grace").id
    with refused(MonthClosed, "October 2026 is closed"):
        settling.settle(grace, reference="wire", on=date(2026, 10, 31), by=LEAD, now=AFTER)
    with refused(MonthClosed, "October 2026 is closed"):
        settling.give_back(grace, reason="closed", on=date(2026, 10, 31), by=LEAD, now=AFTER)
    paying.settle(grace)
    lovelace.assert_books_hold()


def test_a_payment_does_not_leave_before_its_run_was_approved(closed_october: Flask) -> None:
    """The books would show a bank that is short of money which nobody had reserved yet."""
    number, approved_at = paying.draft().run.number, AFTER + timedelta(days=20)
    approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    approvals.approve(number, by=LEAD, now=approved_at)
    paying.send(number, Bank(), now=approved_at)
    grace = paying.payout_to(number, "Grace").id
    later = AFTER + timedelta(days=25)
    with refused(
        LeftTooEarly, "was approved on 2026-11-21; its payout to Grace cannot have left the bank on 2026-11-05"
    ):
        settling.settle(grace, reference="wire", on=date(2026, 11, 5), by=LEAD, now=later)
    # The bank's clocks may be behind ours.
    assert settling.settle(grace, reference="wire", on=date(2026, 11, 20), by=LEAD, now=later).state == "settled"


def test_a_canceled_run_frees_its_people_and_keeps_its_number(closed_october: Flask) -> None:
    first = paying.draft().run.number
    preparation.cancel(first, by=LEAD, now=AFTER)
    with refused(RunNotInState, f"{first} is canceled"):
        approvals.propose(first, by=ADMINISTRATOR, now=AFTER)
    with refused(RunNotInState, f"{first} is canceled"):
        preparation.cancel(first, by=LEAD, now=AFTER)
    second = paying.draft()
    assert (first, second.run.number) == ("RUN-2026-0001", "RUN-2026-0002")
    assert len(second.payouts) == 2
    lovelace.assert_books_hold()


def test_a_run_of_new_years_morning_is_numbered_by_the_firms_own_calendar(sqlite_at: Opens) -> None:
    with sqlite_at("closed"):
        late = datetime(2027, 1, 1, 0, 30, tzinfo=UTC)
        run = preparation.draft(rails={"manual": Bank()}, by=LEAD, now=late).run
        assert run.number == "RUN-2027-0001"
