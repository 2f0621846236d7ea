"""How cells are written: one way each, and a sentence for the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firm.intake import columns
from firm.intake.desk import percentage
from firm.month import Month

LONG = "9" * 5_000
DIGITS = "١٢٣"


@pytest.mark.parametrize(
    ("reader", "cell", "value"),
    [
        (columns.amount, "10000.00", "10000.00"),
        (columns.amount, " 5 ", "5"),
        (columns.percent, "12.5%", 1_250),
        (columns.percent, "100 %", 10_000),
        (columns.percent, "0.05%", 5),
        (columns.whole, "90", 90),
        (columns.day, "2026-10-31", date(2026, 10, 31)),
        (columns.month, "2026-10", Month(2026, 10)),
        (columns.yes_or_no, "Yes", True),
        (columns.yes_or_no, "no", False),
        (columns.country, "US", "US"),
        (columns.email, "ada@example.org", "ada@example.org"),
        (columns.address_lines, "1 Main Street\r\n\r\n Springfield ", ("1 Main Street", "Springfield")),
        (columns.items, "a; b\nc;;", ["a", "b", "c"]),
    ],
)
def test_each_is_written_in_one_way(reader: Callable[[str], Any], cell: str, value: object) -> None:
    assert reader(cell) == value


@pytest.mark.parametrize(
    ("reader", "cell", "words"),
    [
        (columns.amount, "1,234.00", "signs between thousands"),
        (columns.amount, "1.234,00", "point for the decimals"),
        (columns.amount, "1234,00", "point for the decimals"),
        (columns.amount, "1 234.00", "signs between thousands"),
        (columns.amount, "1_000", "signs between thousands"),
        (columns.amount, "1e5", "exponent"),
        (columns.amount, "1e300000", "exponent"),
        (columns.amount, "-5.00", "not negative"),
        (columns.amount, "5.00 USD", "own column"),
        (columns.amount, "$5.00", "own column"),
        (columns.amount, DIGITS, "no amount"),
        (columns.amount, "+5", "no amount"),
        (columns.amount, "5.", "no amount"),
        (columns.amount, ".5", "no amount"),
        (columns.amount, LONG, "no amount"),
        (columns.amount, "NaN", "own column"),
        (columns.percent, "0.125", "with its sign"),
        (columns.percent, "1250", "with its sign"),
        (columns.percent, "12,5%", "with its sign"),
        (columns.percent, "12.555%", "two decimals"),
        (columns.percent, "100.01%", "at most 100%"),
        (columns.percent, "-1%", "with its sign"),
        (columns.percent, f"{DIGITS}%", "with its sign"),
        (columns.whole, "1_000", "digits 0 to 9"),
        (columns.whole, DIGITS, "digits 0 to 9"),
        (columns.whole, "1e3", "digits 0 to 9"),
        (columns.whole, "90.0", "digits 0 to 9"),
        (columns.whole, LONG, "digits 0 to 9"),
        (columns.day, "31.10.2026", "year, month and day"),
        (columns.day, "10/31/2026", "year, month and day"),
        (columns.day, "20261031", "year, month and day"),
        (columns.day, "2026-W44-6", "year, month and day"),
        (columns.day, "2026-02-30", "no such day"),
        (columns.day, "٢٠٢٦-١٠-٣١", "year, month and day"),
        (columns.month, "10/2026", "2026-10"),
        (columns.month, "2026-10-01", "2026-10"),
        (columns.month, "1999-10", "2000-01"),
        (columns.yes_or_no, "true", "yes or no"),
        (columns.yes_or_no, "1", "yes or no"),
        (columns.country, "usa", "two capital letters"),
        (columns.country, "us", "two capital letters"),
        (columns.currency, "$", "three capital letters"),
        (columns.email, "ada", "one e-mail address"),
        (columns.email, "a@x.example, b@x.example", "one e-mail address"),
        (columns.address_lines, "\n".join("abcdefghi"), "at most 8 lines"),
    ],
)
def test_any_other_way_is_answered_with_the_right_one(reader: Callable[[str], Any], cell: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        reader(cell)
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("Ac\nme", "in one line"),
        ("Ac\x1bme", r"U\+001B"),
        ("Ac\u2028me", r"U\+2028"),
        ("x" * 201, "longer than 200"),
    ],
)
def test_text_is_one_line_of_what_can_be_seen(cell: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        columns.plain_text(cell, 200)


def test_pairs_name_each_thing_once() -> None:
    assert columns.pairs("a=b=40%; c=5%", columns.percent, "ssh=40%") == {"a=b": 4_000, "c": 500}
    with pytest.raises(ValueError, match="a is there twice"):
        columns.pairs("a=1%;a=2%", columns.percent, "ssh=40%")
    with pytest.raises(ValueError, match="ssh=40%"):
        columns.pairs("40%", columns.percent, "ssh=40%")


@given(st.integers(0, 10_000))
def test_a_percentage_is_written_as_it_is_read(basis_points: int) -> None:
    assert columns.percent(percentage(basis_points)) == basis_points


@given(st.text(max_size=60))
def test_whatever_stands_in_a_cell_is_read_or_refused(cell: str) -> None:
    readers: list[Callable[[str], Any]] = [
        columns.amount,
        columns.percent,
        columns.whole,
        columns.day,
        columns.month,
        columns.yes_or_no,
        columns.email,
        columns.address_lines,
        lambda text: columns.plain_text(text, 200),
        lambda text: columns.pairs(text, columns.percent, "ssh=40%"),
    ]
    for reader in readers:
        assert sentence_of(reader, cell).endswith(".")


def sentence_of(reader: Callable[[str], Any], cell: str) -> str:
    try:
        reader(cell)
    except ValueError as error:
        return str(error)
    return "It was read."
