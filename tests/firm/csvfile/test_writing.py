"""What we write: opened by every spreadsheet, run by none, and the same again when it comes back."""

from __future__ import annotations

import csv
import io
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firm.csvfile.formulas import guarded, unguarded
from firm.csvfile.reading import read
from firm.csvfile.writing import write
from firm.money import Money
from firm.month import Month

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
HOSTILE = st.lists(st.sampled_from([*"=+-@'\t\r\n ,;\"x1(", "\u00a0", "\u200b", "＝"]), max_size=8).map("".join)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("before", ["", " ", "\u00a0", "\n", "\r\n", "\t", "\u3000 ", "\ufeff", "'", "''", "' "])
def test_text_that_would_run_is_shown_behind_an_apostrophe(before: str, start: str) -> None:
    text = f"{before}{start}1+1"
    assert guarded(text) == "'" + text
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["", "Acme", "a=b", "'tis", "1.50", "O'Neill", "x@y.example", "x -1", "'"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text == unguarded(text)


def test_numbers_stay_numbers() -> None:
    row = [-5, Money.parse("-12.50", "USD"), Month(2026, 10), date(2026, 10, 31), None, "-5"]
    assert write(list("abcdef"), [row]) == "a,b,c,d,e,f\r\n-5,-12.50,2026-10,2026-10-31,,'-5\r\n"


@given(st.one_of(TEXT, HOSTILE))
def test_the_apostrophe_goes_as_it_came(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert re.match(r"[=+\-@\t\r\n]", guarded(text)) is None


@given(st.lists(st.tuples(st.one_of(TEXT, HOSTILE), st.one_of(TEXT, HOSTILE)), min_size=1, max_size=8))
def test_what_is_written_is_read_again(rows: list[tuple[str, str]]) -> None:
    written = [row for row in rows if any(guarded(cell).strip() for cell in row)]
    if not written:
        return
    raw = write(["name", "country"], rows)
    sheet = read(raw.encode(), required=["name", "country"])
    assert [(line.cells["name"], line.cells["country"]) for line in sheet.lines] == written


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8))
def test_another_reader_reads_the_same_cells(rows: list[tuple[str, str]]) -> None:
    raw = write(["name", "country"], rows)
    found = list(csv.reader(io.StringIO(raw, newline=""), strict=True))
    assert found == [["name", "country"], *([guarded(cell) for cell in row] for row in rows)]
