"""The worked month of Lovelace Maintainers, to the cent."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from api.parts import parts
from firm.db import reading
from firm.ledger import queries as ledger
from firm.money import Money
from payouts import month_end
from payouts.earnings import queries as earnings
from payouts.runs import approvals, preparation, sending, settling
from payouts.runs.approvals import ApproverIsPreparer
from payouts.runs.moves import PayoutNotInState
from payouts.runs.preparation import NothingPayable
from staffing.maintainers import queries as maintainers
from tests import lovelace
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD, OCTOBER, usd

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def closed_month(app: Flask) -> month_end.Closing:
    lovelace.set_up()
    return month_end.close(OCTOBER, by=LEAD, now=AFTER)


def names_of_targets(allocated: dict[tuple[str, str], Money]) -> dict[str, str]:
    with reading() as session:
        packages = dict(session.execute(text("SELECT id, name FROM package")).all())
    return {packages.get(target, target or kind): str(money) for (kind, target), money in allocated.items()}


def test_the_month_comes_out_to_the_cent(closed_month: month_end.Closing) -> None:
    assert closed_month.closed
    assert closed_month.recognized == usd("15000.00")
    assert names_of_targets(closed_month.allocated) == {
        "overhead": "3,000.00 USD",
        "on-ramp": "750.00 USD",
        "ssh": "5,625.00 USD",
        "age": "3,750.00 USD",
        "staticcheck": "1,875.00 USD",
    }
    assert closed_month.earned == usd("6250.00")
    assert closed_month.residual == usd("8750.00")
    lovelace.assert_books_hold()


def test_grace_and_ada_earn_explained_lines(closed_month: month_end.Closing) -> None:
    with reading() as session:
        names = maintainers.names(session)
        lines = [
            (names[line.maintainer_id], line.kind, str(line.amount), line.explanation)
            for line in earnings.earned(session, OCTOBER)
        ]
    assert lines == [
        ("Grace", "guarantee", "4,000.00 USD", "Guarantee of 4,000.00 USD a month"),
        (
            "Grace",
            "growth-share",
            "300.00 USD",
            "10 % of 3,000.00 USD, the retainer revenue of 15,000.00 USD above the baseline of 12,000.00 USD",
        ),
        ("Ada", "fixed-fee", "1,200.00 USD", "Fixed fee for age"),
        ("Ada", "fund-share", "750.00 USD", "40 % of the 1,875.00 USD allocated to staticcheck"),
    ]


def test_the_ssh_fund_keeps_what_grace_did_not_earn(closed_month: month_end.Closing) -> None:
    with reading() as session:
        ssh = session.scalar(text("SELECT id FROM package WHERE name = 'ssh'"))
        left = ledger.balance_of(session, "equity:funds:packages", "USD", package_id=ssh)
    assert -left == usd("1325.00")


def test_the_books_say_what_happened(closed_month: month_end.Closing) -> None:
    assert lovelace.entry_text(f"allocation:{OCTOBER}") == (
        "dr equity:allocated                15,000.00 USD\n"
        "cr equity:funds:overhead            3,000.00 USD\n"
        "cr equity:funds:packages            5,625.00 USD\n"
        "cr equity:funds:packages            3,750.00 USD\n"
        "cr equity:funds:packages            1,875.00 USD\n"
        "cr equity:funds:reserves:on-ramp      750.00 USD"
    )
    assert lovelace.trial_balance() == {
        "assets:receivables": "125,000.00 USD",
        "equity:allocated": "8,750.00 USD",
        "equity:funds:overhead": "-3,000.00 USD",
        "equity:funds:packages": "-5,000.00 USD",
        "equity:funds:reserves:on-ramp": "-750.00 USD",
        "expenses:maintainers": "6,250.00 USD",
        "income:retainers": "-15,000.00 USD",
        "liabilities:deferred-revenue": "-110,000.00 USD",
        "liabilities:payables": "-6,250.00 USD",
    }


def test_a_preview_says_the_same_and_writes_nothing(app: Flask) -> None:
    lovelace.set_up()
    preview = month_end.preview(OCTOBER, now=AFTER)
    assert lovelace.trial_balance() == {}
    closing = month_end.close(OCTOBER, by=LEAD, now=AFTER)
    assert (preview.recognized, preview.allocated, preview.earned) == (
        closing.recognized,
        closing.allocated,
        closing.earned,
    )


def test_closing_again_changes_nothing(closed_month: month_end.Closing) -> None:
    before = lovelace.trial_balance()
    with reading() as session:
        entries = ledger.entries(session)
    again = month_end.close(OCTOBER, by=ADMINISTRATOR, now=AFTER + timedelta(days=1))
    assert again == closed_month
    with reading() as session:
        assert ledger.entries(session) == entries
    assert lovelace.trial_balance() == before


def test_a_run_pays_everybody_once(closed_month: month_end.Closing) -> None:
    drafted = preparation.draft(rails=parts().rails, by=ADMINISTRATOR, now=AFTER)
    number = drafted.run.number
    approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    with pytest.raises(ApproverIsPreparer, match="somebody else"):
        approvals.approve(number, by=ADMINISTRATOR, now=AFTER)
    approvals.approve(number, by=LEAD, now=AFTER)
    with pytest.raises(NothingPayable):
        preparation.draft(rails=parts().rails, by=ADMINISTRATOR, now=AFTER)
    sending.send(number, rails=parts().rails, keys=parts().keys, by=ADMINISTRATOR, now=AFTER)
    for payout in drafted.payouts:
        settling.settle(payout.id, reference="wire", on=date(2026, 11, 2), by=ADMINISTRATOR, now=AFTER)
    run, payouts = sending.run_with_payouts(number)
    assert run.state == "settled"
    assert sorted(str(payout.amount) for payout in payouts) == ["1,950.00 USD", "4,300.00 USD"]
    with pytest.raises(PayoutNotInState):
        settling.settle(payouts[0].id, reference="wire", on=date(2026, 11, 2), by=ADMINISTRATOR, now=AFTER)
    assert lovelace.trial_balance()["assets:bank"] == "-6,250.00 USD"
    assert "liabilities:payables" not in lovelace.trial_balance()
    lovelace.assert_books_hold()
