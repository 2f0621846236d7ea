"""Several months one after the other: funds carry over, statements follow on, shortfalls fall to the residual."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from api.parts import parts
from firm.db import reading
from firm.ledger import accounts
from firm.ledger import queries as ledger
from firm.month import Month
from firm.portfolio import queries as portfolio
from payouts import month_end
from payouts.runs import approvals, preparation, sending, settling
from payouts.statements import queries as statements
from payouts.terms import operations as terms
from payouts.terms.operations import Proposal
from staffing.maintainers import queries as maintainers
from tests import lovelace
from tests.lovelace import ADMINISTRATOR, LEAD, OCTOBER, usd
from tests.payouts.bank import Bank

NOVEMBER, DECEMBER, JANUARY = OCTOBER.plus(1), OCTOBER.plus(2), OCTOBER.plus(3)


def morning_after(month: Month, day: int = 1) -> datetime:
    first = month.next.first_day
    return datetime(first.year, first.month, day, 9, 0, tzinfo=UTC)


def close(month: Month) -> month_end.Closing:
    return month_end.close(month, by=LEAD, now=morning_after(month))


def pay_everybody(month: Month, *, rail: Bank | None = None) -> str:
    """Pay what the month left payable, on the second of the next one; the run's number."""
    now = morning_after(month, 2)
    rails = {"manual": rail or Bank()}
    number = preparation.draft(rails=rails, by=ADMINISTRATOR, now=now).run.number
    approvals.propose(number, by=ADMINISTRATOR, now=now)
    approvals.approve(number, by=LEAD, now=now)
    sending.send(number, rails=rails, keys=parts().keys, by=ADMINISTRATOR, now=now)
    for payout in sending.run_with_payouts(number)[1]:
        if payout.state == "sent":
            settling.settle(payout.id, reference="wire", on=now.date(), by=ADMINISTRATOR, now=now)
    return number


def fund(package: str) -> str:
    with reading() as session:
        package_id = portfolio.find(session, package).id
        return str(-ledger.balance_of(session, accounts.PACKAGE_FUNDS, "USD", package_id=package_id))


def earned(name: str, month: Month) -> list[tuple[str, int, int]]:
    """Kind, amount, and how much of it the fund covers."""
    with reading() as session:
        query = (
            "SELECT kind, amount_minor, funded_minor FROM earning WHERE maintainer_id = :who AND month = :month"
            " ORDER BY line"
        )
        found = {"who": maintainers.find(session, name).id, "month": str(month)}
        return [tuple(row) for row in session.execute(text(query), found)]


def statement(name: str, month: Month) -> Mapping[str, Any]:
    with reading() as session:
        row = statements.of_month(session, maintainers.find(session, name).id, month)
        figures: Mapping[str, Any] = json.loads(row.figures)
    return figures


def balances(name: str, month: Month) -> tuple[str, str, str, str]:
    figures = statement(name, month)
    opening, earnings, paid, closing = (figures[key]["amount"] for key in ("opening", "earned", "paid", "closing"))
    return opening, earnings, paid, closing


def firm_with(proposal: Proposal) -> None:
    """The worked firm, with other terms for Grace."""
    lovelace.establish()
    lovelace.add_clients()
    lovelace.set_plan()
    lovelace.staff()
    ada = Proposal(fund_shares={"staticcheck": 4000}, fixed_fees={"age": usd("1200.00")})
    for name, theirs in (("Grace", proposal), ("Ada", ada)):
        terms.set_terms(name, theirs, from_month=OCTOBER, by=LEAD, now=lovelace.BEFORE)
    lovelace.set_destinations()


def test_what_a_month_leaves_in_a_fund_is_there_in_the_next(app: Flask) -> None:
    lovelace.set_up()
    for month, ssh, age, staticcheck in (
        (OCTOBER, "1,325.00", "2,550.00", "1,125.00"),
        (NOVEMBER, "2,650.00", "5,100.00", "2,250.00"),
        (DECEMBER, "3,975.00", "7,650.00", "3,375.00"),
    ):
        close(month)
        assert [fund(name) for name in ("ssh", "age", "staticcheck")] == [f"{x} USD" for x in (ssh, age, staticcheck)]
        lovelace.assert_books_hold()


def test_a_fund_share_is_of_what_the_month_allocated_and_not_of_what_the_fund_holds(sqlite_app: Flask) -> None:
    lovelace.set_up()
    for month in (OCTOBER, NOVEMBER, DECEMBER):
        close(month)
        assert earned("Ada", month) == [("fixed-fee", 120_000, 120_000), ("fund-share", 75_000, 75_000)]
    lovelace.assert_books_hold()


def test_a_guarantee_above_its_fund_is_owed_in_full_and_the_residual_bears_the_rest(app: Flask) -> None:
    firm_with(Proposal(guarantee=usd("6000.00")))
    closing = close(OCTOBER)
    assert earned("Grace", OCTOBER) == [("guarantee", 600_000, 562_500)]
    assert fund("ssh") == "0.00 USD"
    assert closing.residual == usd("15000.00") - usd("7950.00")
    assert lovelace.trial_balance()["liabilities:payables"] == "-7,950.00 USD"
    lovelace.assert_books_hold()
    close(NOVEMBER)
    assert earned("Grace", NOVEMBER) == [("guarantee", 600_000, 562_500)]
    lovelace.assert_books_hold()


def test_what_a_fund_saved_covers_a_later_shortfall(sqlite_app: Flask) -> None:
    firm_with(Proposal(guarantee=usd("5000.00")))
    close(OCTOBER)
    more = Proposal(guarantee=usd("6000.00"))
    terms.set_terms("Grace", more, from_month=NOVEMBER, by=LEAD, now=morning_after(OCTOBER))
    close(NOVEMBER)
    assert earned("Grace", OCTOBER) == [("guarantee", 500_000, 500_000)]
    assert earned("Grace", NOVEMBER) == [("guarantee", 600_000, 600_000)]
    assert fund("ssh") == "250.00 USD"
    lovelace.assert_books_hold()


@pytest.mark.parametrize(
    ("baseline", "cap", "expected"),
    [
        ("15000.00", None, []),
        ("20000.00", None, []),
        ("14999.99", None, []),
        ("14999.90", None, [("growth-share", 1, 1)]),
        ("0.00", None, [("growth-share", 150_000, 150_000)]),
        ("0.00", "1000.00", [("growth-share", 100_000, 100_000)]),
        ("12000.00", "300.00", [("growth-share", 30_000, 30_000)]),
        ("12000.00", "0.00", []),
    ],
    ids=["at-baseline", "below", "a-cent", "ten-cents", "all", "capped", "just-capped", "capped-away"],
)
def test_growth_counts_above_the_baseline_and_up_to_the_cap(
    sqlite_app: Flask, baseline: str, cap: str | None, expected: list[tuple[str, int, int]]
) -> None:
    firm_with(Proposal(growth_bp=1000, baseline=usd(baseline), cap=None if cap is None else usd(cap)))
    close(OCTOBER)
    assert earned("Grace", OCTOBER) == expected
    lovelace.assert_books_hold()


def test_a_cap_caps_growth_and_never_the_guarantee(sqlite_app: Flask) -> None:
    firm_with(Proposal(guarantee=usd("4000.00"), growth_bp=5000, baseline=usd("0.00"), cap=usd("500.00")))
    close(OCTOBER)
    assert earned("Grace", OCTOBER) == [("guarantee", 400_000, 400_000), ("growth-share", 50_000, 50_000)]
    [_, growth] = statement("Grace", OCTOBER)["earnings"]
    assert growth["explanation"].endswith("above the baseline of 0.00 USD, capped at 500.00 USD")
    lovelace.assert_books_hold()


def test_terms_end_with_the_month_before_the_next_ones_begin(sqlite_app: Flask) -> None:
    firm_with(Proposal(guarantee=usd("4000.00")))
    terms.set_terms("Grace", Proposal(guarantee=usd("4500.00")), from_month=DECEMBER, by=LEAD, now=lovelace.BEFORE)
    for month in (OCTOBER, NOVEMBER, DECEMBER):
        close(month)
    guarantees = [earned("Grace", month)[0][1] for month in (OCTOBER, NOVEMBER, DECEMBER)]
    assert guarantees == [400_000, 400_000, 450_000]
    lovelace.assert_books_hold()


def test_statements_follow_on_and_show_each_payout_with_its_run(app: Flask) -> None:
    lovelace.set_up()
    close(OCTOBER)
    first = pay_everybody(OCTOBER)
    close(NOVEMBER)
    close(DECEMBER)
    second = pay_everybody(DECEMBER)
    close(JANUARY)
    assert [balances("Grace", month) for month in (OCTOBER, NOVEMBER, DECEMBER, JANUARY)] == [
        ("0.00", "4300.00", "0.00", "4300.00"),
        ("4300.00", "4300.00", "4300.00", "4300.00"),
        ("4300.00", "4300.00", "0.00", "8600.00"),
        ("8600.00", "4300.00", "8600.00", "4300.00"),
    ]
    assert statement("Grace", NOVEMBER)["payouts"] == [
        {
            "on": "2026-11-02",
            "rail": "manual",
            "run": first,
            "reference": "wire",
            "reason": None,
            "exchange": None,
            "amount": {"amount": "4300.00", "currency": "USD"},
        }
    ]
    assert [payout["run"] for payout in statement("Ada", JANUARY)["payouts"]] == [second]
    assert second == "RUN-2027-0001"
    assert [statement(name, OCTOBER)["number"] for name in ("Grace", "Ada")] == ["ST-2026-0001", "ST-2026-0002"]
    assert statement("Grace", JANUARY)["number"] == "ST-2027-0001"
    lovelace.assert_books_hold()


def test_a_payment_that_came_back_stands_on_the_statement_too(app: Flask) -> None:
    lovelace.set_up()
    close(OCTOBER)
    number = pay_everybody(OCTOBER, rail=Bank(refuses={"Grace": "The account is closed."}))
    close(NOVEMBER)
    assert balances("Grace", NOVEMBER) == ("4300.00", "4300.00", "0.00", "8600.00")
    amounts = [(payout["amount"]["amount"], payout["run"]) for payout in statement("Grace", NOVEMBER)["payouts"]]
    assert amounts == [("4300.00", number), ("-4300.00", number)]

    [ada] = [payout for payout in sending.run_with_payouts(number)[1] if payout.payee_name == "Ada"]
    now = morning_after(NOVEMBER, 5)
    settling.give_back(ada.id, reason="the account is closed", on=date(2026, 12, 4), by=LEAD, now=now)
    close(DECEMBER)
    assert balances("Ada", DECEMBER) == ("1950.00", "1950.00", "-1950.00", "5850.00")
    lovelace.assert_books_hold()


def test_a_statement_keeps_the_name_and_address_of_its_day(sqlite_app: Flask) -> None:
    lovelace.set_up()
    close(OCTOBER)
    before = statement("Grace", OCTOBER)
    with reading() as session:
        digest = statements.of_month(session, maintainers.find(session, "Grace").id, OCTOBER).sha256
    close(NOVEMBER)
    assert statement("Grace", OCTOBER) == before
    with reading() as session:
        assert statements.of_month(session, maintainers.find(session, "Grace").id, OCTOBER).sha256 == digest
    assert before["maintainer"]["name"] == "Grace"
    assert before["issued_on"] == "2026-11-01"


def test_somebody_who_left_gets_statements_until_nothing_is_owed(sqlite_app: Flask) -> None:
    lovelace.set_up()
    close(OCTOBER)
    with reading() as session:
        [work] = session.scalars(text("SELECT id FROM assignment WHERE role = 'lead'")).all()
        grace = maintainers.find(session, "Grace").id
    lovelace.assignments.end(work, on=NOVEMBER.first_day, by=LEAD, now=morning_after(OCTOBER))
    terms.set_terms("Grace", Proposal(guarantee=usd("0.00")), from_month=NOVEMBER, by=LEAD, now=morning_after(OCTOBER))
    close(NOVEMBER)
    assert balances("Grace", NOVEMBER) == ("4300.00", "0.00", "0.00", "4300.00")
    pay_everybody(NOVEMBER)
    close(DECEMBER)
    assert balances("Grace", DECEMBER) == ("4300.00", "0.00", "4300.00", "0.00")
    close(JANUARY)
    with reading() as session, pytest.raises(statements.StatementNotFound, match="January 2027"):
        statements.of_month(session, grace, JANUARY)
    lovelace.assert_books_hold()
