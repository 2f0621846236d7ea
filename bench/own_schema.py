"""Rows written into our own tables by raw SQL, through every index and guard: what the schema itself costs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bench.pairs import Cost, timed
from bench.stores import Engine
from firm.columns import Base

MOMENT = datetime(2026, 10, 15, 9, tzinfo=UTC)
_ENTRY = ("id", "source", "month", "on_date", "narration", "line_count", "posted_at", "posted_by")
_POSTING = ("entry_id", "line", "line_count", "account", "currency", "amount_minor")
_BALANCE = ("account", "currency", "amount_minor")
_WITNESS = ("at", "actor", "role", "verb", "subject", "facts")

Rows = Sequence[tuple[int, Sequence[tuple[int, int]]]]
Table = tuple[str, Sequence[str], Sequence[Sequence[Any]]]
"""A table's name, its columns and their rows."""

Snapshot = Mapping[str, tuple[Sequence[str], Mapping[Any, Sequence[Any]]]]
"""For each table its columns, and its rows by key."""


def fill(engine: Engine, pooled: Any, rows: Rows, *, each: bool) -> Cost:
    """The cost of lines, entries, balances and an audit record, in one transaction or in one for `each` entry."""
    one_statement = each and not engine.is_sqlite
    batches = [_tables(engine, [row]) for row in rows] if each else [_tables(engine, rows)]
    connection = pooled.driver_connection
    _begin(engine, connection)
    connection.execute("INSERT INTO period (month) VALUES ('2026-10')")
    connection.execute("COMMIT")

    def work() -> None:
        if one_statement:
            for number, lines in rows:
                _post_one(connection, number, lines)
                connection.execute("COMMIT")
            return
        for tables in batches:
            _begin(engine, connection)
            for table in tables:
                insert(engine, connection, table)
            connection.execute("COMMIT")

    cost = timed(work, engine.cpu)
    pooled.close()
    return cost


def _tables(engine: Engine, rows: Rows) -> list[Table]:
    moment = MOMENT.strftime("%Y-%m-%d %H:%M:%S.%f") if engine.is_sqlite else MOMENT.isoformat()
    lines = [
        (number, position, len(entry), f"assets:bench-{account}", "USD", cents)
        for number, entry in rows
        for position, (account, cents) in enumerate(entry, 1)
    ]
    heads = [
        (number, f"bench:{number}", "2026-10", "2026-10-15", "bench", len(entry), moment, "bench")
        for number, entry in rows
    ]
    sums: dict[str, int] = defaultdict(int)
    for _, _, _, account, _, cents in lines:
        sums[account] += cents
    balances = [(account, "USD", sums[account]) for account in sorted(sums)]
    witness = (moment, "bench", "system", "entry.posted", str(rows[0][0]), json.dumps({"entries": len(rows)}))
    return [
        ("posting", _POSTING, lines),
        ("journal_entry", _ENTRY, heads),
        ("balance" if engine.is_sqlite else "balance_delta", _BALANCE, balances),
        ("audit_record", _WITNESS, [witness]),
    ]


def snapshot(connection: Any) -> Snapshot:
    """Every row of every table as the driver gives it, with no type of ours in between."""
    found = {}
    for table in Base.metadata.sorted_tables:
        names = [column.name for column in table.columns]
        keys = [names.index(column.name) for column in table.primary_key]
        rows = connection.execute(f"SELECT {', '.join(names)} FROM {table.name}").fetchall()
        found[table.name] = (names, {tuple(row[key] for key in keys): tuple(row) for row in rows})
    return found


def added(before: Snapshot, after: Snapshot) -> list[Table]:
    """The rows of `after` whose keys `before` lacks, lines before the entries that seal them."""
    order = sorted(after, key=lambda name: {"period": -1, "journal_entry": 1}.get(name, 0))
    return [
        (name, columns, new)
        for name in order
        for columns, rows in [after[name]]
        if (new := [row for key, row in rows.items() if key not in before[name][1]])
    ]


def replay(engine: Engine, connection: Any, tables: Iterable[Table]) -> None:
    """Write a closed month's rows in one transaction; guards let a month, a run and its payouts only grow old."""
    later = []
    _begin(engine, connection)
    for name, columns, rows in tables:
        first = {"period": "open", "destination": "proposed", "payout_run": "draft", "payout": "planned"}.get(name)
        if first is None:
            insert(engine, connection, (name, columns, rows))
            continue
        young, aged = _young(name, columns, rows, first)
        insert(engine, connection, (name, columns, young))
        later += aged
    for statement in later:
        connection.execute(statement)
    connection.execute("COMMIT")


def _young(
    name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], first: str
) -> tuple[list[list[Any]], list[str]]:
    """The rows in their first state, and the statements that bring them where they were."""
    state = columns.index("state")
    still = {
        "period": ("closed_at", "closed_by"),
        "destination": ("decided_by", "decided_at", "usable_from"),
        "payout_run": ("approved_by", "approved_at"),
    }.get(name, ())
    empty = [columns.index(column) for column in still]
    young = [list(row) for row in rows]
    for row in young:
        row[state] = first
        for position in empty:
            row[position] = None
    if name == "period":
        closed = [row[0] for row in rows if row[state] == "closed"]
        return young, [
            f"UPDATE period SET state = 'closed', closed_at = '2026-11-01 09:00:00.000000', closed_by = 'bench'"
            f" WHERE month = '{month}'"
            for month in closed
        ]
    if name == "destination":
        moment = "'2026-10-01 09:00:00.000000'"
        decided = f"decided_by = 'bench', decided_at = {moment}, usable_from = {moment}"
        return young, [f"UPDATE destination SET state = 'confirmed', {decided} WHERE state = 'proposed'"]
    if name == "payout":
        return young, ["UPDATE payout SET state = 'reserved'"]
    return young, [
        "UPDATE payout_run SET state = 'proposed'",
        "UPDATE payout_run SET state = 'approved', approved_by = 'another', approved_at = '2026-11-01 09:00:00.000000'",
    ]


def insert(engine: Engine, connection: Any, table: Table) -> None:
    """Write a table's rows the quickest way: executemany, or COPY."""
    name, columns, rows = table
    listed = ", ".join(columns)
    if engine.is_sqlite:
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {name} ({listed}) VALUES ({marks})"
        if name == "balance" and "account" in columns:
            key = "account, currency, client_id, engagement_id, package_id, maintainer_id"
            statement += f" ON CONFLICT ({key}) DO UPDATE SET amount_minor = amount_minor + excluded.amount_minor"
        connection.executemany(statement, rows)
    else:
        with connection.cursor() as cursor, cursor.copy(f"COPY {name} ({listed}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def _begin(engine: Engine, connection: Any) -> None:
    if engine.is_sqlite:
        connection.execute("BEGIN IMMEDIATE")
    # psycopg opens a transaction with the first statement by itself.


_ONE = """
    WITH e AS (
        INSERT INTO journal_entry (source, month, on_date, narration, line_count, posted_at, posted_by)
        VALUES (%(source)s, '2026-10', '2026-10-15', 'bench', %(count)s, %(moment)s, 'bench') RETURNING id
    ), p AS (
        INSERT INTO posting (entry_id, line, line_count, account, currency, amount_minor)
        SELECT e.id, l.n, %(count)s, l.a, 'USD', l.c
        FROM e, unnest(%(accounts)s::text[], %(cents)s::bigint[]) WITH ORDINALITY l(a, c, n)
    ), b AS (
        INSERT INTO balance_delta (account, currency, amount_minor)
        SELECT a, 'USD', c FROM unnest(%(accounts)s::text[], %(cents)s::bigint[]) l(a, c)
    )
    INSERT INTO audit_record (at, actor, role, verb, subject, facts)
    SELECT %(moment)s, 'bench', 'system', 'entry.posted', e.id::text, '{}' FROM e"""


def _post_one(connection: Any, number: int, lines: Sequence[tuple[int, int]]) -> None:
    """The quickest way of PostgreSQL, as in ours: one statement."""
    values = {
        "source": f"bench:{number}",
        "count": len(lines),
        "moment": MOMENT,
        "accounts": [f"assets:bench-{account}" for account, _ in lines],
        "cents": [cents for _, cents in lines],
    }
    connection.execute(_ONE, values, prepare=True)
