"""Papers under attack and at size: formulas, templates and links that people write, and very long statements."""

from __future__ import annotations

import re
from typing import Any

import pytest

from firm.documents import papers
from firm.money import Money
from tests.firm.documents.reading import letters, links, pages, words
from tests.firm.documents.samples import funded_work_report, money, statement, statement_of

TRICKS = [
    '#eval("1+1")',
    '#read("/etc/passwd")',
    '#include "house.typ"',
    "#pagebreak()",
    "$x$",
    "{{ figures }}{{7*7}}",
    "{{ ''.__class__ }}",
    "</td></table><script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "*b*",
    "]; #panic()",
    "https://example.org/not-a-link",
]


def with_titles(trick: str) -> dict[str, Any]:
    """A report whose packages, releases, advisories and work all carry the text."""
    figures = funded_work_report()
    for package in figures["packages"]:
        package["name"] = trick
        for kind in ("releases", "security", "work"):
            package[kind] = [_retold(one, trick) for one in package[kind]]
    return figures


@pytest.mark.parametrize("trick", TRICKS)
def test_what_upstream_writes_is_shown_as_written(trick: str) -> None:
    figures = with_titles(trick)
    once = re.sub(r"\s+", "", trick)
    assert letters(papers.pdf(figures)).count(once) >= 10
    page = papers.html(figures).decode()
    assert "<script" not in page
    # As an address, only one of the web's becomes a link.
    expected = [trick] if trick.startswith("https://") else []
    assert sorted(set(links(papers.pdf(figures)))) == sorted(set(re.findall(r'href="([^"]*)"', page))) == expected


def test_two_hundred_earnings_keep_every_row_and_head_on_their_pages() -> None:
    figures = statement_of(200)
    found = pages(papers.pdf(figures))
    assert len(found) > 4
    assert [f"Page {at} of {len(found)}" in page for at, page in enumerate(found, 1)] == [True] * len(found)
    for page in found:
        assert ("How it comes about" in page) == ("example.org/package-" in page)
    rows = re.findall(r"example\.org/package-(\d{3})", " ".join(found))
    assert [int(row) for row in rows] == list(range(1, 201))
    assert "Earned in October 2026 2,000.00" in words(papers.pdf(figures))


def test_the_amounts_read_back_from_a_pdf_add_up_to_its_total() -> None:
    said = words(papers.pdf(statement()))
    table = said.partition("Earnings")[2].partition("Earned in October 2026")[0]
    read = re.findall(r"(−?[\d,]+\.\d\d)(?= (?:Growth share|Fund share|Adjustment)|\s*$)", table)
    total = sum(Money.parse(one.replace("−", "-").replace(",", ""), "USD").minor for one in read)
    assert [*read] == ["4,000.00", "300.00", "1,137.50", "−87.25"]
    assert Money(total, "USD") == Money.parse(statement()["earned"]["amount"], "USD")


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("-1", "JPY", "−1"),
        ("-1250000", "JPY", "−1,250,000"),
        ("0", "JPY", "0"),
        ("-0.01", "USD", "−0.01"),
        ("90000000000.00", "USD", "90,000,000,000.00"),
        ("1.234", "BHD", "1.234"),
    ],
)
def test_amounts_of_any_sign_size_and_currency_are_written_alike_in_both_forms(
    amount: str, currency: str, shown: str
) -> None:
    figures = statement_of(1, currency=currency, opening=money("0", currency), paid=money("0", currency))
    figures["earnings"][0]["amount"] = figures["earned"] = figures["closing"] = money(amount, currency)
    assert f"Amount in {currency} Fund share" in words(papers.pdf(figures))
    assert f"Earned in October 2026 {shown}" in words(papers.pdf(figures))
    assert f'<td class="number">{shown}</td>' in papers.html(figures).decode()


def _retold(event: dict[str, Any], text: str) -> dict[str, Any]:
    """An event with the text in each of its own texts, and as its address."""
    said = {"title", "version", "summary", "id", "by"} & event.keys()
    return event | dict.fromkeys([*said, "url"], text)
