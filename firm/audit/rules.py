"""The chain's arithmetic: the canonical bytes of a record, and the hash that binds it to all before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table

VERSION = 1
FIRST = "0" * 64
"""What stands before the first link."""

FIELDS = (
    "id",
    "at",
    "actor",
    "role",
    "on_behalf_of",
    "token_id",
    "request_id",
    "verb",
    "subject",
    "before_sha256",
    "after_sha256",
    "facts",
)


def link_hash(seq: int, before: str, record: Any) -> str:
    """SHA-256 over version, number, the hash before, and the record, as one canonical JSON array (docs/audit.md)."""
    values = [getattr(record, name) for name in FIELDS]
    content = [VERSION, seq, before, *(_moment(value) if isinstance(value, datetime) else value for value in values)]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def digest(thing: Any) -> str:
    """SHA-256 of a state as canonical JSON: a mapping, a dataclass, or a row of the ORM with all its columns."""
    table = getattr(type(thing), "__table__", None)
    if table is not None:
        state = state_of(table, thing)
    else:
        state = asdict(thing) if is_dataclass(thing) and not isinstance(thing, type) else thing
    return hashlib.sha256(_text(state).encode()).hexdigest()


def _text(state: Any) -> str:
    return json.dumps(state, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)


def whole(thing: Any, parts: Iterable[Any]) -> dict[str, Any]:
    """The state of a row together with the rows that are a part of it, by the names of their tables."""
    return with_parts(state_of(type(thing).__table__, thing), [(type(part).__table__, part) for part in parts])


def with_parts(state: Mapping[str, Any], parts: Iterable[tuple[Table, Any]]) -> dict[str, Any]:
    """A state with its parts' states, in an order that nobody's reading decides."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table, row in parts:
        found.setdefault(table.name, []).append(state_of(table, row))
    return {**state, **{name: sorted(states, key=_text) for name, states in found.items()}}


def state_of(table: Table, row: Any) -> dict[str, Any]:
    """What a row says, but for the columns that stand apart from its state (`info={"apart": True}`)."""
    return {column.key: getattr(row, column.key) for column in table.columns if not column.info.get("apart")}


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
