"""Two people adjust at the same moment: what is decided from the books stays true."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from firm.db import reading
from firm.errors import Refused
from firm.profile.changes import change_firm
from payouts.adjustments import operations, queries
from payouts.adjustments.operations import Draft
from payouts.statements import operations as issuing
from payouts.statements import queries as statements
from tests import lovelace
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD, OCTOBER, usd

AT_ONCE = 6


def together(app: Flask, act: Callable[[int], object]) -> list[str]:
    """Do it so many times at one moment; the names of what each came to."""
    barrier = threading.Barrier(AT_ONCE)

    def one(number: int) -> str:
        with app.app_context():
            barrier.wait()
            try:
                act(number)
            except Refused as error:
                return type(error).__name__
            return "done"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sorted(pool.map(one, range(AT_ONCE)))


def test_the_limit_holds_whoever_comes_first(closed_october: Flask) -> None:
    change_firm(adjustment_limit=usd("100.00"), by=LEAD, now=AFTER)
    draft = Draft("Grace", "correction", usd("40.00"), "Counted twice", adjusts=OCTOBER)
    outcomes = together(closed_october, lambda number: operations.make(draft, by=ADMINISTRATOR, now=AFTER))
    assert outcomes == ["LeadDecides"] * 4 + ["done"] * 2
    lovelace.assert_books_hold()


def test_an_adjustment_is_reversed_once(closed_october: Flask) -> None:
    made = operations.make(Draft("Grace", "advance", usd("40.00"), "A screen"), by=LEAD, now=AFTER)
    outcomes = together(closed_october, lambda number: operations.reverse(made.number, reason="No", by=LEAD, now=AFTER))
    assert outcomes.count("done") == 1
    with reading() as session:
        assert queries.outstanding(session, "USD") == {}
    lovelace.assert_books_hold()


def test_corrected_statements_follow_one_another(closed_october: Flask) -> None:
    def correct(number: int) -> object:
        words = {1: f"The guarantee, said in the {number + 1}. way"}
        return issuing.correct("ST-2026-0001", reason="In words", explanations=words, by=LEAD, now=AFTER)

    assert together(closed_october, correct) == ["done"] * AT_ONCE
    with reading() as session:
        first = statements.find(session, "ST-2026-0001")
        versions = [row.version for row in statements.versions(session, first.maintainer_id, OCTOBER)]
    assert versions == list(range(1, AT_ONCE + 2))
    lovelace.assert_books_hold()
