"""Many rows at once, by the quickest way of each engine."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from firm.columns import Base


def bulk_insert(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of equal keys by the quickest way of each engine: COPY, or one prepared statement.

    Values go through their columns' types here, once: building a statement's parameters row by row would take
    longer than the database does.
    """
    if not rows:
        return
    session.flush()
    connection = session.connection()
    columns = tuple(rows[0])
    plan = _insert_plan(table.name, columns, connection.dialect.name)
    values = (tuple([process(row[name]) if process else row[name] for name, process in plan]) for row in rows)
    if connection.dialect.name == "postgresql":
        _copy(connection, f'COPY "{table.name}" ({_quoted(columns)}) FROM STDIN', values)
    else:
        marks = ", ".join("?" * len(columns))
        statement = f'INSERT INTO "{table.name}" ({_quoted(columns)}) VALUES ({marks})'  # noqa: S608
        connection.exec_driver_sql(statement, list(values))


@functools.cache
def _insert_plan(table: str, columns: tuple[str, ...], dialect: str) -> list[tuple[str, Callable[[Any], Any] | None]]:
    """Each column with what its type does to a value on the way to the driver, if anything."""
    engine = {"postgresql": postgresql, "sqlite": pysqlite}[dialect].dialect()
    types = Base.metadata.tables[table].c
    return [(name, types[name].type.dialect_impl(engine).bind_processor(engine)) for name in columns]


def _quoted(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _copy(connection: Connection, statement: str, values: Iterable[tuple[Any, ...]]) -> None:
    raw: Any = connection.connection.driver_connection
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            for row in values:
                copy.write_row(row)
    except connection.dialect.loaded_dbapi.IntegrityError as error:
        raise IntegrityError(statement, None, error) from error
    except connection.dialect.loaded_dbapi.Error as error:
        raise DBAPIError(statement, None, error) from error
