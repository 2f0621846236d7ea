"""Remittance advices and self-billed invoices: what they say, the same in PDF and HTML."""

from __future__ import annotations

import re
from typing import Any

import pytest

from firm.documents import papers
from firm.documents.self_billed_invoice import rate
from firm.money import Money
from tests.firm.documents.reading import pages, words
from tests.firm.documents.samples import GRACE, money, remittance_advice, self_billed_invoice

GERMAN = GRACE | {"vat_id": "DE136695976"}


def html(figures: dict[str, Any]) -> str:
    """The words of the HTML form, its tags as spaces."""
    body = papers.html(figures).decode().partition("<body>")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body)).replace("&#39;", "'")


def said(figures: dict[str, Any], *sentences: str) -> None:
    for sentence in sentences:
        assert sentence in words(papers.pdf(figures)), sentence
        assert sentence in html(figures).replace(" .", ".").replace(" ,", ","), sentence


def credit_note() -> dict[str, Any]:
    figures = self_billed_invoice(
        number="SB-LM-0008",
        credits={"number": "SB-LM-0007", "issued_on": "2026-11-01", "reason": "The rate was wrong."},
        net=money("-4300.00", "EUR"),
        vat_amount=money("-903.00", "EUR"),
        gross=money("-5203.00", "EUR"),
    )
    for line in figures["lines"]:
        line["amount"] = money(f"-{line['amount']['amount']}", "EUR")
    return figures


def test_an_advice_says_what_was_paid_how_and_for_what() -> None:
    said(
        remittance_advice(),
        "On 1 November 2026 Lovelace Maintainers sent you 5,550.00 USD. This is what it pays for.",
        "SEPA credit transfer",
        "RUN-2026-0010/1",
        "•••• 5555",
        "Counted twice in September (adjusts September 2026) −87.25 −87.25",
        "Earnings, as your statement of the month explains them 5,437.50 4,387.25",
        "Paid with this payment 5,550.00",
        "1,050.25 USD stays payable and is carried into a later payment.",
    )


def test_an_advice_of_everything_says_so_and_names_no_account_where_there_is_none() -> None:
    figures = remittance_advice(remaining=money("0.00"), account_last4=None)
    said(figures, "With this payment everything that was payable is paid.")
    assert "••••" not in words(papers.pdf(figures)) + html(figures)


def test_a_long_advice_keeps_every_line_and_its_heads() -> None:
    line = remittance_advice()["lines"][0] | {"amount": money("10.00")}
    found = pages(papers.pdf(remittance_advice(lines=[line] * 120, total=money("1200.00"))))
    assert len(found) > 2
    assert sum(page.count("September 2026") for page in found) == 120
    assert all("What was owed" in page for page in found if "Earnings, as" in page)


def test_a_domestic_invoice_shows_both_parties_the_rate_and_its_sums() -> None:
    said(
        self_billed_invoice(),
        "Self-billed invoice",
        "Self-billing. Issued by the customer in the supplier's name, as agreed on 15 September 2026.",
        "VAT ID NL123456782B90",
        "VAT ID NL820646660B01",
        "1 October 2026 to 31 October 2026",
        "Net for October 2026 4,300.00",
        "VAT 21 % 903.00",
        "Total in EUR 5,203.00",
    )
    assert "Reverse charge" not in words(papers.pdf(self_billed_invoice()))


def test_a_reverse_charge_says_so_in_the_words_of_the_law() -> None:
    figures = self_billed_invoice(
        supplier=GERMAN,
        vat={"treatment": "reverse-charge", "rate_bp": None, "exemption": None},
        vat_amount=money("0.00", "EUR"),
        gross=money("4300.00", "EUR"),
    )
    said(figures, "Reverse charge. VAT is to be accounted for by the customer.", "VAT 0.00", "Total in EUR 4,300.00")


def test_a_small_business_carries_the_words_of_its_exemption() -> None:
    exemption = "Kein Ausweis von Umsatzsteuer, da Kleinunternehmer gemäß § 19 UStG."
    figures = self_billed_invoice(
        supplier=GRACE | {"vat_id": None},
        vat={"treatment": "small-business", "rate_bp": None, "exemption": exemption},
        vat_amount=money("0.00", "EUR"),
        gross=money("4300.00", "EUR"),
    )
    said(figures, f"No VAT is charged. {exemption}")


def test_a_credit_note_carries_the_number_of_what_it_takes_back() -> None:
    said(
        credit_note(),
        "Self-billed credit note",
        "This credit note takes back invoice SB-LM-0007 of 1 November 2026. Reason: The rate was wrong.",
        "Net for October 2026 −4,300.00",
        "VAT 21 % −903.00",
        "Total credited in EUR −5,203.00",
    )


def test_the_lines_read_back_from_a_pdf_add_up_to_its_net() -> None:
    table = words(papers.pdf(self_billed_invoice())).partition("Net in EUR")[2].partition("Net for")[0]
    read = re.findall(r"([\d,]+\.\d\d)(?= Growth share|\s*$)", table)
    assert sum(Money.parse(one.replace(",", ""), "EUR").minor for one in read) == 430_000


@pytest.mark.parametrize(
    ("rate_bp", "shown"),
    [(1900, "19 %"), (2100, "21 %"), (550, "5.5 %"), (725, "7.25 %"), (1, "0.01 %"), (10_000, "100 %")],
)
def test_a_rate_is_written_without_zeros_that_say_nothing(rate_bp: int, shown: str) -> None:
    assert rate(rate_bp) == shown
