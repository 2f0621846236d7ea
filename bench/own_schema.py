"""The rows of the workload written into our own tables by raw SQL: what the schema itself costs."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from bench.pairs import timed
from bench.stores import Engine

MOMENT = "2026-10-15 09:00:00+00:00"
_ENTRY = "journal_entry (id, source, month, on_date, narration, line_count, posted_at, posted_by)"
_POSTING = "posting (entry_id, line, line_count, account, currency, amount_minor)"


def fill(engine: Engine, pooled: Any, rows: Any) -> float:
    """Seconds for lines, entries and balances in one transaction, through every index and guard of ours."""
    heads = [
        (number, f"bench:{number}", "2026-10", "2026-10-15", "bench", len(lines), MOMENT, "bench")
        for number, lines in rows
    ]
    postings = [
        (number, position, len(lines), f"assets:bench-{account}", "USD", cents)
        for number, lines in rows
        for position, (account, cents) in enumerate(lines, 1)
    ]
    sums: dict[str, int] = defaultdict(int)
    for _, _, _, account, _, cents in postings:
        sums[account] += cents
    write = _sqlite if engine.is_sqlite else _postgresql
    seconds = timed(lambda: write(pooled.driver_connection, heads, postings, dict(sums)))
    pooled.close()
    return seconds


def _sqlite(connection: Any, heads: Any, postings: Any, sums: dict[str, int]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO period (month) VALUES ('2026-10')")
    connection.executemany(f"INSERT INTO {_POSTING} VALUES (?, ?, ?, ?, ?, ?)", postings)
    connection.executemany(f"INSERT INTO {_ENTRY} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", heads)
    connection.executemany(
        "INSERT INTO balance (account, currency, amount_minor) VALUES (?, 'USD', ?)", list(sums.items())
    )
    connection.execute("COMMIT")


def _postgresql(connection: Any, heads: Any, postings: Any, sums: dict[str, int]) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO period (month) VALUES ('2026-10')")
        deltas = [(account, "USD", cents) for account, cents in sums.items()]
        for table, values in (
            (_POSTING, postings),
            (_ENTRY, heads),
            ("balance_delta (account, currency, amount_minor)", deltas),
        ):
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)
