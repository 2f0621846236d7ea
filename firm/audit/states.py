"""Whether each thing still is what its last audit record left.

A record of a change keeps the digest of the thing as it was afterwards. Whoever edits a row behind our back, in the
database or in an archive, would have to rewrite that record too, and with it every link of the chain behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from firm.audit.model import audit_record
from firm.audit.rules import digest, state_of, with_parts
from firm.db import AnyRow
from firm.invariant import Walk

PAGE = 2_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """A table whose rows are on record one by one."""

    table: Table
    verbs: Sequence[str]
    """The records that keep the digest of a row."""
    subject: Callable[[AnyRow], str] = lambda row: str(row.id)
    """What such a record names as its subject."""
    moves: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """A column that goes on by itself, and what it may have held at the last record."""
    shared: Sequence[str] = ()
    """Records of the same kind that other tables have too."""
    many: bool = False
    """Whether one subject has several rows, each on record once."""
    grown: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The columns that a migration, by its revision, added to rows that were on record already."""
    parts: Mapping[Table, str] = field(default_factory=dict)
    """Tables whose rows are on record as a part of a row of this one, and the column that says of which. Records from
    before that was so hold the row alone."""
    unseen: Sequence[str] = ()
    """Columns that no record holds: sealed contents, which a digest beside them stands for."""
    drifts: Mapping[str, Any] = field(default_factory=dict)
    """Columns that change without a record until the next one, and what they hold at first."""
    some: bool = False
    """Whether rows may be there without a record of their own."""
    left_out: bool = False
    """Whether an archive leaves the rows out, so that records may be of none."""
    page: int = PAGE
    """How many rows are read at once: few, where each may hold a document."""


@dataclass(slots=True)
class _Left:
    """What the records of one table's rows left, by subject: the digest of the last one, or of all where one subject
    has several rows; and which subjects are surely of this table."""

    digests: dict[str, set[str]] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)


def walk(tables: Sequence[Recorded]) -> Walk:
    """The check over all of them."""
    return Walk(
        "states-on-record",
        "Everything on record is as its last audit record left it, and nothing is there without one.",
        lambda session: _all_differing(session, tables),
    )


def _all_differing(session: Session, tables: Sequence[Recorded]) -> Iterator[dict[str, Any]]:
    for one, left in zip(tables, _left(session, tables), strict=True):
        yield from _differing(session, one, left)


def _differing(session: Session, one: Recorded, left: _Left) -> Iterator[dict[str, Any]]:
    parts = _parts(session, one)
    seen = set()
    for row in _rows(session, one.table, one.page):
        subject = one.subject(row)
        seen.add(subject)
        if subject not in left.digests:
            if not one.some:
                yield {"what": one.table.name, "which": subject, "wrong": "there is no record of it"}
        elif left.digests[subject].isdisjoint(_digests(row, one, parts.get(subject, []))):
            yield {"what": one.table.name, "which": subject, "wrong": "it is not what its last audit record left"}
    for subject in sorted(left.own - seen) if not one.left_out else ():
        yield {"what": one.table.name, "which": subject, "wrong": "it is on record, and is not there"}


def _left(session: Session, tables: Sequence[Recorded]) -> list[_Left]:
    """What the records left of each table, read in one pass over the log."""
    found = [_Left() for _ in tables]
    told: dict[str, list[tuple[Recorded, _Left]]] = {}
    for one, left in zip(tables, found, strict=True):
        for verb in (*one.verbs, *one.shared):
            told.setdefault(verb, []).append((one, left))
    columns = audit_record.c
    query = select(columns.verb, columns.subject, columns.after_sha256).where(
        columns.verb.in_(sorted(told)), columns.after_sha256.is_not(None)
    )
    for verb, subject, after in session.execute(query.order_by(columns.id)):
        for one, left in told[verb]:
            left.digests[subject] = left.digests.get(subject, set()) | {after} if one.many else {after}
            if verb in one.verbs:
                left.own.add(subject)
    return found


def _parts(session: Session, one: Recorded) -> dict[str, list[tuple[Table, AnyRow]]]:
    """The parts of each row, by its id."""
    found: dict[str, list[tuple[Table, AnyRow]]] = {}
    for table, owner in one.parts.items():
        for row in _rows(session, table):
            found.setdefault(str(getattr(row, owner)), []).append((table, row))
    return found


def _digests(row: AnyRow, one: Recorded, parts: Sequence[tuple[Table, AnyRow]]) -> Iterator[str]:
    """What the last record may have left: the row as it is, and as it was before the table grew."""
    state = state_of(one.table, row)
    if one.unseen:
        # As a rotation of keys leaves it.
        yield digest(state)
        state = {name: value for name, value in state.items() if name not in one.unseen}
    for aged in _ages(state, one):
        yield digest(aged)
        yield digest(with_parts(aged, parts))
        if one.drifts:
            yield digest({**aged, **one.drifts})
            yield digest(aged | {name: getattr(row, name) for name in one.drifts})
        for column, values in one.moves.items():
            yield from (digest(aged | {column: value}) for value in values)


def _ages(state: dict[str, Any], one: Recorded) -> Iterator[dict[str, Any]]:
    yield state
    for revision in sorted(one.grown, reverse=True):
        state = {name: value for name, value in state.items() if name not in one.grown[revision]}
        yield state


def _rows(session: Session, table: Table, page: int = PAGE) -> Iterator[AnyRow]:
    keys = list(table.primary_key.columns)
    yield from session.execute(select(table).order_by(*keys).execution_options(yield_per=page))
