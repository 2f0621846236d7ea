"""The rotation of keys: every sealed value under the newest one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, MetaData, Table, and_, func, select, update
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import claim, reading, transaction, use_case
from firm.secrets import SealedColumn, SecretKeys

AT_ONCE = 100
"""How many values are sealed anew in one transaction."""

Progress = Callable[[int, int | None], None]


def reseal_all(
    columns: Sequence[SealedColumn],
    tables: MetaData,
    *,
    keys: SecretKeys,
    progress: Progress = lambda done, total: None,
    by: Actor,
    now: datetime,
) -> int:
    """Seal every value under the newest key, and say how many were not. May be repeated, and resumed.

    Raises `SecretKeyMissing` when a value needs a key that is not set, `SecretUnreadable` for a damaged one; what was
    done before stays done.
    """
    done, total = 0, sum(waiting(columns, tables, keys=keys).values())
    for column in columns:
        table = tables.tables[column.table]
        while count := _reseal_some(column, table, keys=keys, by=by, now=now):
            done += count
            progress(done, max(done, total))
    return done


def waiting(columns: Sequence[SealedColumn], tables: MetaData, *, keys: SecretKeys) -> dict[str, int]:
    """How many values of each column are sealed with another key than the newest."""
    with reading() as session:
        return {
            f"{column.table}.{column.column}": session.scalar(
                select(func.count()).where(_is_old(column, tables.tables[column.table], keys))
            )
            or 0
            for column in columns
        }


@use_case
def _reseal_some(column: SealedColumn, table: Table, *, keys: SecretKeys, by: Actor, now: datetime) -> int:
    with transaction() as session:
        old = select(table).where(_is_old(column, table, keys)).order_by(table.c.id).limit(AT_ONCE)
        rows = [dict(row) for row in session.execute(old).mappings()]
        for row in rows:
            _reseal(session, column, table, row, keys, by=by, now=now)
        return len(rows)


def _reseal(
    session: Session,
    column: SealedColumn,
    table: Table,
    row: Mapping[str, Any],
    keys: SecretKeys,
    *,
    by: Actor,
    now: datetime,
) -> None:
    place, sealed = column.place_of(row["id"]), row[column.column]
    anew = keys.seal(keys.open(sealed, place=place), place=place)
    same = update(table).where(table.c.id == row["id"], table.c[column.column] == sealed)
    if not claim(session, same.values({column.column: anew})):
        # Somebody changed it in this moment, and has sealed it with the newest key.
        return
    facts = {"column": f"{column.table}.{column.column}", "key": keys.newest}
    after = {**row, column.column: anew}
    audit.record(
        session,
        "secret.resealed",
        column.subject_of(row["id"]),
        facts,
        before=digest(row),
        after=after,
        by=by,
        now=now,
    )


def _is_old(column: SealedColumn, table: Table, keys: SecretKeys) -> ColumnElement[bool]:
    value = table.c[column.column]
    return and_(value.is_not(None), func.substr(value, 1, len(keys.prefix)) != keys.prefix)
