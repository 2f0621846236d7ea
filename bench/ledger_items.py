"""G1 and G2: posting one entry durably, and many in one transaction."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text

from bench import own_schema
from bench.pairs import Cost, Measured, Result, run_rounds, timed
from bench.stores import ACCOUNTS, Engine
from firm.actor import Actor, Role
from firm.db import db, transaction
from firm.ledger import accounts, journal
from firm.ledger.entry import Entry, Line
from firm.money import Money

SEED = 20_261_001
DAY = date(2026, 10, 15)
NOW = datetime(2026, 10, 15, 9, tzinfo=UTC)
BY = Actor("bench", Role.SYSTEM)

Rows = list[tuple[int, list[tuple[int, int]]]]
"""Each entry's number and its lines: account and cents, summing to zero."""


def workload(number: int) -> Rows:
    """Balanced entries of 2, 3, 4, 2 … lines on accounts spread by a fixed seed."""
    chance = random.Random(SEED)
    rows = []
    for entry in range(1, number + 1):
        width = 2 + (entry - 1) % 3
        chosen = chance.sample(range(ACCOUNTS), width)
        cents = [chance.randint(1, 100_000) for _ in range(width - 1)]
        rows.append((entry, list(zip(chosen, [*cents, -sum(cents)], strict=True))))
    return rows


def post_one(engine: Engine, *, full: bool) -> Iterator[Result]:
    """G1: entry, lines, balances, period check, audit: one durable transaction each."""
    rows = workload(1_000 if full else 100)
    entries = _entries(rows)
    one = _floor_sqlite if engine.is_sqlite else _floor_postgresql

    def floor(connection: Any) -> None:
        for number, lines in rows:
            one(connection, number, lines)

    sides = _sides(engine, rows, lambda: _post_each(entries), floor, with_balances=True, each=True)
    rounds = run_rounds(*sides, number=7 if full else 1)
    yield Result("G1", engine.store, "post one entry", rounds, len(rows), 0.45)


def post_many(engine: Engine, *, full: bool) -> Iterator[Result]:
    """G2: the same rows in one transaction, beside the bare bulk load without balances."""
    rows = workload(20_000 if full else 2_000)
    entries = _entries(rows)

    def floor(connection: Any) -> None:
        _floor_bulk(engine, connection, rows)

    sides = _sides(engine, rows, lambda: _post_all(entries), floor, with_balances=False, each=False)
    rounds = run_rounds(*sides, number=7 if full else 1)
    yield Result("G2", engine.store, "post many in one transaction", rounds, len(rows), 0.40)


def _sides(
    engine: Engine,
    rows: Rows,
    work: Callable[[], None],
    minimal: Callable[[Any], None],
    *,
    with_balances: bool,
    each: bool,
) -> tuple[Measured, Measured, Measured]:
    """Ours, the minimal floor and the floor on our tables, each looked over after it ran."""

    def ours() -> Cost:
        with engine.product():
            _open_accounts()
            cost = timed(work, engine.cpu)
            _refuse_wrong(rows)
            return cost

    def floor() -> Cost:
        with engine.minimal() as connection:
            cost = timed(lambda: minimal(connection), engine.cpu)
            _refuse_wrong_floor(connection, rows, with_balances=with_balances)
            return cost

    def own() -> Cost:
        with engine.product():
            _open_accounts()
            cost = own_schema.fill(engine, db.engine.raw_connection(), rows, each=each)
            _refuse_wrong(rows)
            return cost

    return ours, floor, own


def _entries(rows: Rows) -> list[Entry]:
    return [
        Entry(
            f"bench:{number}",
            DAY,
            "bench",
            tuple(Line(f"assets:bench-{account}", Money(cents, "USD")) for account, cents in lines),
        )
        for number, lines in rows
    ]


def _open_accounts() -> None:
    with transaction() as session:
        kinds = {f"assets:bench-{number}": "asset" for number in range(ACCOUNTS)}
        accounts.open_accounts(session, kinds, "USD")


def _post(entry: Entry) -> None:
    with transaction() as session:
        journal.post(session, entry, by=BY, now=NOW)


def _post_each(entries: Sequence[Entry]) -> None:
    for entry in entries:
        _post(entry)


def _post_all(entries: Sequence[Entry]) -> None:
    with transaction() as session:
        journal.post_many(session, entries, by=BY, now=NOW)


def _floor_sqlite(connection: Any, number: int, lines: list[tuple[int, int]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO entry VALUES (?, ?, ?)", (number, "2026-10-15", f"bench:{number}"))
    connection.executemany(
        "INSERT INTO posting (entry_id, account_id, day, cents) VALUES (?, ?, ?, ?)",
        [(number, account, "2026-10-15", cents) for account, cents in lines],
    )
    connection.executemany(
        "INSERT INTO balance VALUES (?, ?) ON CONFLICT DO UPDATE SET cents = cents + excluded.cents", lines
    )
    connection.execute("COMMIT")


_FLOOR_POSTGRESQL = """
    WITH e AS (INSERT INTO entry (day, source) VALUES ('2026-10-15', %(source)s) RETURNING id),
    p AS (INSERT INTO posting (entry_id, account_id, day, cents)
          SELECT e.id, l.a, '2026-10-15', l.c FROM e, unnest(%(accounts)s::bigint[], %(cents)s::bigint[]) l(a, c))
    INSERT INTO balance SELECT a, c FROM unnest(%(accounts)s::bigint[], %(cents)s::bigint[]) l(a, c) ORDER BY a
    ON CONFLICT (account_id) DO UPDATE SET cents = balance.cents + excluded.cents"""


def _floor_postgresql(connection: Any, number: int, lines: list[tuple[int, int]]) -> None:
    values = {"source": f"bench:{number}", "accounts": [a for a, _ in lines], "cents": [c for _, c in lines]}
    connection.execute(_FLOOR_POSTGRESQL, values, prepare=True)


def _floor_bulk(engine: Engine, connection: Any, rows: Rows) -> None:
    heads = [(number, "2026-10-15", f"bench:{number}") for number, _ in rows]
    lines = [(number, account, "2026-10-15", cents) for number, entry in rows for account, cents in entry]
    if engine.is_sqlite:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO entry VALUES (?, ?, ?)", heads)
        connection.executemany("INSERT INTO posting (entry_id, account_id, day, cents) VALUES (?, ?, ?, ?)", lines)
        connection.execute("COMMIT")
        return
    with connection.transaction(), connection.cursor() as cursor:
        for table, values in (
            ("entry (id, day, source)", heads),
            ("posting (entry_id, account_id, day, cents)", lines),
        ):
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)


def _refuse_wrong(rows: Rows) -> None:
    """Our tables hold every entry and line, balanced, and the kept balances are the sums of the postings."""
    with db.engine.connect() as connection:
        entries = connection.scalar(text("SELECT COUNT(*) FROM journal_entry"))
        postings = connection.scalar(text("SELECT COUNT(*) FROM posting"))
        kept = text(
            "SELECT account, amount_minor FROM balance UNION ALL SELECT account, amount_minor FROM balance_delta"
        )
        balances: dict[str, int] = defaultdict(int)
        for account, amount in connection.execute(kept):
            balances[account] += amount
        by_account = text("SELECT account, CAST(SUM(amount_minor) AS BIGINT) FROM posting GROUP BY account")
        sums: dict[str, int] = dict(connection.execute(by_account).all())
    expected = {f"assets:bench-{account}": cents for account, cents in _sums(rows).items()}
    if (entries, postings) != _counts(rows) or dict(balances) != sums or sums != expected or sum(sums.values()) != 0:
        raise AssertionError(f"our tables hold {entries} entries and {postings} lines, or balances that differ")


def _refuse_wrong_floor(connection: Any, rows: Rows, *, with_balances: bool) -> None:
    counts = connection.execute("SELECT (SELECT COUNT(*) FROM entry), (SELECT COUNT(*) FROM posting)").fetchone()
    by_account = "SELECT account_id, CAST(SUM(cents) AS BIGINT) FROM posting GROUP BY account_id"
    sums: dict[int, int] = dict(connection.execute(by_account).fetchall())
    kept = dict(connection.execute("SELECT account_id, cents FROM balance").fetchall()) if with_balances else sums
    if tuple(counts) != _counts(rows) or not kept == sums == _sums(rows):
        raise AssertionError("the floor's entries, lines or balances differ from the workload")


def _counts(rows: Rows) -> tuple[int, int]:
    return len(rows), sum(len(lines) for _, lines in rows)


def _sums(rows: Rows) -> dict[int, int]:
    sums: dict[int, int] = defaultdict(int)
    for _, lines in rows:
        for account, cents in lines:
            sums[account] += cents
    return dict(sums)
