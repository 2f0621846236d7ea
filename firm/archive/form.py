"""The form of an archive: its tables, how values are written, and how they are read again."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Date, LargeBinary, Table
from sqlalchemy.types import TypeEngine

from firm.columns import MonthText, UtcMoment
from firm.month import Month

FORMAT = 1

LEFT_OUT = {
    "api_token": "tokens open doors; issue new ones",
    "token_use": "belongs to tokens",
    "keyed_answer": "answers to requests under keys of those tokens",
    "allowance": "counts of requests in a minute that is over",
    "job": "work under way belongs to where it was begun; nothing may be done twice",
    "schedule": "is written anew by the next worker",
    "restoration": "whoever reads the archive begins one, and reconciles it",
    "webhook_endpoint": "a copy of the firm must not tell the world about itself; add the endpoints anew",
    "webhook_event": "belongs to the endpoints",
    "webhook_delivery": "belongs to the endpoints",
    "webhook_attempt": "belongs to the endpoints",
    "webhook_outbox": "belongs to the endpoints",
}
"""Tables that no archive holds, and why."""

EMPTIED = {"principal": {"totp_sealed": None, "totp_step": None}}
"""Columns that are written empty: whoever reads the archive must not be able to approve."""


def held(tables: Iterable[Table]) -> list[Table]:
    """The tables that an archive holds, in the order in which they can be read in."""
    return [table for table in tables if table.name not in LEFT_OUT]


def line_of(table: Table, row: Mapping[str, Any]) -> str:
    """A row as one line of JSON, the same for the same row."""
    values = {**row, **EMPTIED.get(table.name, {})}
    return json.dumps({name: _written(value) for name, value in values.items()}, ensure_ascii=False, sort_keys=True)


def reader_of(table: Table) -> Callable[[str], dict[str, Any]]:
    """A function from a line to the values of a row. Raises `ValueError` and `TypeError` for what is none."""
    readers = {column.name: _reader(column.type) for column in table.columns}

    def read(line: str) -> dict[str, Any]:
        values = json.loads(line)
        if not isinstance(values, dict) or set(values) != set(readers):
            raise ValueError(f"the columns are not those of {table.name}")
        return {name: None if value is None else readers[name](value) for name, value in values.items()}

    return read


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value) if isinstance(value, Month) else value


def _reader(kind: TypeEngine[Any]) -> Callable[[Any], Any]:
    if isinstance(kind, UtcMoment):
        return _moment
    if isinstance(kind, MonthText):
        return Month.parse
    if isinstance(kind, Date):
        return date.fromisoformat
    if isinstance(kind, LargeBinary):
        return base64.b64decode
    wanted = kind.python_type

    def as_written(value: Any) -> Any:
        if type(value) is not wanted:
            raise ValueError(f"{value!r} is no {wanted.__name__}")
        return value

    return as_written


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return moment
