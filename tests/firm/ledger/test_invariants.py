"""Every check of the books can fail: a breach planted past all guards is found by that check, and by no other."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
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
from firm.ledger.model import DIMENSIONS
from firm.money import Money
from tests import lovelace
from tests.databases import ENGINES, running
from tests.firm import books
from tests.postgres import create_database, drop_database

NEW = 900_001
MUCH = 10**12
PLANTED_AT = "2026-11-05 09:00:00"


@dataclass(frozen=True)
class Sides:
    """Two lines made up to cancel each other, and how they are written down."""

    account: str
    amounts: tuple[object, object]
    dimensions: tuple[dict[str, str], dict[str, str]] = field(default=({}, {}))
    number: int = NEW

    def planted(self, count: int = 2) -> list[str]:
        lines = []
        for position, (amount, whom) in enumerate(zip(self.amounts, self.dimensions, strict=True), 1):
            values = ", ".join(whom.get(name, "''") for name in DIMENSIONS)
            lines += [
                (
                    f"INSERT INTO posting VALUES ({self.number}, {position}, {count}, '{self.account}', 'USD',"
                    f" {amount}, {values})"
                ),
                (
                    "INSERT INTO balance_delta (account, currency, client_id, engagement_id, package_id, maintainer_id,"
                    f" amount_minor) VALUES ('{self.account}', 'USD', {values}, {amount})"
                ),
            ]
        return lines


def head(
    *, number: int = NEW, count: int = 2, month: str = "2026-11", reverses: str = "NULL", at: str = PLANTED_AT
) -> str:
    return (
        "INSERT INTO journal_entry (id, source, month, on_date, narration, line_count, posted_at, posted_by,"
        f" reverses_id) VALUES ({number}, 'plant:{number}', '{month}', '{month}-05', 'Plant', {count}, '{at}',"
        f" 'mallory', {reverses})"
    )


def witness(at: str = PLANTED_AT) -> str:
    return (
        "INSERT INTO audit_record (at, actor, role, verb, subject, facts)"
        f" VALUES ('{at}', 'mallory', 'lead', 'entry.posted', '', '')"
    )


def between(account: str, dimension: str, table: str, amount: int = 1) -> list[str]:
    """An entry that moves an amount from one to another, where nobody may."""
    one = {dimension: f"(SELECT MIN(id) FROM {table})"}
    other = {dimension: f"(SELECT MAX(id) FROM {table})"}
    return [*Sides(account, (amount, -amount), (one, other)).planted(), head(), witness()]


def swapped(table: str, key: str) -> list[str]:
    """Move a cent from one row's amount to another's."""
    changes = []
    for which, change in (("MIN", "+ 1"), ("MAX", "- 1")):
        owner = f"(SELECT {which}({key}) FROM {table})"
        largest = f"(SELECT MAX(amount_minor) FROM {table} WHERE {key} = {owner})"
        changes.append(
            f"UPDATE {table} SET amount_minor = amount_minor {change}"
            f" WHERE {key} = {owner} AND amount_minor = {largest}"
        )
    return changes


def adjusted(name: str, *, amount: int = 5, reverses: str = "NULL") -> str:
    """A correction that no entry books."""
    return (
        "INSERT INTO adjustment (id, number, maintainer_id, kind, month, adjusts_month, amount_minor, funded_minor,"
        f" currency, reason, reverses_id, entry_source, made_at, made_by) SELECT 'adj_{name}', 'ADJ-{name}', MIN(id),"
        f" 'correction', '2026-11', '2026-10', {amount}, 0, 'USD', 'Plant', {reverses}, 'adjustment:{name}',"
        f" '{PLANTED_AT}', 'mallory' FROM maintainer"
    )


SAME = Sides("assets:bank", (5, -5))
SOMEBODY = {"maintainer_id": "(SELECT MIN(id) FROM maintainer)"}
AS_ADJUSTMENT = f"UPDATE journal_entry SET source = 'adjustment:z' WHERE id = {NEW}"
NEXT_STATEMENT = (
    "INSERT INTO statement (id, number, maintainer_id, month, version, currency, opening_minor, earned_minor,"
    " paid_minor, closing_minor, figures, sha256, issued_at) SELECT id || 'x', number || 'x', maintainer_id,"
    " '2026-11', 1, currency, closing_minor + 1, 0, closing_minor + 1, 0, '{}', 'h', issued_at FROM statement"
)
SECOND_RUN = (
    "INSERT INTO payout_run (id, number, currency, state, prepared_by, prepared_at, sole_approval)"
    " VALUES ('run_{0}', 'RUN-{0}', 'USD', 'draft', 'ada', '2026-11-05 09:00:00', false)"
)
SECOND_PAYOUT = (
    "INSERT INTO payout SELECT 'pay_{0}', 'run_{0}', maintainer_id, destination_id, rail, 1, currency, payee_name,"
    " 'planned', NULL, NULL, NULL, NULL FROM payout WHERE state = 'settled'"
)
PLANTS: dict[str, list[str]] = {
    "entries-balance": [
        *Sides("assets:bank", (100, -90)).planted(),
        *Sides("assets:bank", (-100, 90), number=NEW + 1).planted(),
        head(),
        head(number=NEW + 1),
        witness(),
    ],
    "entries-complete": [*SAME.planted(3), head(count=3), witness()],
    "lines-belong": [*Sides("assets:cellar", (5, -5)).planted(), head(), witness()],
    "amounts-whole": [*Sides("assets:bank", (10**15 + 1, -(10**15) - 1)).planted(), head(), witness()],
    "balances-kept": ["INSERT INTO balance (account, currency, amount_minor) VALUES ('assets:bank', 'EUR', 1)"],
    "trial-balance-zero": [*Sides("assets:bank", (100, -90)).planted(), head(), witness()],
    "closed-months-untouched": [*SAME.planted(), head(month="2026-10"), witness()],
    "months-closed-in-order": ["INSERT INTO period (month, state) VALUES ('2026-09', 'open')"],
    "reversals-exact": [
        *SAME.planted(),
        head(),
        *Sides("assets:bank", (-6, 6), number=NEW + 1).planted(),
        head(number=NEW + 1, reverses=str(NEW)),
        witness(),
    ],
    "entries-witnessed": [*SAME.planted(), head()],
    "invoices-sum": [
        (
            "INSERT INTO invoice SELECT 'inv_x', 'X-1', client_id, engagement_id, issued_on, due_on, from_month,"
            " until_month, 100, 100, currency, 'paid', figures, issued_at FROM invoice WHERE number LIKE '%1'"
        ),
        "INSERT INTO receipt VALUES ('rec_x', 'inv_x', 'x', '2026-11-05', 100, 'USD', '2026-11-05 09:00:00')",
    ],
    "receipts-sum": [
        (
            "INSERT INTO receipt SELECT 'rec_x', id, 'x', '2026-11-05', 1, currency, issued_at FROM invoice"
            " WHERE number LIKE '%1'"
        )
    ],
    "recognized-plus-deferred": between("liabilities:deferred-revenue", "engagement_id", "engagement"),
    "receivables-open": between("assets:receivables", "client_id", "client"),
    "invoice-numbers-gapless": ["UPDATE number_series SET last = last + 1 WHERE name LIKE 'INV-%'"],
    "revenue-booked": between("income:retainers", "engagement_id", "engagement"),
    "revenue-allocated": swapped("allocation_share", "engagement_id"),
    "allocation-total": ["UPDATE allocation SET total_minor = total_minor + 1"],
    "funds-stand-against-allocated": [
        *Sides("equity:allocated", (1, 1)).planted(),
        *Sides("assets:bank", (-1, -1), number=NEW + 1).planted(),
        f"UPDATE posting SET entry_id = {NEW}, line = line + 2 WHERE entry_id = {NEW + 1}",
        f"UPDATE posting SET line_count = 4 WHERE entry_id = {NEW}",
        head(count=4),
        witness(),
    ],
    "no-fund-overdrawn": between("equity:funds:packages", "package_id", "package", MUCH),
    "earnings-booked": swapped("earning", "maintainer_id"),
    "fund-use-booked": [
        (
            "UPDATE earning SET funded_minor = funded_minor - 1 WHERE line = (SELECT MIN(line) FROM earning"
            " WHERE funded_minor > 1) AND funded_minor > 1"
        )
    ],
    "payouts-in-transit": between("liabilities:payouts-in-transit", "maintainer_id", "maintainer"),
    "one-live-payout": [
        *(SECOND_RUN.format(name) for name in "xy"),
        "DROP INDEX uq_payout_live",
        *(SECOND_PAYOUT.format(name) for name in "xy"),
    ],
    "payables-never-negative": between("liabilities:payables", "maintainer_id", "maintainer", MUCH),
    "approved-by-another": ["UPDATE payout_run SET approved_by = prepared_by"],
    "sent-has-attempt": ["UPDATE payout_attempt SET state = 'refused'"],
    "settled-booked": ["UPDATE journal_entry SET source = 'other:1' WHERE source LIKE 'payout-settled:%'"],
    "statements-follow-on": [NEXT_STATEMENT],
    "statements-are-the-books": ["UPDATE statement SET closing_minor = closing_minor + 1"],
    "statements-account-for-all": ["UPDATE statement SET adjusted_minor = adjusted_minor + 1"],
    "corrected-statements-refer": [
        (
            "INSERT INTO statement (id, number, maintainer_id, month, version, currency, opening_minor, earned_minor,"
            " paid_minor, closing_minor, figures, sha256, issued_at) SELECT id || 'y', number || 'y', maintainer_id,"
            " month, 2, currency, opening_minor, earned_minor, paid_minor, closing_minor, '{}', 'h', issued_at"
            " FROM statement"
        )
    ],
    "adjustments-booked": [adjusted("x")],
    "adjusting-entries-known": [*SAME.planted(), head(), witness(), AS_ADJUSTMENT],
    "payables-explained": [
        *Sides("liabilities:payables", (5, -5), (SOMEBODY, SOMEBODY)).planted(),
        head(),
        witness(),
    ],
    "advances-outstanding": between("assets:advances", "maintainer_id", "maintainer"),
    "withholding-booked": [*between("liabilities:withheld-tax", "maintainer_id", "maintainer"), AS_ADJUSTMENT],
    "adjustments-reversed-exactly": [adjusted("x"), adjusted("y", amount=-6, reverses="'adj_x'")],
}

FOLLOWS = {
    # Whatever does not balance as a whole does not balance somewhere.
    "trial-balance-zero": {"entries-balance"},
    # What is planted has no record beside it.
    "earnings-booked": {"statements-account-for-all"},
    "payables-never-negative": {"payables-explained"},
    "withholding-booked": {"adjusting-entries-known"},
    "adjustments-reversed-exactly": {"adjustments-booked"},
}


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
