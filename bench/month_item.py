"""G7: closing a month and reserving its pay, for a firm of many clients and people."""

from __future__ import annotations

import resource
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from api.app import standard_rails
from bench.pairs import Result, run_pairs, timed
from bench.population import ADMINISTRATOR, AFTER, LEAD, MONTH, PACKAGES, populate
from bench.stores import Engine
from firm.money import split
from payouts import month_end
from payouts.runs import preparation

SMALL, LARGE = (100, 1_000), (1_000, 10_000)


def close_month(engine: Engine, *, full: bool) -> Iterator[Result]:
    """Invoice, recognize, allocate, earn, close, state, draft, propose, approve; no paper is rendered."""
    clients, people = LARGE if full else (20, 200)
    again: list[float] = []
    preview: list[float] = []

    def ours() -> float:
        return _ours(engine, clients, people, again, preview)

    def floor() -> float:
        with engine.minimal() as connection:
            return timed(lambda: _floor(engine, connection, clients, people))

    pairs = run_pairs(ours, floor, number=3 if full else 1)
    title = f"month of {clients:,} x {people:,}"
    result = Result("G7", engine.store, title, pairs, 1, "", 0.25 if engine.is_sqlite else 0.33)
    typical = min(pair.ours for pair in pairs)
    result.notes.append(
        f"G7r close again {min(again) / typical:.1%} of the close (goal 5 %),"
        f" preview {min(preview) / typical:.0%} (goal 60 %)"
    )
    if full:
        small = _ours(engine, *SMALL, [], [])
        result.notes.append(f"growth T(1000x10000)/T(100x1000) {typical / small:.1f} (goal at most 12)")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    result.notes.append(f"peak memory of the process so far {peak} MB (goal 200)")
    yield result


def _ours(engine: Engine, clients: int, people: int, again: list[float], preview: list[float]) -> float:
    with engine.product():
        populate(clients, people)
        start = time.perf_counter()
        month_end.preview(MONTH, now=AFTER)
        preview.append(time.perf_counter() - start)
        seconds = timed(run_month)
        again.append(timed(lambda: month_end.close(MONTH, by=LEAD, now=AFTER)))
        closing = month_end.closing(MONTH)
        if closing.earned.minor != people * 50_000 or closing.payable.minor != 0:
            raise AssertionError("the month did not earn and reserve what it should have")
        return seconds


def run_month() -> None:
    """The whole of G7 on the population of this store."""
    month_end.close(MONTH, by=LEAD, now=AFTER)
    run = preparation.draft(rails=standard_rails(), by=ADMINISTRATOR, now=AFTER).run
    preparation.propose(run.id, by=ADMINISTRATOR, now=AFTER)
    preparation.approve(run.id, by=LEAD, now=AFTER)


def _floor(engine: Engine, connection: Any, clients: int, people: int) -> None:
    """What the design's floor does: the same kinds of entries, worked out in integers and loaded in bulk."""
    heads: list[tuple[int, str, str]] = []
    lines: list[tuple[int, int, str, int]] = []

    def post(postings: list[tuple[int, int]]) -> None:
        number = len(heads) + 1
        heads.append((number, "2026-10-31", f"bench:{number}"))
        lines.extend((number, account, "2026-10-31", cents) for account, cents in postings)

    earned: dict[int, int] = defaultdict(int)
    for client in range(clients):
        fee = 1_000_000 + client
        post([(0, fee), (1, -fee)])
        post([(1, fee), (2, -fee)])
        shares = split(fee, range(1, PACKAGES + 1))
        postings = [(3, -fee)]
        for package, share in enumerate(shares):
            for part, cents in enumerate(split(share, [1] * 5)):
                person = (client * PACKAGES * 5 + package * 5 + part) % people
                earned[person] += cents
                postings.append((10 + person % 900, cents))
        post(postings)
    for person in range(people):
        cents = earned.get(person, 1)
        post([(10 + person % 900, -cents), (4, cents)])
    balances: dict[int, int] = defaultdict(int)
    for _, account, _, cents in lines:
        balances[account] += cents
    _load(engine, connection, heads, lines, dict(balances))


def _load(engine: Engine, connection: Any, heads: Any, lines: Any, balances: dict[int, int]) -> None:
    if engine.is_sqlite:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO entry VALUES (?, ?, ?)", heads)
        connection.executemany("INSERT INTO posting (entry_id, account_id, day, cents) VALUES (?, ?, ?, ?)", lines)
        connection.executemany("INSERT INTO balance VALUES (?, ?)", list(balances.items()))
        connection.execute("COMMIT")
        return
    with connection.transaction(), connection.cursor() as cursor:
        for table, values in (
            ("entry (id, day, source)", heads),
            ("posting (entry_id, account_id, day, cents)", lines),
            ("balance (account_id, cents)", list(balances.items())),
        ):
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)
