"""Reading the rows of an archive in, through the guards: what grew old by steps grows old by them again."""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, update
from sqlalchemy.orm import Session

from firm.archive.form import reader_of
from firm.archive.opening import DAMAGE, InvalidArchive
from firm.bulk import bulk_insert

BATCH = 2_000

Ways = Mapping[str, Mapping[str, Sequence[str]]]
"""For each table whose rows grow old by steps, the steps that may follow each state."""

PAYING = ("payout_run", "payout_approval", "payout", "payout_attempt", "payout_reversal", "rail_file")
"""What goes in run by run, each walking the ways it may go."""

_UNDECIDED: Mapping[str, Any] = {
    "state": "proposed",
    "decided_by": None,
    "decided_at": None,
    "reason": None,
    "sole_approval": False,
    "usable_from": None,
    "replaced_at": None,
}
"""What every destination begins with."""


class Loading:
    """One reading-in: tables in the order of their foreign keys, but for those that other rules put in another."""

    def __init__(self, session: Session, archive: zipfile.ZipFile, ways: Ways) -> None:
        self._session, self._archive, self._ways = session, archive, ways

    def load(self, tables: Sequence[Table]) -> int:
        named = {table.name: table for table in tables}
        self._open_periods(named["period"])
        special = {"period", "posting", "journal_entry", "destination", *PAYING}
        rows = 0
        # Lines refer to entries that come after them; the database looks at the end.
        for table in tables:
            if table.name not in special:
                rows += self._plain(table)
            elif table.name == "journal_entry":
                rows += self._plain(named["posting"]) + self._plain(table)
            elif table.name == "destination":
                rows += self._destinations(table)
            elif table.name == "payout":
                rows += self._runs(named)
        for name in ("payout_attempt", "payout_reversal", "rail_file"):
            rows += self._plain(named[name])
        return rows + self._close_periods(named["period"])

    def _plain(self, table: Table) -> int:
        count = 0
        for batch in _batches(self._in_order(table)):
            bulk_insert(self._session, table, batch)
            count += len(batch)
        return count

    def _in_order(self, table: Table) -> Iterator[dict[str, Any]]:
        """The rows of a table, each after the one of the same table that it refers to, as a correction does."""
        rows = self._lines(table)
        for refers, key in _own_references(table):
            wanted = {str(row[refers]) for row in self._lines(table) if row[refers] is not None}
            if wanted:
                rows = _after_what_they_name(rows, refers, key, wanted)
        return rows

    def _lines(self, table: Table) -> Iterator[dict[str, Any]]:
        read = reader_of(table)
        try:
            with self._archive.open(f"{table.name}.jsonl") as file:
                for line in file:
                    yield read(line.decode("utf-8"))
        except DAMAGE as error:
            raise InvalidArchive(f"{table.name}.jsonl holds a line that is no row of {table.name}.") from error

    def _open_periods(self, table: Table) -> None:
        months = sorted(self._lines(table), key=lambda row: str(row["month"]))
        for row in months:
            young = row | {"state": "open", "closed_at": None, "closed_by": None}
            bulk_insert(self._session, table, [young])

    def _close_periods(self, table: Table) -> int:
        rows = sorted(self._lines(table), key=lambda row: str(row["month"]))
        for row in rows:
            if row["state"] != "open":
                closed = {name: row[name] for name in ("state", "closed_at", "closed_by")}
                self._session.execute(update(table).where(table.c.month == row["month"]).values(**closed))
        return len(rows)

    def _destinations(self, table: Table) -> int:
        """One after the other, each aged to the end: one of a person at most is proposed, and one in force."""
        rows = 0
        for row in self._lines(table):
            bulk_insert(self._session, table, [{**row, **_UNDECIDED}])
            decided = {name: row[name] for name in _UNDECIDED if name not in ("state", "replaced_at")}
            for state in _way(self._ways[table.name], "proposed", row["state"]):
                ended = row["replaced_at"] if state == row["state"] else None
                aged = update(table).where(table.c.id == row["id"])
                self._session.execute(aged.values(state=state, **decided, replaced_at=ended))
            rows += 1
        return rows

    def _runs(self, named: Mapping[str, Table]) -> int:
        """Run by run, each aged to the end: at most one payout of a person is under way at a time."""
        payouts: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for payout in self._lines(named["payout"]):
            payouts[payout["run_id"]].append(payout)
        approvals: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for approval in self._lines(named["payout_approval"]):
            approvals[approval["run_id"]].append(approval)
        runs = list(self._lines(named["payout_run"]))
        for run in runs:
            self._run(named, run, payouts[run["id"]], approvals[run["id"]])
        return len(runs) + sum(map(len, payouts.values())) + sum(map(len, approvals.values()))

    def _run(
        self,
        named: Mapping[str, Table],
        run: dict[str, Any],
        payouts: list[dict[str, Any]],
        approvals: list[dict[str, Any]],
    ) -> None:
        later = ("approved_by", "approved_at", "sole_approval")
        young = run | {"state": "draft", "approved_by": None, "approved_at": None, "sole_approval": False}
        bulk_insert(self._session, named["payout_run"], [young])
        empty = {"reference": None, "settled_on": None, "paid_from": None}
        bulk_insert(self._session, named["payout"], [payout | empty | _first(payout) for payout in payouts])
        self._approve(named, run, approvals)
        self._age(named["payout_run"], run, "draft", {name: run[name] for name in later})
        for payout in payouts:
            last = {name: payout[name] for name in ("reference", "reason", "settled_on", "paid_from")}
            self._age(named["payout"], payout, _first(payout)["state"], last)

    def _approve(self, named: Mapping[str, Table], run: dict[str, Any], approvals: list[dict[str, Any]]) -> None:
        """The approvals as they came: what a run held when one was given that is void now need not be what it holds."""
        bulk = [approval | {"voided_at": None, "void_reason": None} for approval in approvals]
        for row, approval in zip(bulk, approvals, strict=True):
            table = named["payout_run"]
            here = update(table).where(table.c.id == run["id"])
            self._session.execute(here.values(digest=approval["digest"]))
            bulk_insert(self._session, named["payout_approval"], [row])
            if approval["voided_at"] is not None:
                void = {name: approval[name] for name in ("voided_at", "void_reason")}
                mine = named["payout_approval"].c.id == approval["id"]
                self._session.execute(update(named["payout_approval"]).where(mine).values(**void))
        table = named["payout_run"]
        self._session.execute(update(table).where(table.c.id == run["id"]).values(digest=run["digest"]))

    def _age(self, table: Table, row: dict[str, Any], first: str, last: dict[str, Any]) -> None:
        """Bring a row to its state by the steps that a row may take; what else changed comes with the steps."""
        for state in _way(self._ways[table.name], first, row["state"]):
            self._session.execute(update(table).where(table.c.id == row["id"]).values(state=state, **last))


def _first(payout: dict[str, Any]) -> dict[str, Any]:
    """How a payout began: what is carried over is so from the start, and what was held may have been planned."""
    state = payout["state"]
    return {"state": state if state in ("held", "carried-over") else "planned", "reason": payout["reason"]}


def _way(edges: Mapping[str, Sequence[str]], first: str, last: str) -> list[str]:
    """The states after the first on a shortest way to the last."""
    ways: dict[str, list[str]] = {first: []}
    waiting = [first]
    while waiting:
        here = waiting.pop(0)
        for following in edges.get(here, ()):
            if following not in ways:
                ways[following] = [*ways[here], following]
                waiting.append(following)
    if last not in ways:
        raise InvalidArchive(f"Nothing gets from {first} to {last!r}.")
    return ways[last]


def _own_references(table: Table) -> list[tuple[str, str]]:
    """The columns of a table that name a row of the same table, each with the column by which it is named."""
    keys = sorted(table.foreign_keys, key=lambda key: key.parent.name)
    return [(key.parent.name, key.column.name) for key in keys if key.column.table is table]


def _after_what_they_name(
    rows: Iterator[dict[str, Any]], refers: str, key: str, wanted: Collection[str]
) -> Iterator[dict[str, Any]]:
    """The rows as they come, but for those that come before the one that they name: they follow it.

    A guard looks for what a row names when it comes in, and ids sort by the clocks of those who gave them. What names a
    row that is not there, or itself, comes last, for the books to refuse.
    """
    here: set[str] = set()
    early: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        named = str(row[refers])
        if row[refers] is not None and named not in here:
            early[named].append(row)
            continue
        ready = [row]
        while ready:
            following = ready.pop()
            yield following
            if (name := str(following[key])) in wanted:
                here.add(name)
                ready += early.pop(name, [])
    for left in early.values():
        yield from left


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
