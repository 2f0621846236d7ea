"""Statements over several months: adjustments, balances below zero, what is unpaid, the year, other currencies."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from firm.db import reading
from firm.documents import papers
from firm.money import Money
from firm.month import Month
from payouts import month_end
from payouts.adjustments import operations
from payouts.adjustments.operations import Draft
from payouts.adjustments.withholding import Duties, Duty, nobody
from payouts.runs import approvals, preparation, sending, settling
from payouts.runs.preparation import NothingPayable
from payouts.statements import operations as issuing
from payouts.statements import queries as statements
from payouts.statements.operations import InvalidCorrection, NothingDiffers
from payouts.terms import operations as terms
from payouts.terms.operations import Proposal
from staffing.maintainers import queries as maintainers
from tests import lovelace
from tests.lovelace import ADMINISTRATOR, LEAD, OCTOBER, usd
from tests.payouts.accounts import adjustments, bytes_of_all, figures, morning_after, set_up_in, sums
from tests.payouts.bank import Bank
from tests.payouts.test_months_in_a_row import pay_everybody

NOVEMBER, DECEMBER, JANUARY = OCTOBER.plus(1), OCTOBER.plus(2), OCTOBER.plus(3)


def close(month: Month, duties: Duties = nobody) -> None:
    month_end.close(month, duties=duties, by=LEAD, now=morning_after(month))


def adjust(month: Month, name: str, kind: str, amount: Money, *, adjusts: Month | None = None) -> str:
    """Adjust on the tenth of a month; the adjustment's number."""
    now = morning_after(month.previous, 10)
    draft = Draft(name, kind, amount, f"A {kind} of {amount}", adjusts=adjusts)
    return operations.make(draft, by=LEAD, now=now).number


def withheld_from(name: str) -> Duties:
    """Who has no form on file: 24 % is withheld from them."""

    def duties(session: Session, month: Month) -> Mapping[str, Duty]:
        return {maintainers.find(session, name).id: Duty(2400, "no W-9 is on file")}

    return duties


def test_a_month_shows_what_was_corrected_advanced_recovered_and_withheld(app: Flask) -> None:
    lovelace.set_up()
    close(OCTOBER)
    recovering = Proposal(guarantee=usd("4000.00"), recovery_bp=1000)
    terms.set_terms("Grace", recovering, from_month=NOVEMBER, by=LEAD, now=morning_after(OCTOBER))
    adjust(NOVEMBER, "Grace", "correction", usd("-100.00"), adjusts=OCTOBER)
    adjust(NOVEMBER, "Grace", "advance", usd("500.00"))
    close(NOVEMBER, withheld_from("Grace"))
    assert adjustments("Grace", NOVEMBER) == [
        ("correction", "-100.00"),
        ("advance", "500.00"),
        ("advance-recovery", "-400.00"),
        ("withholding", "-960.00"),
    ]
    assert sums("Grace", NOVEMBER) == ("4300.00", "4000.00", "-960.00", "0.00", "7340.00")
    found = figures("Grace", NOVEMBER)
    assert found["advanced"] == {"amount": "100.00", "currency": "USD"}
    assert found["adjustments"][0]["adjusts"] == "2026-10"
    assert found["year"] == {
        "year": 2026,
        "earned": {"amount": "8200.00", "currency": "USD"},
        "withheld": {"amount": "960.00", "currency": "USD"},
        "paid": {"amount": "0.00", "currency": "USD"},
    }
    close(DECEMBER)
    assert adjustments("Grace", DECEMBER) == [("advance-recovery", "-100.00")]
    assert figures("Grace", DECEMBER)["advanced"] is None
    assert lovelace.trial_balance()["liabilities:withheld-tax"] == "-960.00 USD"
    assert "assets:advances" not in lovelace.trial_balance()
    lovelace.assert_books_hold()


def test_closing_again_deducts_nothing_twice(app: Flask) -> None:
    lovelace.set_up()
    adjust(OCTOBER, "Grace", "advance", usd("500.00"))
    for _ in range(2):
        close(OCTOBER, withheld_from("Grace"))
    assert adjustments("Grace", OCTOBER) == [("advance", "500.00"), ("withholding", "-1152.00")]
    lovelace.assert_books_hold()


def test_who_owes_the_firm_is_paid_nothing_until_it_is_earned_back(app: Flask) -> None:
    lovelace.set_up()
    close(OCTOBER)
    pay_everybody(OCTOBER)
    adjust(NOVEMBER, "Grace", "correction", usd("-5000.00"), adjusts=OCTOBER)
    close(NOVEMBER)
    assert sums("Grace", NOVEMBER) == ("4300.00", "4300.00", "-5000.00", "4300.00", "-700.00")
    said = papers.html(figures("Grace", NOVEMBER)).decode()
    assert "paid 700.00 USD more than you had earned" in said
    number = pay_everybody(NOVEMBER)
    assert [payout.payee_name for payout in sending.run_with_payouts(number)[1]] == ["Ada"]
    with pytest.raises(NothingPayable, match="owes the firm"):
        preparation.draft(rails={"manual": Bank()}, by=ADMINISTRATOR, now=morning_after(NOVEMBER, 3))
    close(DECEMBER)
    assert sums("Grace", DECEMBER) == ("-700.00", "4300.00", "0.00", "0.00", "3600.00")
    lovelace.assert_books_hold()


def test_what_the_provider_took_back_is_on_the_statement_and_payable_again(app: Flask) -> None:
    lovelace.set_up()
    close(OCTOBER)
    number = pay_everybody(OCTOBER)
    [payout_id] = [one.id for one in sending.run_with_payouts(number)[1] if one.payee_name == "Grace"]
    back = {"reference": "trr_1:x", "amount": usd("100.00"), "by": LEAD, "now": morning_after(OCTOBER, 9)}
    settling.reverse(payout_id, **back)  # type: ignore[arg-type]
    close(NOVEMBER)
    payments = [(one["amount"]["amount"], one["run"]) for one in figures("Grace", NOVEMBER)["payouts"]]
    assert payments == [("4300.00", number), ("-100.00", number)]
    assert sums("Grace", NOVEMBER) == ("4300.00", "4300.00", "0.00", "4200.00", "4400.00")
    pay_everybody(NOVEMBER)
    close(DECEMBER)
    lovelace.assert_books_hold()


def test_the_year_begins_anew_in_january_of_the_firm_s_zone(app: Flask) -> None:
    lovelace.set_up()
    close(OCTOBER)
    close(NOVEMBER)
    close(DECEMBER)
    pay_everybody(DECEMBER)
    close(JANUARY)
    years = [figures("Ada", month)["year"] for month in (DECEMBER, JANUARY)]
    assert [(one["year"], one["earned"]["amount"], one["paid"]["amount"]) for one in years] == [
        (2026, "5850.00", "0.00"),
        (2027, "1950.00", "5850.00"),
    ]


def test_what_waits_in_a_run_and_what_it_left_stand_under_the_closing_balance(app: Flask) -> None:
    lovelace.set_up()
    close(OCTOBER)
    now, rails = morning_after(OCTOBER, 2), {"manual": Bank()}
    run = preparation.draft(rails=rails, by=ADMINISTRATOR, now=now).run.number
    approvals.propose(run, by=ADMINISTRATOR, now=now)
    operations.make(Draft("Grace", "advance", usd("0.05"), "Change"), by=LEAD, now=now)
    approvals.approve(run, by=LEAD, now=now)
    close(NOVEMBER)
    assert figures("Grace", NOVEMBER)["unpaid"] == [
        {"why": "reserved", "run": run, "reason": None, "amount": {"amount": "4300.00", "currency": "USD"}},
        {"why": "remainder", "run": run, "reason": None, "amount": {"amount": "0.05", "currency": "USD"}},
    ]
    said = papers.html(figures("Grace", NOVEMBER)).decode()
    assert f"4,300.00 USD of what was paid out is reserved in {run} and has not left yet." in said
    assert f"0.05 USD was not part of the payout in {run} and stays payable." in said
    sending.send(run, rails=rails, keys=app.extensions["chambers"].keys, by=ADMINISTRATOR, now=now)
    preparation.draft(rails=rails, by=ADMINISTRATOR, now=morning_after(NOVEMBER, 2))
    close(DECEMBER)
    assert [one["why"] for one in figures("Ada", DECEMBER)["unpaid"]] == ["planned"]


def yen(amount: str) -> Money:
    """Not a multiple of anything: what is divided leaves a rest."""
    return Money.parse(amount.partition(".")[0] + "7", "JPY")


def dinars(amount: str) -> Money:
    return Money.parse(amount + "7", "KWD")


@pytest.mark.parametrize(
    ("money", "october", "november", "december"),
    [
        (
            yen,
            ("0", "43008", "0", "0", "43008"),
            ("43008", "43008", "-1327", "43008", "41681"),
            ("41681", "43008", "0", "0", "84689"),
        ),
        (
            dinars,
            ("0.000", "4300.008", "0.000", "0.000", "4300.008"),
            ("4300.008", "4300.008", "-132.307", "4300.008", "4167.701"),
            ("4167.701", "4300.008", "0.000", "0.000", "8467.709"),
        ),
    ],
    ids=["JPY", "KWD"],
)
def test_whole_months_in_currencies_without_cents_and_with_three_digits(
    app: Flask,
    money: Callable[[str], Money],
    october: tuple[str, ...],
    november: tuple[str, ...],
    december: tuple[str, ...],
) -> None:
    set_up_in(money)
    close(OCTOBER)
    pay_everybody(OCTOBER, rail=Bank(refuses={"Ada": "The account is closed."}))
    adjust(NOVEMBER, "Grace", "correction", -money("132.30"), adjusts=OCTOBER)
    close(NOVEMBER)
    number = pay_everybody(NOVEMBER)
    now = morning_after(NOVEMBER, 4)
    for payout in sending.run_with_payouts(number)[1]:
        settling.give_back(payout.id, reason="Sent back", on=now.date(), by=LEAD, now=now)
    close(DECEMBER)
    for month, expected in ((OCTOBER, october), (NOVEMBER, november), (DECEMBER, december)):
        assert sums("Grace", month) == expected
        opening, earned, adjusted, paid, closing = (Money.parse(x, money("1.00").currency) for x in expected)
        assert opening + earned + adjusted - paid == closing
    assert sums("Ada", NOVEMBER)[3] == money("1.00").zero(money("1.00").currency).decimal
    assert len(figures("Ada", NOVEMBER)["payouts"]) == len(figures("Grace", DECEMBER)["payouts"]) == 2
    assert figures("Ada", NOVEMBER)["payouts"][1]["reason"] == "The account is closed."
    assert papers.pdf(figures("Grace", NOVEMBER)).startswith(b"%PDF")
    lovelace.assert_books_hold()


def correct(name: str, month: Month, **changes: object) -> str:
    with reading() as session:
        first = statements.of_month(session, maintainers.find(session, name).id, month)
    row = issuing.correct(first.id, reason="Her words were wrong", by=LEAD, now=morning_after(DECEMBER), **changes)  # type: ignore[arg-type]
    return str(row.number)


def test_a_corrected_statement_refers_to_the_first_and_says_what_differs(app: Flask) -> None:
    lovelace.set_up()
    close(OCTOBER)
    before = bytes_of_all()
    with reading() as session:
        [first] = [number for (number,) in session.execute(text("SELECT number FROM statement WHERE number LIKE '%1'"))]
    with pytest.raises(NothingDiffers, match=first):
        correct("Grace", OCTOBER)
    with pytest.raises(InvalidCorrection, match="no line 9"):
        correct("Grace", OCTOBER, explanations={9: "x"})
    adjust(NOVEMBER, "Grace", "correction", usd("-100.00"), adjusts=OCTOBER)
    second = correct("Grace", OCTOBER, explanations={2: "10 % of the growth"})
    assert sums("Grace", OCTOBER) == ("0.00", "4300.00", "0.00", "0.00", "4300.00")
    found = figures("Grace", OCTOBER)
    assert found["corrects"]["number"] == first
    [difference] = found["corrects"]["differences"]
    assert difference["what"] == "The explanation in line 2 of the earnings"
    assert difference["is"] == "10 % of the growth"
    said = papers.html(found).decode()
    assert f"This statement corrects <strong>{first}</strong>" in said
    assert "Her words were wrong." in said
    third = correct("Grace", OCTOBER, explanations={1: "A guarantee"})
    assert figures("Grace", OCTOBER)["corrects"]["number"] == first
    after = bytes_of_all()
    assert {number: after[number] for number in before} == before
    assert set(after) - set(before) == {second, third}
    close(NOVEMBER)
    lovelace.assert_books_hold()
