"""Statements: what a maintainer reads in them."""

from __future__ import annotations

from firm.documents import papers
from tests.firm.documents.reading import pages, words
from tests.firm.documents.samples import money, statement, statement_of


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
