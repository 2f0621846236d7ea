"""Reading CSV files from outside: one meaning or a sentence."""

from __future__ import annotations

import contextlib
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firm.csvfile.reading import MOST_BYTES, MOST_CHARACTERS, MOST_LINES, Line, Sheet, UnreadableFile, read

COLUMNS = ("name", "country")


def lines(raw: bytes | str) -> list[tuple[int, dict[str, str]]]:
    found = read(raw.encode() if isinstance(raw, str) else raw, required=COLUMNS, optional=["address"]).lines
    assert not any(line.faults for line in found)
    return [(line.number, dict(line.cells)) for line in found]


def refused(raw: bytes | str, words: str) -> None:
    with pytest.raises(UnreadableFile, match=words) as caught:
        lines(raw)
    assert caught.value.message.endswith(".")
    assert len(caught.value.message) < 400


ACME = [(2, {"name": "Acme", "country": "US"})]


@pytest.mark.parametrize(
    "raw",
    [
        b"name,country\nAcme,US\n",
        b"name,country\r\nAcme,US\r\n",
        b"name,country\rAcme,US\r",
        b"name,country\nAcme,US",
        b"name;country\nAcme;US\n",
        b"name\tcountry\nAcme\tUS\n",
        b'"name","country"\n"Acme","US"\n',
        b"\xef\xbb\xbfname,country\nAcme,US\n",
        b" name , country \nAcme,US\n",
        b"name,country\nAcme,US\n\n,\n  ,\n",
    ],
)
def test_one_file_in_each_of_its_forms(raw: bytes) -> None:
    assert lines(raw) == ACME


def test_columns_come_in_any_order_and_optional_ones_may_be_left_out() -> None:
    assert lines("country,address,name\nUS,Main Street,Acme\n") == [
        (2, {"country": "US", "address": "Main Street", "name": "Acme"})
    ]


def test_line_numbers_are_those_of_the_file() -> None:
    raw = 'name,country\n"A\nB\r\nC",US\n\nGlobex,DE\n"D\rE",FR\nInitech,GB\n'
    assert [number for number, _ in lines(raw)] == [2, 6, 7, 9]


def test_quotes_hold_separators_breaks_and_quotes() -> None:
    assert lines('name;country\n"A;B ""C""\nD";US\n') == [(2, {"name": 'A;B "C"\nD', "country": "US"})]


def test_a_guarded_formula_is_the_text_it_was() -> None:
    assert lines("name,country\n'=1+1,US\n")[0][1]["name"] == "=1+1"
    assert lines("name,country\n'tis,US\n")[0][1]["name"] == "'tis"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "first line is blank"),
        (b"\n\n", "first line is blank"),
        (b"\xef\xbb\xbf", "first line is blank"),
        (b"name,country\n", "no line below"),
        (b"name,country\n,\n", "no line below"),
        ("name,country\nAcme,US\n".encode("utf-16"), "UTF-16"),
        ("name,country\nAcme,US\n".encode("utf-16-le"), "Line 1 holds a NUL"),
        ("name,country\nAcme,US\n".encode("utf-16-be"), "Line 1 holds a NUL"),
        ("name,country\nAcme,US\n".encode("utf-32"), "UTF-16 or UTF-32"),
        ("name,country\nAcme,US\nMüller,DE\n".encode("latin-1"), "Line 3 is not in UTF-8.*CSV UTF-8"),
        (b"name,country\nAc\x00me,US\n", "Line 2 holds a NUL"),
        (b"name,country\n\xed\xa0\x80,US\n", "Line 2 is not in UTF-8"),
        (b"name,country,name\nAcme,US,Acme\n", "names name twice"),
        (b"name,country,phone\nAcme,US,1\n", "'phone', which is no column"),
        (b"Name,country\nAcme,US\n", "'Name', which is no column"),
        (b"name,,country\nAcme,,US\n", "Column 2 of the header has no name"),
        (b"name,country,\nAcme,US,\n", "Column 3 of the header has no name"),
        (b"name\nAcme\n", "lacks country"),
        (b"name|country\nAcme|US\n", "no column here"),
        (b"sep=;\nname;country\nAcme;US\n", "begins with `sep=`"),
        (b'name,country\n"Acme,US\n', "opens in line 2 is never closed"),
        (b'name,country\nAcme,US\n\n"Globex\n,US\n', "opens in line 4 is never closed"),
        (b'name,country\nAc"me,US\n', "line 2 has a quote"),
        (b'name,country\n"Ac"me,US\n', "goes on behind its closing quote"),
        (b"name,country\n" + b"Acme,US\n" * (MOST_LINES + 1), "more than 50,000 lines"),
        (b"name,country\n" + b"\n" * (MOST_LINES + 1), "more than 50,000 lines"),
        (b"name,country\n" + b"," * 201, "more than 200 cells"),
        (b"x" * (MOST_BYTES + 1), "larger than 10 MB"),
        (b"x" * 100_000, "no column here"),
    ],
)
def test_what_has_no_one_meaning_is_refused_in_a_sentence(raw: bytes, words: str) -> None:
    refused(raw, words)


def test_as_many_lines_as_the_limit_are_read() -> None:
    assert len(lines(b"name,country\n" + b"Acme,US\n" * MOST_LINES)) == MOST_LINES


def faults(raw: str) -> list[Line]:
    return [line for line in read(raw.encode(), required=COLUMNS).lines if line.faults]


def test_a_line_of_another_length_is_named_and_the_others_are_read() -> None:
    [short, long] = faults('name,country\nAcme\n"A\nB",US\nGlobex,US,1\nInitech,US\n')
    assert (short.number, long.number) == (2, 5)
    assert "1 cells" in short.faults[""]
    assert "3 cells" in long.faults[""]
    assert (short.cells, long.cells) == ({}, {})


def test_a_cell_beyond_the_limit_is_named_by_its_column() -> None:
    assert faults(f"name,country\n{'x' * MOST_CHARACTERS},US\n") == []
    [line] = faults(f"name,country\n{'x' * (MOST_CHARACTERS + 1)},US\n")
    assert "longer than 10,000 characters" in line.faults["name"]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ('"=HYPERLINK(""https://x.example"")"', "looks like a formula"),
        (" =1+1", "looks like a formula"),
        ("＝1", "looks like a formula"),
        ("+SUM(A1)", "looks like a formula"),
        ("@SUM(A1)", "looks like a formula"),
        ("#REF!", "formula failed"),
    ],
)
def test_a_formula_is_refused_unless_an_apostrophe_says_that_it_is_text(cell: str, words: str) -> None:
    [line] = faults(f"name,country\n{cell},US\n")
    assert words in line.faults["name"]
    bare = cell.strip('"').replace('""', '"')
    if words != "formula failed":
        assert lines(f"name,country\n'{cell},US\n" if cell[0] != '"' else f"name,country\n\"'{cell[1:]},US\n") == [
            (2, {"name": bare, "country": "US"})
        ]


@pytest.mark.parametrize("name", ["@babel/core", "O'Neill", "-", "C++ (gcc)", "1+1", "-5.00", "Ünïcode 🦆 Ltd"])
def test_names_that_only_look_odd_are_names(name: str) -> None:
    assert lines(f"name,country\n{name},US\n") == [(2, {"name": name, "country": "US"})]


@pytest.mark.parametrize(
    "body",
    [
        '"' + "x" * 9_000_000,
        '"' + '""' * 4_000_000,
        '"a"' * 2_000_000,
        "," * 9_000_000,
        "\n" * 9_000_000,
        " " * 9_000_000,
    ],
    ids=["open", "doubled", "behind", "cells", "lines", "blanks"],
)
def test_no_file_takes_long(body: str) -> None:
    raw = b"name,country\n" + body.encode()
    started = time.perf_counter()
    with contextlib.suppress(UnreadableFile):
        read(raw, required=COLUMNS)
    assert time.perf_counter() - started < 5


SEPARATING = [b",", b";", b"\t", b'"', b'""', b"\n", b"\r", b"\r\n", b"'", b"=", b" "]
TELLING = [b"name", b"country", b"address", b"US", b"\xef\xbb\xbf", "ä".encode(), "\u2028".encode()]
BREAKING = [b"\x00", b"\xff", b"\xff\xfe", b"\xed\xa0\x80", b"\x1a"]
PIECES = st.sampled_from([*SEPARATING, *TELLING, *BREAKING])


def sheet_or_sentence(raw: bytes) -> Sheet | str:
    try:
        return read(raw, required=COLUMNS, optional=["address"])
    except UnreadableFile as error:
        return error.message


@given(st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=60).map(b"".join)), st.booleans())
@example(b'"', True)
@example(b"\xef\xbb\xbf\x00\x80", False)
def test_whatever_comes_is_read_or_refused_and_nothing_else(noise: bytes, below_a_header: bool) -> None:
    raw = b"name,country\n" + noise if below_a_header else noise
    found = sheet_or_sentence(raw)
    if isinstance(found, str):
        assert found.endswith(".")
        return
    assert set(COLUMNS) <= set(found.columns)
    numbers = [line.number for line in found.lines]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] <= 1 + len(re.findall(rb"\r\n|\r|\n", raw))
    assert all("" in line.faults or set(line.cells) == set(found.columns) for line in found.lines)
