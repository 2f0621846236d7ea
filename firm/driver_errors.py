"""What an error of the driver means, told by the words of either database."""

from __future__ import annotations

import re

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.exc import DBAPIError

from firm.columns import Base


def may_be_retried(error: DBAPIError) -> bool:
    """Whether the transaction fell to a deadlock or a serialization failure: run again, it may succeed."""
    return getattr(error.orig, "sqlstate", None) in ("40001", "40P01")


def is_lock_wait(error: DBAPIError) -> bool:
    """Whether another writer held a lock for longer than we wait."""
    return getattr(error.orig, "sqlstate", None) == "55P03" or "database is locked" in str(error.orig)


def violated(error: DBAPIError, constraint: str) -> bool:
    """Whether an IntegrityError is about the named constraint or, on SQLite, its columns "table.a, table.b"."""
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if name is not None:
        return bool(name == constraint)
    found = re.search(r"constraint failed: (.+)", str(error.orig))
    return found is not None and found[1] in (constraint, _sqlite_columns(constraint))


def _sqlite_columns(constraint: str) -> str:
    """SQLite reports a violated unique constraint by its columns; find those of a named one."""
    for table in Base.metadata.tables.values():
        for named in (*table.constraints, *table.indexes):
            if isinstance(named, (UniqueConstraint, Index)) and named.name == constraint:
                return ", ".join(f"{table.name}.{column.name}" for column in named.columns)
    return constraint
