"""Every check of the books can fail: a breach planted past all guards is found by that check, and by no other."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from api.verification import INVARIANTS, findings
from firm.db import transaction
from firm.ledger import accounts, balances, journal
from firm.ledger.entry import Entry, Line
from firm.money import Money
from tests import lovelace
from tests.databases import ENGINES, running
from tests.firm import books
from tests.firm.ledger.planting import Sides, head, witness
from tests.firm.ledger.plants import FOLLOWS, MORE, PLANTS
from tests.postgres import create_database, drop_database


@pytest.fixture(scope="module", params=ENGINES)
def paid_month(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A raw connection to a paid month, beside all foreign keys and CHECKs."""
    if request.param == "sqlite":
        copy = shutil.copy(request.getfixturevalue("paid_file"), tmp_path_factory.mktemp("planted") / "paid.db")
        with books.bare_sqlite(copy) as connection:
            connection.execute("PRAGMA ignore_check_constraints=ON")
            yield connection
        return
    server, name = request.getfixturevalue("postgres_server"), f"t_{uuid.uuid4().hex[:12]}"
    url = create_database(server, name, template=request.getfixturevalue("paid_template"))
    with books.bare_postgresql(url) as connection:
        yield connection
    drop_database(server, name)


@pytest.fixture
def unguarded(paid_month: Any) -> Iterator[Any]:
    """The same with every guard out of the way, until the test ends."""
    paid_month.execute("BEGIN")
    if isinstance(paid_month, psycopg.Connection):
        _unguard_postgresql(paid_month)
    else:
        for (name,) in paid_month.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            paid_month.execute(f"DROP TRIGGER {name}")
    yield paid_month
    paid_month.execute("ROLLBACK")


def _unguard_postgresql(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SET LOCAL session_replication_role = replica")
    checks = connection.execute(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint"
        " WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
    )
    for table, name in checks.fetchall():
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")


def broken(connection: Any) -> set[str]:
    return {invariant.name for invariant in INVARIANTS if connection.execute(invariant.query).fetchall()}


def test_every_invariant_has_been_seen_to_fail() -> None:
    assert {invariant.name for invariant in INVARIANTS} == set(PLANTS)


def test_invariants_are_named_once_and_say_what_must_hold() -> None:
    names = [invariant.name for invariant in INVARIANTS]
    assert len(set(names)) == len(names)
    assert [invariant.name for invariant in INVARIANTS if not invariant.sentence.endswith(".")] == []


def test_a_paid_month_breaks_nothing(unguarded: Any) -> None:
    assert broken(unguarded) == set()


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_breach_is_named(unguarded: Any, name: str) -> None:
    for statement in PLANTS[name]:
        unguarded.execute(statement)
    assert broken(unguarded) == {name} | FOLLOWS.get(name, set())


@pytest.mark.parametrize(("name", "statements"), MORE)
def test_another_way_to_break_it_is_found_too(unguarded: Any, name: str, statements: list[str]) -> None:
    for statement in statements:
        unguarded.execute(statement)
    assert broken(unguarded) == {name}


def test_half_a_cent_is_found(unguarded: Any) -> None:
    if isinstance(unguarded, psycopg.Connection):
        return  # PostgreSQL's column cannot hold it.
    for statement in (*Sides("assets:bank", (0.5, -0.5)).planted(), head(), witness()):
        unguarded.execute(statement)
    assert broken(unguarded) == {"amounts-whole"}


def test_a_finding_shows_what_breaks_it(paid_url: str) -> None:
    with books.bare(paid_url) as connection:
        connection.execute(PLANTS["balances-kept"][0])
    for _ in running(paid_url):
        [finding] = [found for found in findings(now=lovelace.BEFORE) if found.invariant.name == "balances-kept"]
    assert not finding.holds
    assert finding.invariant.sentence == "Every kept balance equals the sum of its postings."
    [breach] = finding.breaches
    assert (breach["account"], breach["currency"], breach["kept"], breach["posted"]) == ("assets:bank", "EUR", 1, 0)


# --- Whatever is posted, the books hold ---

amounts = st.integers(-(10**14), 10**14).filter(bool)
free_accounts = st.sampled_from([accounts.BANK, accounts.EXCHANGE, accounts.OVERHEAD_FUND, accounts.RETAINERS])
names = st.sampled_from(["", "a", "b"])


@st.composite
def balanced(draw: Any) -> tuple[Line, ...]:
    """Lines of one or two currencies that sum to zero in each."""
    lines: list[Line] = []
    for currency in draw(st.sampled_from([["USD"], ["EUR"], ["USD", "EUR"]])):
        drawn = draw(st.lists(amounts, min_size=1, max_size=4))
        rest = -sum(drawn)
        parts = [*drawn, rest] if rest else [*drawn, 1, -1]
        lines += [Line(draw(free_accounts), Money(part, currency), draw(names), draw(names)) for part in parts]
    return tuple(draw(st.permutations(lines)))


steps = st.lists(st.tuples(balanced(), st.sampled_from(["post", "batch", "reverse", "fold"])), min_size=1, max_size=6)


@settings(max_examples=25)
@given(steps=steps)
def test_whatever_balanced_entries_are_posted_the_books_hold(ledger: Flask, steps: Any) -> None:
    with transaction() as session:
        known = session.scalar(text("SELECT COUNT(*) FROM journal_entry")) or 0
    for turn, (lines, way) in enumerate(steps):
        entries = [Entry(f"any:{known}:{turn}:{part}", date(2026, 10, 1 + turn), "Any", lines) for part in range(2)]
        with transaction() as session:
            if way == "batch":
                journal.post_many(session, entries, by=books.CLERK, now=books.NOW)
            else:
                number = journal.post(session, entries[0], by=books.CLERK, now=books.NOW)
            if way == "reverse":
                on = date(2026, 11, 1)
                journal.reverse(session, number, on=on, reason="any", by=books.CLERK, now=books.NOW)
            if way == "fold":
                balances.fold(session)
    assert books.breaches() == {}
