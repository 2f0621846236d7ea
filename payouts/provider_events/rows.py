"""Inserting what the provider may tell twice at the same moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from firm.columns import Base


def insert_new(session: Session, table: type[Base], row: Mapping[str, Any], key: Sequence[str]) -> bool:
    """Whether the row is new by its key: of two at once, one makes it, and neither fails."""
    columns: Any = table
    known = select(columns.id).where(*(getattr(table, name) == row[name] for name in key))
    # The look first: SQLite's guard against replacing refuses a known key whatever the statement says of it.
    if session.scalar(known) is not None:
        return False
    if session.get_bind().dialect.name == "sqlite":
        session.add(table(**row))
        session.flush()
        return True
    insert = postgresql.insert(table).values(**row).on_conflict_do_nothing().returning(columns.id)
    return session.scalar(insert) is not None
