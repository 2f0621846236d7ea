"""The chain's arithmetic: the canonical bytes of a record, and the hash that binds it to all before it."""

from __future__ import annotations

import hashlib
import json
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
    text = json.dumps(state, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def state_of(table: Table, row: Any) -> dict[str, Any]:
    """What a row says, but for the columns that stand apart from its state (`info={"apart": True}`)."""
    return {column.key: getattr(row, column.key) for column in table.columns if not column.info.get("apart")}


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
