"""Numbers of papers: without gap, per series and year."""

from __future__ import annotations

import pytest
from flask import Flask

from firm.db import transaction
from firm.numbering.operations import take


def taken(kind: str, year: int, count: int = 1) -> list[str]:
    with transaction() as session:
        return take(session, kind, year, count)


def test_numbers_follow_one_another(app: Flask) -> None:
    assert taken("INV", 2026) == ["INV-2026-0001"]
    assert taken("INV", 2026, 3) == ["INV-2026-0002", "INV-2026-0003", "INV-2026-0004"]
    assert taken("INV", 2026) == ["INV-2026-0005"]


def test_each_series_and_year_has_its_own_numbers(app: Flask) -> None:
    assert taken("INV", 2026) == ["INV-2026-0001"]
    assert taken("RUN", 2026) == ["RUN-2026-0001"]
    assert taken("INV", 2027) == ["INV-2027-0001"]


def test_a_number_that_was_not_used_is_given_back(app: Flask) -> None:
    def take_and_fail() -> None:
        with transaction() as session:
            take(session, "INV", 2026, 5)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        take_and_fail()
    assert taken("INV", 2026) == ["INV-2026-0001"]


def test_the_ten_thousandth_paper_has_a_number_too(app: Flask) -> None:
    assert taken("INV", 2026, 10_000)[-1] == "INV-2026-10000"
    assert taken("INV", 2026) == ["INV-2026-10001"]
