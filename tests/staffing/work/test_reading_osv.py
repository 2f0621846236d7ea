"""Reading advisories that follow the format to its letter, and real ones where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from staffing.work.osv import Advisory, Named, Skipped, parse, read_records


@pytest.mark.parametrize(
    "raw",
    [
        '{"id": "X-1", "aliases": null}',
        '{"id": "X-1", "affected": null, "references": null}',
        '{"id": "X-1", "affected": [{"ecosystem_specific": {"imports": null}}]}',
    ],
)
def test_null_stands_for_an_empty_list(raw: str) -> None:
    found = parse("x.json", raw.encode())
    assert isinstance(found, Advisory)
    assert (found.aliases, found.packages, found.url) == ((), frozenset(), None)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_json_has_no_word_for_is_skipped(number: str) -> None:
    found = parse("x.json", f'{{"id": "X-1", "n": {number}}}'.encode())
    assert found == Skipped("x.json", f"it is not valid JSON: {number} is no number")


@pytest.mark.parametrize("moment", ["5", "-62135596800", "true", "[]"])
def test_a_moment_that_is_no_text_is_not_guessed_at(moment: str) -> None:
    found = parse("x.json", f'{{"id": "X-1", "published": {moment}}}'.encode())
    assert isinstance(found, Skipped)
    assert "published: Value error, a moment is written as text" in found.reason


def test_names_hold_nothing_that_no_database_takes() -> None:
    found = parse("x.json", rb'{"id": "X-1", "aliases": ["a\ud800"], "affected": [{"package": {"name": "b\u0000"}}]}')
    assert isinstance(found, Advisory)
    assert (found.aliases, found.packages) == (("a",), frozenset({Named("", "b")}))


@pytest.mark.skipif("CHAMBERS_REAL_DATA" not in os.environ, reason="needs the folder of real records")
def test_the_real_records_of_a_package_are_all_read() -> None:
    found = list(read_records(Path(os.environ["CHAMBERS_REAL_DATA"]) / "osv"))
    read = [one for one in found if isinstance(one, Advisory)]
    assert (len(found), len(read)) == (25, 25)
    assert sum(one.published_at is None for one in read) == 19
    # The one left names only crypto/dsa of the standard library, through which ssh was attacked.
    assert [one.id for one in read if not one.concerns("golang.org/x/crypto/ssh", "Go")] == ["GO-2022-0213"]
