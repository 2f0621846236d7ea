"""Which records are about one vulnerability."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffing.work.osv import Advisory
from staffing.work.rules import compare, gather


def record(id: str, *aliases: str, day: int | None = 8, withdrawn: bool = False) -> Advisory:
    published = datetime(2026, 10, day, tzinfo=UTC) if day else None
    gone = datetime(2026, 10, 20, tzinfo=UTC) if withdrawn else None
    return Advisory(id, aliases, f"About {id}", published, None, gone, frozenset(), None)


@pytest.mark.parametrize(
    ("records", "told_by"),
    [
        ([record("GO-1"), record("GO-2")], ["GO-1", "GO-2"]),
        ([record("GO-1", "CVE-1"), record("GHSA-1", "CVE-1", "GO-1")], ["GO-1"]),
        ([record("GO-1", "CVE-1"), record("GHSA-1", "CVE-1")], ["GO-1"]),
        ([record("GO-1"), record("GHSA-1", "GO-1")], ["GO-1"]),
        ([record("GO-1", day=9), record("GHSA-1", "GO-1", day=8)], ["GHSA-1"]),
        ([record("GO-1", day=None), record("GHSA-1", "GO-1", day=9)], ["GHSA-1"]),
        ([record("GO-1", "a"), record("GO-2", "b"), record("GHSA-1", "a", "b")], ["GO-1"]),
        ([record("GO-1"), record("GO-1")], ["GO-1"]),
    ],
)
def test_records_that_share_a_name_are_about_one_vulnerability(records: list[Advisory], told_by: list[str]) -> None:
    assert [one.told_by.id for one in gather(records)] == told_by


@given(st.permutations([record(f"X-{n}", f"X-{n + 1}", day=n + 1) for n in range(9)]))
def test_the_order_of_the_records_changes_nothing(records: list[Advisory]) -> None:
    [one] = gather(records)
    assert (one.told_by.id, len(one.names)) == ("X-0", 10)


def test_a_withdrawn_record_joins_no_others_by_its_aliases() -> None:
    records = [record("GO-1"), record("GO-2"), record("GHSA-1", "GO-1", "GO-2", withdrawn=True)]
    assert [one.id for one in compare(records, {}).new] == ["GO-1", "GO-2"]
