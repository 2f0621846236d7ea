"""G7: closing a month and reserving its pay, for a firm of many clients and people."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from flask import Flask
from sqlalchemy import text

from api.app import standard_rails
from bench import own_schema
from bench.pairs import Cost, Result, run_rounds, timed
from bench.population import (
    ADMINISTRATOR,
    AFTER,
    FEE,
    GUARANTEE,
    LEAD,
    MONTH,
    OVERHEAD_BP,
    PACKAGES,
    RESERVE_BP,
    populate,
)
from bench.stores import Engine
from firm.db import db
from firm.money import BASIS, split
from payouts import month_end
from payouts.runs import approvals, preparation

Size = tuple[int, int]
"""Clients and people."""

SMOKE: Size = (20, 200)
SMALL: Size = (100, 1_000)
LARGE: Size = (1_000, 10_000)


def close_month(engine: Engine, *, full: bool) -> Iterator[Result]:
    """Invoice, recognize, allocate, earn, close, state, draft, propose, approve; no paper is rendered."""
    size = LARGE if full else SMOKE
    month = _Month(engine, size)
    rounds = run_rounds(month.ours, month.floor, month.own, number=7 if full else 1)
    clients, people = size
    goal = 0.25 if engine.is_sqlite else 0.33
    result = Result("G7", engine.store, f"month, {clients:,} x {people:,}, same rows", rounds, goal=goal)
    # The warm-up's are the first ones.
    again, preview = (
        statistics.median(part.wall / cost.wall for part, cost in zip(parts, month.closes, strict=True))
        for parts in (month.again, month.previews)
    )
    result.notes.append(f"G7r close again {again:.1%} of the close (goal 5 %), preview {preview:.0%} (goal 60 %)")
    if full:
        small = _Month(engine, SMALL)
        seconds = statistics.median(small.ours().wall for _ in range(5))
        growth = statistics.median(one.ours.wall for one in rounds) / seconds
        result.notes.append(
            f"100 x 1,000 in {seconds:.2f} s; growth T(1000x10000)/T(100x1000) {growth:.1f} (goal at most 12)"
        )
        result.notes.append(f"peak memory of a process that closes it {peak_megabytes(engine, size)} MB (goal 200)")
    yield result


def run_month() -> None:
    """The whole of G7 on the population of this store."""
    month_end.close(MONTH, by=LEAD, now=AFTER)
    run = preparation.draft(rails=standard_rails(), by=ADMINISTRATOR, now=AFTER).run
    approvals.propose(run.id, by=ADMINISTRATOR, now=AFTER)
    approvals.approve(run.id, by=LEAD, now=AFTER)


def peak_megabytes(engine: Engine, size: Size) -> int:
    """The largest resident size of a fresh process that does nothing but `run_month`."""
    with engine.product() as app:
        populate(*size)
        done = subprocess.run(
            [sys.executable, "-m", "bench.peak", _address(app)], check=True, capture_output=True, text=True
        )
    return int(done.stdout)


class _Month:
    """The sides of the pair, and what was measured beside them."""

    def __init__(self, engine: Engine, size: Size) -> None:
        self.engine = engine
        self.size = size
        self.closes: list[Cost] = []
        self.previews: list[Cost] = []
        self.again: list[Cost] = []
        self.counts: tuple[int, int] | None = None
        self.tables: list[own_schema.Table] = []
        self.before: own_schema.Snapshot = {}

    def ours(self) -> Cost:
        engine = self.engine
        with engine.product():
            populate(*self.size)
            preview = timed(lambda: month_end.preview(MONTH, now=AFTER), engine.cpu)
            before = {} if self.before else _snapshot()
            cost = timed(run_month, engine.cpu)
            again = timed(lambda: month_end.close(MONTH, by=LEAD, now=AFTER), engine.cpu)
            self.counts = _refuse_wrong(self.size)
            if before:
                self.before, self.tables = before, own_schema.added(before, _snapshot())
        self.closes.append(cost)
        self.previews.append(preview)
        self.again.append(again)
        return cost

    def floor(self) -> Cost:
        """The same entries worked out in integers, and loaded in bulk into tables that hold nothing else."""
        with self.engine.minimal() as connection:
            cost = timed(lambda: _load(self.engine, connection, *_worked_out(*self.size)), self.engine.cpu)
            found = connection.execute("SELECT (SELECT COUNT(*) FROM entry), (SELECT COUNT(*) FROM posting)").fetchone()
            difference = connection.execute(
                "SELECT COUNT(*) FROM (SELECT account_id, SUM(cents) AS cents FROM posting GROUP BY account_id) AS s"
                " JOIN balance b ON b.account_id = s.account_id WHERE b.cents <> s.cents"
            ).fetchone()[0]
            if tuple(found) != self.counts or difference:
                raise AssertionError(f"the floor wrote {found} entries and lines, ours {self.counts}")
            return cost

    def own(self) -> Cost:
        """The rows that ours left in all tables, written again by raw SQL beside the same population."""
        engine = self.engine
        with engine.product():
            pooled = db.engine.raw_connection()
            connection = pooled.driver_connection
            own_schema.replay(engine, connection, own_schema.added(_snapshot(), self.before))
            cost = timed(lambda: own_schema.replay(engine, connection, self.tables), engine.cpu)
            pooled.close()
            if _counts() != self.counts:
                raise AssertionError("the floor on our own tables wrote other rows than ours")
            return cost


def _address(app: Flask) -> str:
    with app.app_context():
        return db.engine.url.render_as_string(hide_password=False)


def _snapshot() -> own_schema.Snapshot:
    pooled: Any = db.engine.raw_connection()
    try:
        return own_schema.snapshot(pooled.driver_connection)
    finally:
        pooled.close()


def _counts() -> tuple[int, int]:
    with db.engine.connect() as connection:
        row = connection.execute(text("SELECT (SELECT COUNT(*) FROM journal_entry), (SELECT COUNT(*) FROM posting)"))
        entries, postings = row.one()
    return entries, postings


def _refuse_wrong(size: Size) -> tuple[int, int]:
    """The number of entries and lines, once everybody earned and got their guarantee and the books balance."""
    closing = month_end.closing(MONTH)
    with db.engine.connect() as connection:
        total = connection.scalar(text("SELECT SUM(amount_minor) FROM posting"))
        kept = connection.scalar(
            text(
                "SELECT COUNT(*) FROM (SELECT account, maintainer_id, SUM(amount_minor) AS minor FROM ("
                "SELECT account, maintainer_id, amount_minor FROM posting"
                " UNION ALL SELECT account, maintainer_id, -amount_minor FROM balance"
                " UNION ALL SELECT account, maintainer_id, -amount_minor FROM balance_delta) AS sides"
                " GROUP BY account, maintainer_id HAVING SUM(amount_minor) <> 0) AS differing"
            )
        )
    if closing.earned.minor != size[1] * GUARANTEE or closing.payable.minor or total or kept:
        raise AssertionError("the month did not earn and reserve what it should have, or balances differ")
    return _counts()


def _worked_out(clients: int, people: int) -> tuple[list[Any], list[Any], dict[int, int]]:
    """The entries of the month as bare rows: invoices, recognition, one allocation, pay, fund use, payouts."""
    heads: list[tuple[int, str, str]] = []
    lines: list[tuple[int, int, str, int]] = []

    def post(source: str, postings: list[tuple[int, int]]) -> None:
        number = len(heads) + 1
        heads.append((number, "2026-10-31", source))
        lines.extend((number, account, "2026-10-31", cents) for account, cents in postings)

    funds: dict[int, int] = defaultdict(int)
    for client in range(clients):
        fee = FEE + client
        post(f"invoice:{client}", [(20 + client % 400, fee), (420 + client % 400, -fee)])
        post(f"recognition:{client}", [(420 + client % 400, fee), (0, -fee)])
        overhead, reserve, rest = split(fee, [OVERHEAD_BP, RESERVE_BP, BASIS - OVERHEAD_BP - RESERVE_BP])
        for fund, cents in enumerate([overhead, reserve, *split(rest, range(1, PACKAGES + 1))]):
            funds[fund] += cents
    post("allocation", [(1, sum(funds.values())), *((5 + fund, -cents) for fund, cents in funds.items())])
    used: dict[int, int] = defaultdict(int)
    for person in range(people):
        post(f"earnings:{person}", [(2, GUARANTEE), (20 + person % 900, -GUARANTEE)])
        fund = 2 + person % PACKAGES
        used[fund] += min(GUARANTEE, max(funds[fund] - used[fund], 0))
    drawn = [(5 + fund, cents) for fund, cents in used.items() if cents]
    post("fund-use", [*drawn, (1, -sum(cents for _, cents in drawn))])
    for person in range(people):
        post(f"payout:{person}", [(20 + person % 900, GUARANTEE), (3, -GUARANTEE)])
    balances: dict[int, int] = defaultdict(int)
    for _, account, _, cents in lines:
        balances[account] += cents
    return heads, lines, balances


def _load(engine: Engine, connection: Any, heads: list[Any], lines: list[Any], balances: dict[int, int]) -> None:
    tables: tuple[own_schema.Table, ...] = (
        ("entry", ("id", "day", "source"), heads),
        ("posting", ("entry_id", "account_id", "day", "cents"), lines),
        ("balance", ("account_id", "cents"), list(balances.items())),
    )
    connection.execute("BEGIN IMMEDIATE" if engine.is_sqlite else "BEGIN")
    for name, columns, rows in tables:
        own_schema.insert(engine, connection, (name, columns, rows))
    connection.execute("COMMIT")
