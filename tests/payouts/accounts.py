"""Statements as a reader sees them, and the firm in another currency."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from firm.db import reading
from firm.documents import papers
from firm.money import Money
from firm.month import Month
from payouts.statements import queries as statements
from staffing.maintainers import queries as maintainers
from tests import lovelace


def morning_after(month: Month, day: int = 1) -> datetime:
    first = month.next.first_day
    return datetime(first.year, first.month, day, 9, 0, tzinfo=UTC)


def figures(name: str, month: Month) -> Mapping[str, Any]:
    with reading() as session:
        return statements.figures(statements.of_month(session, maintainers.find(session, name).id, month))


def sums(name: str, month: Month) -> tuple[str, ...]:
    """Opening, earned, adjusted, paid and closing, as the statement writes them."""
    found = figures(name, month)
    return tuple(found[key]["amount"] for key in ("opening", "earned", "adjusted", "paid", "closing"))


def adjustments(name: str, month: Month) -> list[tuple[str, str]]:
    return [(line["kind"], line["amount"]["amount"]) for line in figures(name, month)["adjustments"]]


def bytes_of_all() -> dict[str, str]:
    """The hash of every statement's page, by number."""
    with reading() as session:
        rows = session.execute(text("SELECT number, figures, sha256 FROM statement")).all()
        pages = {row.number: papers.html(statements.figures(row)) for row in rows}  # type: ignore[arg-type]
    assert all(hashlib.sha256(row.figures.encode()).hexdigest() == row.sha256 for row in rows)
    return {number: hashlib.sha256(page).hexdigest() for number, page in pages.items()}


def set_up_in(money: Callable[[str], Money]) -> None:
    """The worked firm, its books in the currency of `money`."""
    lovelace.establish(currency=money("1.00").currency)
    lovelace.add_clients(money)
    lovelace.set_plan()
    lovelace.staff()
    lovelace.set_terms(money)
    lovelace.set_destinations()
