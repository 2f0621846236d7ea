"""Statements: what a maintainer reads in them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping

import pytest

from firm.documents import papers
from tests.firm.documents.reading import pages, words
from tests.firm.documents.samples import money, statement, statement_2, statement_of


def test_both_forms_say_who_when_and_how_much() -> None:
    pdf, html = words(papers.pdf(statement())), papers.html(statement()).decode()
    for fact in (
        "Lovelace Maintainers",
        "12 Analytical Row",
        "Grace Hopper",
        "Arlington, VA 22201",
        "Statement for October 2026",
        "S-2026-0001",
        "1 November 2026",
        "golang.org/x/crypto/ssh",
        "Guarantee of 4,000.00 USD a month",
        "(adjusts September 2026)",
        "−87.25",
        "5,350.25",
        "31 October 2026",
        "SEPA credit transfer",
        "RUN-2026-0010/1",
        "owed you 1,050.25 USD, which is carried into November 2026.",
    ):
        assert fact in pdf
        assert fact in html


def test_the_figures_of_the_pdf_are_those_of_the_statement() -> None:
    said = words(papers.pdf(statement()))
    assert "Opening balance 1,250.00 + Earned 5,350.25 − Paid out 5,550.00 = Closing balance 1,050.25" in said
    assert "Amount in USD Guarantee Guarantee of 4,000.00 USD a month 4,000.00 Growth share" in said
    assert "Earned in October 2026 5,350.25" in said
    assert "5 October 2026 SEPA credit transfer RUN-2026-0009/1 1,250.00" in said
    assert "Paid out in October 2026 5,550.00" in said


def test_a_currency_shows_as_many_digits_as_it_has() -> None:
    yen = statement_of(1, currency="JPY", opening=money("0", "JPY"), paid=money("0", "JPY"))
    yen["earnings"][0]["amount"] = yen["earned"] = yen["closing"] = money("1250000", "JPY")
    assert "Amount in JPY" in words(papers.pdf(yen))
    assert "owed you 1,250,000 JPY" in words(papers.pdf(yen))


def test_a_month_without_earnings_or_payouts_says_so() -> None:
    none = money("0.00")
    quiet = statement(earnings=[], payouts=[], opening=none, earned=none, paid=none, closing=none)
    for said in (words(papers.pdf(quiet)), papers.html(quiet).decode()):
        assert "Nothing was earned in October 2026." in said
        assert "Nothing was paid out in October 2026." in said
        assert "On 31 October 2026 nothing was open between Lovelace Maintainers and you." in said


def test_money_paid_ahead_of_earnings_is_a_negative_balance_in_plain_words() -> None:
    ahead = statement(closing=money("-200.00"))
    said = words(papers.pdf(ahead))
    assert "Closing balance −200.00" in said
    assert "you had been paid 200.00 USD more than you had earned" in said


def test_a_correction_names_the_statement_it_takes_the_place_of() -> None:
    corrected = statement(number="S-2026-0002", corrects="S-2026-0001")
    for said in (words(papers.pdf(corrected)), papers.html(corrected).decode().replace("<strong>", "")):
        assert "This statement corrects S-2026-0001" in said
    assert "corrects" not in words(papers.pdf(statement()))


def test_twenty_five_earnings_fit_one_page() -> None:
    payouts = statement()["payouts"]
    [page] = pages(papers.pdf(statement_of(25, payouts=payouts)))
    assert "example.org/package-025" in page
    assert "Page 1 of 1" in page


def test_a_longer_table_repeats_its_heads_on_every_page() -> None:
    found = pages(papers.pdf(statement_of(150)))
    assert len(found) > 3
    for number, page in enumerate(found, 1):
        assert f"Page {number} of {len(found)}" in page
        assert page.count("How it comes about") == (1 if "example.org/package-" in page else 0)
    assert all("Statement for October 2026" in page and "S-2026-0001" in page for page in found)
    assert sum(page.count("example.org/package-") for page in found) == 150


def test_the_second_template_shows_adjustments_the_unpaid_and_the_year() -> None:
    pdf, html = words(papers.pdf(statement_2())), papers.html(statement_2()).decode()
    for fact in (
        "Counted twice (adjusts September 2026)",
        "Advance recovered",
        "−1,297.56",
        "Adjusted in October 2026",
        "pay-0001. Came back: The account is closed",
        "5,358.94 USD is held back from RUN-2026-0010: No W-9 is on file.",
        "0.04 USD was not part of the payout in RUN-2026-0009 and stays payable.",
        "56.25 USD of what you were advanced is outstanding",
        "2026 until the end of October 2026",
        "41,200.00",
    ):
        assert fact in pdf
        assert fact in html
    row = "1,250.00 + Earned 5,437.50 + Adjusted −1,328.56 − Paid out 0.00 = Closing balance 5,358.94"
    assert f"Opening balance {row}" in pdf


def test_a_month_without_adjustments_shows_none() -> None:
    none = statement_2(adjustments=[], adjusted=money("0.00"), unpaid=[], advanced=None)
    for said in (words(papers.pdf(none)), papers.html(none).decode()):
        assert "Adjust" not in said
        assert "advanced" not in said


def test_a_corrected_one_of_the_second_template_says_what_differs() -> None:
    address = {"what": "Your address", "was": "1 Old Street", "is": "4 Compiler Lane"}
    corrects = {"number": "ST-2026-0001", "issued_on": "2026-11-01", "reason": "old address", "differences": [address]}
    figures = statement_2(corrects=corrects)
    page = re.sub("</?(bdi|strong)>", "", papers.html(figures).decode())
    for said in (words(papers.pdf(figures)), page):
        assert "This statement corrects ST-2026-0001 of 1 November 2026 and takes its place. Old address." in said
        assert "Your address was 1 Old Street and is 4 Compiler Lane." in said
    assert len(pages(papers.pdf(figures))) == 1


def test_a_payout_in_another_currency_says_at_which_rate() -> None:
    [payout, _] = statement_2()["payouts"]
    exchange = {"amount": "1150.25", "currency": "EUR", "rate": "0.9202"}
    said = words(papers.pdf(statement_2(payouts=[payout | {"exchange": exchange}])))
    assert "Paid as 1,150.25 EUR at 0.9202" in said


def test_sums_of_many_digits_stay_in_their_row() -> None:
    huge = {key: money("-9999999999999.99") for key in ("opening", "earned", "adjusted", "paid", "closing")}
    said = words(papers.pdf(statement_2(**huge)))
    assert said.count("−9,999,999,999,999.99") >= 5


@pytest.mark.parametrize(
    ("render", "hashed"),
    [
        (papers.html, "c4598ce5f0f2b09fe9c04580457e491d88352a58f1a5383f059ef2786c7b696c"),
        (papers.pdf, "1b79de223425463bee8ba518d1b09251cea29c426f026a756337bd8a99a1733a"),
    ],
    ids=["html", "pdf"],
)
def test_the_first_template_gives_the_bytes_it_always_gave(
    render: Callable[[Mapping[str, object]], bytes], hashed: str
) -> None:
    """Whoever changes what these files say must add a template instead; a newer Typst may make other bytes of a PDF."""
    assert hashlib.sha256(render(statement())).hexdigest() == hashed
