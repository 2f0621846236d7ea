"""Raw SQL against the books: whatever the product would not do, the database refuses.

Each attack runs on a worked and paid month, on PostgreSQL as the tables' owner, on SQLite under our pragmas and
also without them, as any other program would connect. Afterwards every row is what it was.
"""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.firm import books
from tests.firm.books import DATABASE_ERRORS
from tests.postgres import create_database, drop_database

NEW = 900_001
"""The number of an entry that attackers make up."""

CONNECTIONS = ("postgresql", "sqlite", "bare sqlite")


@dataclass(frozen=True)
class Target:
    """Where an attack goes: a database with the paid month, through one kind of connection."""

    url: str
    kind: str

    @contextmanager
    def connection(self) -> Iterator[Any]:
        if self.kind == "postgresql":
            opened = books.bare_postgresql(self.url)
        else:
            opened = books.bare_sqlite(self.url, ours=self.kind == "sqlite")
        with opened as connection:
            yield connection

    def attack(self, *statements: str, end: str = "COMMIT") -> None:
        """Run the statements as one transaction. Raises what the database says; undone then."""
        with self.connection() as connection:
            connection.execute("BEGIN")
            try:
                for statement in statements:
                    connection.execute(statement)
                connection.execute(end)
            except DATABASE_ERRORS:
                connection.execute("ROLLBACK")
                raise

    def rehearse(self, *statements: str) -> None:
        """The same, undone in any case."""
        self.attack(*statements, end="ROLLBACK")


def _target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    if request.param != "postgresql":
        copy = shutil.copy(request.getfixturevalue("paid_file"), tmp_path_factory.mktemp("attacked") / "paid.db")
        yield Target(f"sqlite:///{copy}", request.param)
        return
    server, name = request.getfixturevalue("postgres_server"), f"t_{uuid.uuid4().hex[:12]}"
    template = request.getfixturevalue("paid_template")
    yield Target(create_database(server, name, template=template), request.param)
    drop_database(server, name)


# One database serves all attacks of a kind: each leaves it as it was, or its test fails.


@pytest.fixture(scope="module", params=CONNECTIONS)
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    yield from _target(request, tmp_path_factory)


@pytest.fixture(scope="module", params=CONNECTIONS[:2])
def guarded_target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Without SQLite's own freedom to switch foreign keys off."""
    yield from _target(request, tmp_path_factory)


@pytest.fixture(scope="module", params=CONNECTIONS[1:])
def sqlite_target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    yield from _target(request, tmp_path_factory)


@pytest.fixture(scope="module", params=CONNECTIONS[1:2])
def recursive_target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """SQLite under our pragmas only."""
    yield from _target(request, tmp_path_factory)


@pytest.fixture(scope="module", params=CONNECTIONS[:1])
def postgresql_target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    yield from _target(request, tmp_path_factory)


def line(position: int, count: int, amount: object, *, account: str = "assets:bank", currency: str = "USD") -> str:
    return (
        "INSERT INTO posting (entry_id, line, line_count, account, currency, amount_minor)"
        f" VALUES ({NEW}, {position}, {count}, '{account}', '{currency}', {amount})"
    )


def head(
    count: int = 2,
    *,
    month: str = "2026-11",
    on: str = "2026-11-05",
    source: str = "attack:1",
    reverses: str = "NULL",
    adjusts: str = "NULL",
) -> str:
    return (
        "INSERT INTO journal_entry (id, source, month, on_date, narration, line_count, posted_at, posted_by,"
        f" reverses_id, adjusts_month) VALUES ({NEW}, '{source}', '{month}', '{on}', 'Attack', {count},"
        f" '2026-11-05 09:00:00', 'mallory', {reverses}, {adjusts})"
    )


GOOD_LINES = (line(1, 2, 100), line(2, 2, -100, account="equity:exchange"))
COUNTED = "(SELECT line_count FROM journal_entry WHERE id = 1)"
REVERSAL = (
    (
        f"INSERT INTO posting SELECT {NEW}, line, line_count, account, currency, -amount_minor, client_id,"
        " engagement_id, package_id, maintainer_id FROM posting WHERE entry_id = 1"
    ),
    head(reverses="1", source="attack:0").replace(
        "'Attack', 2", "'Attack', (SELECT line_count FROM journal_entry WHERE id = 1)"
    ),
)


def on_sealed(statement: str) -> str:
    """The statement against the first entry of the books, as if it had been made up with it."""
    return statement.replace(str(NEW), "1")


def again(statement: str) -> str:
    return statement.replace(str(NEW), str(NEW + 1)).replace("attack:0", "attack:00")


ATTACKS: dict[str, tuple[str, ...]] = {
    # who may approve
    "let an auditor approve": (
        "UPDATE principal SET role = 'auditor' WHERE id = 'pri_1'",
        "UPDATE principal SET may_approve = TRUE WHERE id = 'pri_1'",
    ),
    "enroll a client who may approve": (
        (
            "INSERT INTO principal (id, name, kind, role, subject_id, may_approve, created_at, created_by)"
            " VALUES ('pri_9', 'x', 'person', 'client', 'cli_1', TRUE, '2026-11-01 09:00:00', 'lead')"
        ),
    ),
    # lines of a posted entry
    "change an amount": ("UPDATE posting SET amount_minor = amount_minor + 1 WHERE entry_id = 1",),
    "change both amounts alike": ("UPDATE posting SET amount_minor = amount_minor * 2 WHERE entry_id = 1",),
    "change whom a line concerns": ("UPDATE posting SET client_id = 'cli_other' WHERE entry_id = 1",),
    "delete an entry's lines": ("DELETE FROM posting WHERE entry_id = 1",),
    "delete one line": ("DELETE FROM posting WHERE entry_id = 1 AND line = 1",),
    "move a line to another entry": ("UPDATE posting SET entry_id = 2, line = 99 WHERE entry_id = 1 AND line = 1",),
    "move a line out to nowhere": (f"UPDATE posting SET entry_id = {NEW} WHERE entry_id = 1",),
    "renumber a line": ("UPDATE posting SET line = line + 10 WHERE entry_id = 1",),
    "add a balanced pair": (
        on_sealed(line(3, 4, 5)),
        on_sealed(line(4, 4, -5)),
    ),
    "add a balanced pair under the sealed count": (
        (
            "INSERT INTO posting SELECT entry_id, line + 100, line_count, account, currency, amount_minor, client_id,"
            " engagement_id, package_id, maintainer_id FROM posting WHERE entry_id = 1"
        ),
    ),
    "add a pair and count it": (
        on_sealed(line(3, 4, 5)),
        on_sealed(line(4, 4, -5)),
        "UPDATE journal_entry SET line_count = 4 WHERE id = 1",
    ),
    "add a line between the lines": (on_sealed(line(1, 2, 5)).replace("1, 1, 2", "1, 1.5, 2"),),
    "write a line twice": ("INSERT INTO posting SELECT * FROM posting WHERE entry_id = 1",),
    # posted entries
    "reword an entry": ("UPDATE journal_entry SET narration = 'Something else' WHERE id = 1",),
    "change an entry's cause": ("UPDATE journal_entry SET source = 'other:1' WHERE id = 1",),
    "change who posted": ("UPDATE journal_entry SET posted_by = 'nobody' WHERE id = 1",),
    "renumber an entry": (f"UPDATE journal_entry SET id = {NEW} WHERE id = 1",),
    "delete an entry": ("DELETE FROM journal_entry WHERE id = 1",),
    "delete an entry with its lines": (
        "DELETE FROM posting WHERE entry_id = 1",
        "DELETE FROM journal_entry WHERE id = 1",
    ),
    "redate an entry into a closed month": (
        "UPDATE journal_entry SET month = '2026-10', on_date = '2026-10-31' WHERE month = '2026-11'",
    ),
    "redate an entry out of a closed month": (
        "UPDATE journal_entry SET month = '2026-11', on_date = '2026-11-01' WHERE month = '2026-10'",
    ),
    "claim afterwards that an entry reverses another": ("UPDATE journal_entry SET reverses_id = 1 WHERE id = 2",),
    # entries made up
    "post an entry without lines": (head(),),
    "post an entry and add its lines later": (head(), *GOOD_LINES),
    "post an entry of one line": (line(1, 1, 5), head(1)),
    "post an entry that counts no lines": (head(0),),
    "post fewer lines than counted": (line(1, 3, 5), line(2, 3, -5), head(3)),
    "post what does not balance": (line(1, 2, 5), line(2, 2, -4), head()),
    "post what balances across currencies only": (line(1, 2, 5), line(2, 2, -5, currency="EUR"), head()),
    "post lines of zero": (line(1, 2, 0), line(2, 2, 0), head()),
    "post text for an amount": (line(1, 2, "'12abc'"), line(2, 2, -12), head()),
    "post more than the limit": (line(1, 2, 10**15 + 1), line(2, 2, -(10**15) - 1), head()),
    "post the largest integers": (line(1, 2, 2**63 - 1), line(2, 2, -(2**63) + 1), head()),
    "post what overflows a sum": (
        *(line(n, 4, 2**63 - 1) for n in (1, 2)),
        *(line(n, 4, -(2**62)) for n in (3, 4)),
        head(4),
    ),
    "post infinity": (line(1, 2, "9e999"), line(2, 2, "-9e999"), head()),
    "post nothing for an amount": (line(1, 2, "NULL"), line(2, 2, "NULL"), head()),
    "post into a closed month": (*GOOD_LINES, head(month="2026-10", on="2026-10-31")),
    "post for an open month on a day of a closed one": (*GOOD_LINES, head(on="2026-10-31")),
    "post into a month that nobody opened": (*GOOD_LINES, head(month="2031-01", on="2031-01-01")),
    "book a cause twice": (*GOOD_LINES, head(source="allocation:2026-10")),
    "adjust a later month": (*GOOD_LINES, head(adjusts="'2026-12'")),
    "call something else a reversal": (*GOOD_LINES, head(reverses="1")),
    "reverse more than was posted": (
        REVERSAL[0].replace("line_count", "line_count + 2", 1),
        (
            f"INSERT INTO posting SELECT {NEW}, line_count - 1, line_count, 'assets:bank', 'USD', 7, '', '', '', ''"
            f" FROM posting WHERE entry_id = {NEW} AND line = 1"
        ),
        (
            f"INSERT INTO posting SELECT {NEW}, line_count, line_count, 'assets:bank', 'USD', -7, '', '', '', ''"
            f" FROM posting WHERE entry_id = {NEW} AND line = 1"
        ),
        REVERSAL[1].replace(COUNTED, f"{COUNTED} + 2"),
    ),
    "reverse twice": (*REVERSAL, again(REVERSAL[0]), again(REVERSAL[1])),
    # months
    "reopen a closed month": (
        "UPDATE period SET state = 'open', closed_at = NULL, closed_by = NULL WHERE month = '2026-10'",
    ),
    "redate a close": ("UPDATE period SET closed_at = '2030-01-01 00:00:00' WHERE month = '2026-10'",),
    "delete a closed month": ("DELETE FROM period_step", "DELETE FROM period WHERE month = '2026-10'"),
    "rename an open month": ("UPDATE period SET month = '2026-12' WHERE month = '2026-11'",),
    "make a month of no known state": ("INSERT INTO period (month, state) VALUES ('2026-12', 'ajar')",),
    # the chart
    "change an account's kind": ("UPDATE account SET kind = 'income' WHERE code = 'assets:bank'",),
    "rename an account": ("UPDATE account SET code = 'assets:cellar' WHERE code = 'assets:bank'",),
    "drop an account": ("DELETE FROM account WHERE code = 'assets:bank'",),
    "open an account of no known kind": ("INSERT INTO account (code, currency, kind) VALUES ('x', 'USD', 'slush')",),
    # who did what
    "forget who did it": ("DELETE FROM audit_record",),
    "blame somebody else": ("UPDATE audit_record SET actor = 'grace' WHERE id = 1",),
    # invoices and receipts
    "raise an invoice": ("UPDATE invoice SET total_minor = total_minor + 1",),
    "call an open invoice paid": ("UPDATE invoice SET state = 'paid'",),
    "receive more than was invoiced": ("UPDATE invoice SET received_minor = total_minor + 1",),
    "give an invoice to another client": ("UPDATE invoice SET client_id = (SELECT MAX(id) FROM client)",),
    "bill a month twice": ("INSERT INTO invoiced_month SELECT * FROM invoiced_month",),
    "record one payment twice": (
        (
            "INSERT INTO receipt SELECT 'rec_2', invoice_id, reference, received_on, amount_minor, currency, created_at"
            " FROM receipt"
        ),
    ),
    # payouts
    "raise a payout": ("UPDATE payout SET amount_minor = amount_minor + 1",),
    "pay somebody else": ("UPDATE payout SET maintainer_id = (SELECT MIN(id) FROM maintainer)",),
    "pay to another account": ("UPDATE payout SET payee_name = 'Mallory'",),
    "send a settled payout again": ("UPDATE payout SET state = 'sending' WHERE state = 'settled'",),
    "make a sent payout payable": ("UPDATE payout SET state = 'planned' WHERE state = 'sent'",),
    "delete a payout": ("DELETE FROM payout_attempt", "DELETE FROM payout"),
    "add a payout to a run under way": (
        (
            "INSERT INTO payout SELECT 'pay_x', run_id, maintainer_id, destination_id, rail, 1, currency, payee_name,"
            " 'planned', NULL, NULL, NULL, NULL FROM payout WHERE state = 'settled'"
        ),
    ),
    "change what was approved": ("UPDATE payout_run SET digest = 'other'",),
    "draft a run again": ("UPDATE payout_run SET state = 'draft'",),
    "approve one's own run": ("UPDATE payout_run SET approved_by = prepared_by",),
    "use another key for an attempt": ("UPDATE payout_attempt SET key = 'other'",),
    "attempt once more beside a sent one": (
        (
            "INSERT INTO payout_attempt SELECT 'att_x', payout_id, number + 1, 'k2', request_digest, 'sending',"
            " started_at, NULL, NULL FROM payout_attempt"
        ),
    ),
    # statements
    "change what a statement says": ("UPDATE statement SET figures = '{}'",),
    "change what a statement closes with": (
        "UPDATE statement SET closing_minor = closing_minor + 1, opening_minor = opening_minor + 1",
    ),
    "delete a statement": ("DELETE FROM statement",),
}

NEEDS_FOREIGN_KEYS: dict[str, tuple[str, ...]] = {
    "write lines for an entry that is not there": GOOD_LINES,
    "post to an account outside the chart": (line(1, 2, 5, account="x"), line(2, 2, -5, account="x"), head()),
    "post in a currency the account lacks": (line(1, 2, 5, currency="JPY"), line(2, 2, -5, currency="JPY"), head()),
    "post lines that count differently": (line(1, 3, 5), line(2, 3, -5), head(2)),
    "reverse what is not there": (*GOOD_LINES, head(reverses="77777")),
}

ON_SQLITE: dict[str, tuple[str, ...]] = {
    "post half a cent": (line(1, 2, 0.5), line(2, 2, -0.5), head()),
    "post bytes for an amount": (line(1, 2, "x'3132'"), line(2, 2, -12), head()),
    "replace a line": (
        (
            "INSERT OR REPLACE INTO posting SELECT entry_id, line, line_count, account, currency, amount_minor * 2,"
            " client_id, engagement_id, package_id, maintainer_id FROM posting WHERE entry_id = 1"
        ),
    ),
    "replace an entry": (on_sealed(head(source="other:1")).replace("INSERT", "INSERT OR REPLACE"),),
    "replace an entry through its cause": (
        *GOOD_LINES,
        head(source="allocation:2026-10").replace("INSERT", "INSERT OR REPLACE"),
    ),
    "replace an audit record": (
        (
            "INSERT OR REPLACE INTO audit_record SELECT id, at, 'mallory', role, token_id, request_id, verb, subject,"
            " facts FROM audit_record"
        ),
    ),
    "replace a statement": (
        (
            "INSERT OR REPLACE INTO statement SELECT id, number, maintainer_id, month, version, corrects_id, currency,"
            " opening_minor, earned_minor, paid_minor, closing_minor, '{}', sha256, issued_at FROM statement"
        ),
    ),
    "update a line onto another": ("UPDATE OR REPLACE posting SET line = 1 WHERE entry_id = 1",),
    "update an entry onto another": ("UPDATE OR REPLACE journal_entry SET id = 1 WHERE id = 2",),
    "move a made-up line onto a posted one": (
        line(1, 2, 5),
        f"UPDATE OR REPLACE posting SET entry_id = 1 WHERE entry_id = {NEW}",
    ),
    "ignore that a line is there": (
        (
            "INSERT OR IGNORE INTO posting SELECT entry_id, line, line_count, account, currency, amount_minor * 2,"
            " client_id, engagement_id, package_id, maintainer_id FROM posting WHERE entry_id = 1"
        ),
    ),
    "upsert a line": (
        (
            "INSERT INTO posting SELECT * FROM posting WHERE entry_id = 1"
            " ON CONFLICT DO UPDATE SET amount_minor = excluded.amount_minor * 2"
        ),
    ),
}

NEEDS_RECURSIVE_TRIGGERS: dict[str, tuple[str, ...]] = {
    "replace a closed month": ("INSERT OR REPLACE INTO period (month, state) VALUES ('2026-10', 'open')",),
    "replace an invoice": ("INSERT OR REPLACE INTO invoice SELECT * FROM invoice",),
    "replace a payout": ("INSERT OR REPLACE INTO payout SELECT * FROM payout",),
    "replace a destination": ("INSERT OR REPLACE INTO destination SELECT * FROM destination",),
    "replace a token": ("INSERT OR REPLACE INTO api_token SELECT * FROM api_token",),
    "replace a statement through its number": (
        (
            "INSERT OR REPLACE INTO statement SELECT id || 'x', number, maintainer_id, month, version, corrects_id,"
            " currency, opening_minor, earned_minor, paid_minor, closing_minor, '{}', sha256, issued_at FROM statement"
        ),
    ),
    "replace a line through its hidden number": (
        line(1, 2, 5)
        .replace("INSERT INTO posting (", "INSERT OR REPLACE INTO posting (rowid, ")
        .replace("VALUES (", "VALUES (1, "),
    ),
}

ON_POSTGRESQL: dict[str, tuple[str, ...]] = {
    "upsert a line": (
        (
            "INSERT INTO posting SELECT * FROM posting WHERE entry_id = 1"
            " ON CONFLICT (entry_id, line) DO UPDATE SET amount_minor = excluded.amount_minor * 2"
        ),
    ),
    "merge into the lines": (
        (
            "MERGE INTO posting p USING (VALUES (1)) AS v(id) ON p.entry_id = v.id"
            " WHEN MATCHED THEN UPDATE SET amount_minor = p.amount_minor * 2"
        ),
    ),
    "change lines inside a query": (
        "WITH changed AS (UPDATE posting SET amount_minor = 1 WHERE entry_id = 1 RETURNING 1) SELECT * FROM changed",
    ),
    "change an entry that was only just posted": (
        *GOOD_LINES,
        head(),
        f"UPDATE posting SET amount_minor = amount_minor * 2 WHERE entry_id = {NEW}",
    ),
    "defer the sealing": ("SET CONSTRAINTS ALL DEFERRED", head(), *GOOD_LINES),
    "copy lines in": (on_sealed(line(3, 4, 5)), on_sealed(line(4, 4, -5)), "SET CONSTRAINTS ALL IMMEDIATE"),
}

KEPT = (
    *("account", "journal_entry", "posting", "audit_record", "invoiced_month", "recognition", "receipt"),
    *("allocation", "allocation_share", "earning", "statement", "funded_work_report", "rail_file"),
    *("invoice", "period", "payout", "payout_attempt", "destination", "api_token", "principal", "exchange_rate"),
    *("notice", "payout_approval"),
)
"""Tables whose rows are evidence: none is ever deleted."""

MAY_CHANGE = {
    "invoice": {"received_minor", "state"},
    "period": {"state", "closed_at", "closed_by"},
    "payout": {"state", "reference", "reason", "settled_on", "paid_from"},
    "payout_attempt": {"state", "finished_at", "detail", "clean_looks", "looked_at"},
    "notice": {"attempts", "leased_until", "detail"},
    "api_token": {"revoked_at", "expires_at", "proved_at"},
    "principal": {"role", "subject_id", "may_approve", "disabled_at", "totp_sealed", "totp_step"},
    "exchange_rate": {"rate", "source", "set_at", "set_by"},
}


_last_seen: dict[Target, str] = {}


def refused(target: Target, *statements: str) -> None:
    before = _last_seen.get(target) or books.digest(target.url)
    with pytest.raises(DATABASE_ERRORS):
        target.attack(*statements)
    _last_seen[target] = books.digest(target.url)
    assert _last_seen[target] == before


def test_what_an_attacker_makes_up_would_be_taken_if_it_were_right(target: Target) -> None:
    target.rehearse(*GOOD_LINES, head())


def test_an_exact_reversal_is_taken(target: Target) -> None:
    target.rehearse(*REVERSAL)


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_books_withstand(target: Target, attack: str) -> None:
    refused(target, *ATTACKS[attack])


@pytest.mark.parametrize("attack", NEEDS_FOREIGN_KEYS)
def test_with_foreign_keys_the_books_withstand(guarded_target: Target, attack: str) -> None:
    refused(guarded_target, *NEEDS_FOREIGN_KEYS[attack])


@pytest.mark.parametrize("attack", ON_SQLITE)
def test_sqlite_withstands(sqlite_target: Target, attack: str) -> None:
    refused(sqlite_target, *ON_SQLITE[attack])


@pytest.mark.parametrize("attack", NEEDS_RECURSIVE_TRIGGERS)
def test_sqlite_with_recursive_triggers_withstands(recursive_target: Target, attack: str) -> None:
    refused(recursive_target, *NEEDS_RECURSIVE_TRIGGERS[attack])


@pytest.mark.parametrize("attack", ON_POSTGRESQL)
def test_postgresql_withstands(postgresql_target: Target, attack: str) -> None:
    refused(postgresql_target, *ON_POSTGRESQL[attack])


def test_no_table_of_evidence_is_emptied_or_overwritten(target: Target) -> None:
    before = books.rows_of(target.url)
    assert [table for table in KEPT if not before[table]] == []
    for table in KEPT:
        with pytest.raises(DATABASE_ERRORS):
            target.attack(f"DELETE FROM {table}")
        for column in set(columns_of(target, table)) - MAY_CHANGE.get(table, set()):
            with pytest.raises(DATABASE_ERRORS):
                target.attack(f"UPDATE {table} SET {column} = {something_else(target, table, column)}")
    assert books.rows_of(target.url) == before


def columns_of(target: Target, table: str) -> list[str]:
    with target.connection() as connection:
        return [column[0] for column in connection.execute(f"SELECT * FROM {table}").description]


def something_else(target: Target, table: str, column: str) -> str:
    """Nothing where there is something, and something where there is nothing."""
    with target.connection() as connection:
        [known] = connection.execute(f"SELECT COUNT({column}) FROM {table}").fetchone()
    return "NULL" if known else "'X'"


def test_no_table_of_evidence_is_truncated(postgresql_target: Target) -> None:
    before = books.rows_of(postgresql_target.url)
    for table in (*KEPT, "payout_run", "client", "maintainer", "engagement", "allocation_plan"):
        with pytest.raises(psycopg.Error, match=r"never changed or deleted|stays as it is"):
            postgresql_target.attack(f"TRUNCATE {table} CASCADE")
    assert books.rows_of(postgresql_target.url) == before


# --- The ways of a payout and of its run ---

PAYOUT_EDGES = {
    "planned": {"reserved", "canceled", "held"},
    "held": {"planned", "canceled"},
    "carried-over": set(),
    "reserved": {"sending", "canceled"},
    "sending": {"sent", "refused", "unknown", "waiting-for-funds"},
    "waiting-for-funds": {"sending", "canceled"},
    "unknown": {"sent", "refused"},
    "sent": {"settled", "returned"},
    "settled": {"returned"},
    "refused": set(),
    "returned": set(),
    "canceled": set(),
}
RUN_EDGES = {
    "draft": {"proposed", "canceled"},
    "proposed": {"approved", "canceled", "draft"},
    "approved": {"releasing", "partly-settled"},
    "releasing": {"settled", "partly-settled"},
    "settled": {"partly-settled"},
    "partly-settled": set(),
    "canceled": set(),
}
NEW_RUN = (
    "INSERT INTO payout_run (id, number, currency, state, prepared_by, prepared_at, approved_by, digest,"
    " sole_approval, approvals_needed)"
    " VALUES ('run_x', 'RUN-X', 'USD', 'draft', 'ada', '2026-11-05 09:00:00', 'grace', 'd', false, 0)"
)
NEW_PAYOUT = (
    "INSERT INTO payout SELECT 'pay_x', 'run_x', maintainer_id, destination_id, rail, 1, currency, payee_name,"
    " 'planned', NULL, NULL, NULL, NULL FROM payout WHERE state = 'settled'"
)


def ways(edges: dict[str, set[str]], start: str) -> dict[str, list[str]]:
    """How to reach each state from the start."""
    found = {start: [start]}
    for state in list(edges):
        for after in sorted(edges[state]) if state in found else ():
            found.setdefault(after, [*found[state], after])
    return found


@pytest.mark.parametrize(
    ("table", "row", "edges"), [("payout", "pay_x", PAYOUT_EDGES), ("payout_run", "run_x", RUN_EDGES)]
)
def test_states_move_along_the_allowed_ways_only(
    target: Target, table: str, row: str, edges: dict[str, set[str]]
) -> None:
    start = next(iter(edges))
    approved = [f"UPDATE payout_run SET state = '{state}' WHERE id = 'run_x'" for state in ("proposed", "approved")]
    begun = [NEW_RUN, NEW_PAYOUT, *(approved if table == "payout" else [])]
    for state, way in ways(edges, start).items():
        steps = [f"UPDATE {table} SET state = '{step}' WHERE id = '{row}'" for step in way[1:]]
        for after in edges:
            last = f"UPDATE {table} SET state = '{after}' WHERE id = '{row}'"
            if after in edges[state]:
                target.rehearse(*begun, *steps, last)
            elif after != state:
                with pytest.raises(DATABASE_ERRORS, match="may not go there"):
                    target.rehearse(*begun, *steps, last)


@pytest.mark.parametrize(
    "statement",
    [
        NEW_PAYOUT.replace("'planned'", "'sent'"),
        NEW_PAYOUT.replace("'run_x'", "(SELECT MIN(id) FROM payout_run WHERE state <> 'draft')"),
        NEW_PAYOUT.replace("rail, 1,", "rail, 0,"),
        NEW_PAYOUT.replace("WHERE state", "WHERE 1 = 1 OR state"),
    ],
    ids=["sent at once", "into a run under way", "of nothing", "twice under one id"],
)
def test_a_payout_begins_planned_in_a_draft(target: Target, statement: str) -> None:
    target.rehearse(NEW_RUN, NEW_PAYOUT)
    refused(target, NEW_RUN, statement)


def test_a_person_has_one_live_payout(target: Target) -> None:
    second = (
        NEW_RUN.replace("run_x", "run_y").replace("RUN-X", "RUN-Y"),
        NEW_PAYOUT.replace("run_x", "run_y").replace("pay_x", "pay_y"),
    )
    refused(target, NEW_RUN, NEW_PAYOUT, *second)
    target.rehearse(NEW_RUN, NEW_PAYOUT, "UPDATE payout SET state = 'canceled' WHERE id = 'pay_x'", *second)


def test_what_was_proposed_is_what_is_approved(target: Target) -> None:
    proposed = "UPDATE payout_run SET state = 'proposed' WHERE id = 'run_x'"
    refused(target, NEW_RUN, NEW_PAYOUT, proposed, "UPDATE payout_run SET digest = 'e' WHERE id = 'run_x'")
    refused(target, NEW_RUN, proposed, NEW_PAYOUT)


# --- Races of two connections ---


@contextmanager
def two(url: str) -> Iterator[tuple[psycopg.Connection[Any], psycopg.Connection[Any]]]:
    with books.bare_postgresql(url) as one, books.bare_postgresql(url) as other:
        one.execute("BEGIN")
        other.execute("BEGIN")
        yield one, other
        one.rollback()
        other.rollback()


def lines_posted(url: str) -> int:
    with books.bare_postgresql(url) as connection:
        row = connection.execute(f"SELECT COUNT(*) FROM posting WHERE entry_id = {NEW}").fetchone()
    return int(row[0]) if row else 0


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
@pytest.mark.parametrize("late_lines", [(line(3, 3, 5),), (line(3, 4, 5), line(4, 4, -5))], ids=["one", "a pair"])
def test_no_line_slips_in_beside_the_sealing(paid_postgresql: str, late_lines: tuple[str, ...], isolation: str) -> None:
    with two(paid_postgresql) as (sealing, adding):
        adding.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
        for statement in late_lines:
            adding.execute(statement)
        for statement in (*GOOD_LINES, head()):
            sealing.execute(statement)
        sealing.execute("COMMIT")
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            adding.execute("COMMIT")
    assert lines_posted(paid_postgresql) == 2


def test_lines_that_nobody_can_see_yet_are_not_sealed(paid_postgresql: str) -> None:
    with two(paid_postgresql) as (sealing, adding):
        for statement in (line(3, 4, 5), line(4, 4, -5)):
            adding.execute(statement)
        for statement in (line(1, 4, 5), line(2, 4, -5)):
            sealing.execute(statement)
        with pytest.raises(psycopg.Error, match="seals lines that balance, and all of them"):
            sealing.execute(head(4))
    assert lines_posted(paid_postgresql) == 0


def waiting(connection: psycopg.Connection[Any], *statements: str) -> tuple[threading.Thread, list[Exception]]:
    """Run the statements beside us, as they will have to wait; errors are collected."""
    errors: list[Exception] = []

    def run() -> None:
        try:
            for statement in statements:
                connection.execute(statement)
        except psycopg.Error as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive(), "It did not wait."
    return thread, errors


CLOSE_NOVEMBER = "UPDATE period SET state = 'closed', closed_at = '2026-12-01 00:00:00' WHERE month = '2026-11'"


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_a_posting_that_meets_a_close_is_refused(paid_postgresql: str, isolation: str) -> None:
    with two(paid_postgresql) as (closing, posting):
        posting.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
        for statement in GOOD_LINES:
            posting.execute(statement)
        closing.execute(CLOSE_NOVEMBER)
        thread, errors = waiting(posting, head(), "COMMIT")
        closing.execute("COMMIT")
        thread.join(5)
    assert [error.sqlstate for error in errors] in (["CH001"], ["40001"])  # type: ignore[attr-defined]
    assert lines_posted(paid_postgresql) == 0


def test_a_close_waits_for_a_posting_under_way(paid_postgresql: str) -> None:
    with two(paid_postgresql) as (closing, posting):
        for statement in (*GOOD_LINES, head()):
            posting.execute(statement)
        thread, errors = waiting(closing, CLOSE_NOVEMBER, "COMMIT")
        posting.execute("COMMIT")
        thread.join(5)
    assert errors == []
    assert lines_posted(paid_postgresql) == 2


def test_of_two_reversals_at_once_one_is_refused(paid_postgresql: str) -> None:
    with two(paid_postgresql) as (one, other):
        for statement in REVERSAL:
            one.execute(statement)
        other.execute(again(REVERSAL[0]))
        thread, errors = waiting(other, again(REVERSAL[1]))
        one.execute("COMMIT")
        thread.join(5)
    assert [type(error) for error in errors] == [psycopg.errors.UniqueViolation]


@pytest.mark.parametrize("attack", NEEDS_RECURSIVE_TRIGGERS)
def test_sqlite_withstands_replacement_without_our_pragmas(paid_sqlite: Path, attack: str) -> None:
    refused(Target(f"sqlite:///{paid_sqlite}", "bare sqlite"), *NEEDS_RECURSIVE_TRIGGERS[attack])


# Lines without an entry are the one thing a connection without foreign keys can leave behind; no entry can seal
# them with others afterwards, and `chambers verify` names them (the invariant lines-belong).
@pytest.mark.parametrize("attack", sorted({*NEEDS_FOREIGN_KEYS} - {"write lines for an entry that is not there"}))
def test_sqlite_withstands_broken_references_without_our_pragmas(paid_sqlite: Path, attack: str) -> None:
    refused(Target(f"sqlite:///{paid_sqlite}", "bare sqlite"), *NEEDS_FOREIGN_KEYS[attack])
