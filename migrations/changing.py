"""Changing a CHECK of a table that exists, the same on both databases.

SQLite cannot alter a constraint, so its table is built again from its own definition with the text changed; rows,
indexes and triggers come along. `migrations.run` has switched foreign keys off for that.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text


def replace_check(table: str, name: str, before: str, after: str) -> None:
    """Replace the condition of a named CHECK (its whole name, "ck_payout_state_known")."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({after})")
        return
    old, new = f"CONSTRAINT {name} CHECK ({before})", f"CONSTRAINT {name} CHECK ({after})"
    definition = _definition(table)
    if old not in definition:
        raise LookupError(f"{table} has no such constraint: {old}")
    _rebuild(table, definition.replace(old, new))


def _definition(table: str) -> str:
    query = text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table")
    return str(op.get_bind().execute(query, {"table": table}).scalar_one())


def _rebuild(table: str, definition: str) -> None:
    bind, waiting = op.get_bind(), f"{table}_rebuilt"
    query = text("SELECT sql FROM sqlite_master WHERE tbl_name = :table AND type IN ('index', 'trigger') AND sql <> ''")
    belongings = [str(sql) for sql in bind.execute(query, {"table": table}).scalars()]
    opening = definition.index("(")
    bind.exec_driver_sql(f"CREATE TABLE {waiting} {definition[opening:]}")
    # By name: a column added later stands at the end of one table and may stand elsewhere in the other.
    columns = ", ".join(str(row[1]) for row in bind.exec_driver_sql(f"PRAGMA table_info({table})"))
    bind.exec_driver_sql(f"INSERT INTO {waiting} ({columns}) SELECT {columns} FROM {table}")
    # Triggers of other tables name this one while it is away for a moment.
    bind.exec_driver_sql("PRAGMA legacy_alter_table=ON")
    bind.exec_driver_sql(f"DROP TABLE {table}")
    bind.exec_driver_sql(f"ALTER TABLE {waiting} RENAME TO {table}")
    bind.exec_driver_sql("PRAGMA legacy_alter_table=OFF")
    for sql in belongings:
        bind.exec_driver_sql(sql)
