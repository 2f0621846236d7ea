"""Closing October dies at every moment and is run again: the books end as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from payouts import month_end
from tests import lovelace
from tests.lovelace import AFTER, LEAD, OCTOBER
from tests.payouts.interruptions import Killed, dying_at, losing_the_connection_at, whole_database

Opens = Callable[[str], AbstractContextManager[Flask]]
PROGRESS = ("invoices", "recognition", "allocation", "earnings", "deductions", "close", "statements")


def close() -> month_end.Closing:
    return month_end.close(OCTOBER, by=LEAD, now=AFTER)


@dataclass(frozen=True)
class Outcome:
    """What there is in the end: every row, and the closing as it was returned."""

    rows: dict[str, list[str]]
    closing: month_end.Closing


def undisturbed(opens: Opens) -> tuple[Outcome, int]:
    """What every interrupted close must come to, row by row, and how many moments it takes. In it the books hold."""
    with opens("ready"):
        with dying_at(0) as moments:
            closing = close()
        lovelace.assert_books_hold()
        return Outcome(whole_database(), closing), moments.count


def closed_again(opens: Opens, moment: int) -> Outcome:
    """Die at a moment of the close; then close again."""
    with opens("ready"):
        with pytest.raises(Killed), dying_at(moment):
            close()
        closing = close()
        return Outcome(whole_database(), closing)


def test_a_close_that_dies_at_every_fourth_statement_is_finished_by_running_it_again(sqlite_at: Opens) -> None:
    expected, moments = undisturbed(sqlite_at)
    for moment in range(1, moments + 1, 4):
        assert closed_again(sqlite_at, moment) == expected, f"after dying at moment {moment}"


@pytest.mark.slow
def test_a_close_that_dies_at_any_other_statement_is_finished_by_running_it_again(sqlite_at: Opens) -> None:
    expected, moments = undisturbed(sqlite_at)
    for moment in sorted({*range(1, moments + 1)} - {*range(1, moments + 1, 4)}):
        assert closed_again(sqlite_at, moment) == expected, f"after dying at moment {moment}"


@pytest.mark.slow
def test_on_postgresql_a_close_that_dies_is_finished_by_running_it_again(postgresql_at: Opens) -> None:
    expected, moments = undisturbed(postgresql_at)
    for moment in range(3, moments + 1, 11):
        assert closed_again(postgresql_at, moment) == expected, f"after dying at moment {moment}"


@pytest.mark.slow
def test_a_close_that_loses_its_connection_is_finished_by_running_it_again(postgresql_at: Opens) -> None:
    expected, moments = undisturbed(postgresql_at)
    for moment in range(moments // 6, moments, moments // 6):
        with postgresql_at("ready"):
            with pytest.raises(DBAPIError), losing_the_connection_at(moment):
                close()
            closing = close()
            assert Outcome(whole_database(), closing) == expected, f"after losing it at moment {moment}"


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_close_that_dies_between_two_steps_goes_on_with_the_next(engine: str, request: pytest.FixtureRequest) -> None:
    opens: Opens = request.getfixturevalue(f"{engine}_at")
    expected, _ = undisturbed(opens)

    def die_after(step: str) -> Callable[[str], None]:
        def progress(done: str) -> None:
            if done == step:
                raise Killed

        return progress

    for step in PROGRESS:
        with opens("ready"):
            with pytest.raises(Killed):
                month_end.close(OCTOBER, by=LEAD, now=AFTER, progress=die_after(step))
            closing = close()
            assert Outcome(whole_database(), closing) == expected, f"after dying behind {step}"


def test_a_close_reports_its_steps_as_they_are_tried_here(sqlite_at: Opens) -> None:
    reported: list[str] = []
    with sqlite_at("ready"):
        month_end.close(OCTOBER, by=LEAD, now=AFTER, progress=reported.append)
    assert reported == list(PROGRESS)


def test_a_close_that_dies_again_and_again_still_gets_there(sqlite_at: Opens) -> None:
    """However often it dies, each run again keeps at least the steps that were committed."""
    expected, _ = undisturbed(sqlite_at)
    with sqlite_at("ready"):
        for _ in range(30):
            try:
                with dying_at(45):
                    close()
            except Killed:
                continue
            break
        closing = close()
        assert Outcome(whole_database(), closing) == expected
        lovelace.assert_books_hold()
