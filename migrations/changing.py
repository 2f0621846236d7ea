"""Changing a CHECK of a table that exists, the same on both databases.

SQLite cannot alter a constraint, so its table is built again from its own definition with the text changed; rows,
indexes and triggers come along. `migrations.run` has switched foreign keys off for that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from alembic import op
from sqlalchemy import text


def replace_check(table: str, name: str, before: str, after: str) -> None:
    """Replace the condition of a named CHECK (its whole name, "ck_payout_state_known")."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({after})")
        return
    old, new = f"CONSTRAINT {name} CHECK ({before})", f"CONSTRAINT {name} CHECK ({after})"
    definition = definition_of(table)
    if old not in definition:
        raise LookupError(f"{table} has no such constraint: {old}")
    rebuild(table, definition.replace(old, new))


def require(table: str, columns: Sequence[str], checks: Mapping[str, str]) -> None:
    """Make columns that are filled NOT NULL, and add CHECKs by their whole names."""
    if op.get_bind().dialect.name == "postgresql":
        for column in columns:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
        for name, condition in checks.items():
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition})")
        return
    definition = definition_of(table)
    for column in columns:
        nullable = rf"(\b{column} [A-Z]+(?:\(\d+\))?)(?=[,\s)])(?! NOT NULL)"
        definition, found = re.subn(nullable, r"\1 NOT NULL", definition)
        if found != 1:
            raise LookupError(f"{table} has no column {column} without NOT NULL")
    more = "".join(f", CONSTRAINT {name} CHECK ({condition})" for name, condition in checks.items())
    rebuild(table, definition.rstrip().removesuffix(")") + more + ")")


def definition_of(table: str) -> str:
    """SQLite's own words of how a table was made."""
    query = text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table")
    return str(op.get_bind().execute(query, {"table": table}).scalar_one())


def rebuild(table: str, definition: str) -> None:
    """Make a table of SQLite anew from a definition; columns that this one does not have are left behind."""
    bind, waiting = op.get_bind(), f"{table}_rebuilt"
    query = text("SELECT sql FROM sqlite_master WHERE tbl_name = :table AND type IN ('index', 'trigger') AND sql <> ''")
    belongings = [str(sql) for sql in bind.execute(query, {"table": table}).scalars()]
    opening = definition.index("(")
    bind.exec_driver_sql(f"CREATE TABLE {waiting} {definition[opening:]}")
    # By name: a column added later stands at the end of one table and may stand elsewhere in the other.
    columns = ", ".join(str(row[1]) for row in bind.exec_driver_sql(f"PRAGMA table_info({waiting})"))
    bind.exec_driver_sql(f"INSERT INTO {waiting} ({columns}) SELECT {columns} FROM {table}")
    # Triggers of other tables name this one while it is away for a moment.
    bind.exec_driver_sql("PRAGMA legacy_alter_table=ON")
    bind.exec_driver_sql(f"DROP TABLE {table}")
    bind.exec_driver_sql(f"ALTER TABLE {waiting} RENAME TO {table}")
    bind.exec_driver_sql("PRAGMA legacy_alter_table=OFF")
    for sql in belongings:
        bind.exec_driver_sql(sql)


def changed_but_for_its_seal(columns: Sequence[str], sealed: str) -> str:
    """A condition on OLD and NEW for the guard of a row that stays, and whose sealed value may get another key.

    True when one of the columns differs, or the sealed one does without being sealed with another key.
    """
    postgresql = op.get_bind().dialect.name == "postgresql"
    differs = "IS DISTINCT FROM" if postgresql else "IS NOT"
    key = "split_part({0}, '.', 2)" if postgresql else "substr({0}, 4, instr(substr({0}, 4), '.') - 1)"
    old, new = key.format(f"OLD.{sealed}"), key.format(f"NEW.{sealed}")
    anew = f"OLD.{sealed} IS NOT NULL AND NEW.{sealed} IS NOT NULL AND NEW.{sealed} LIKE 'v1.%.%' AND {old} <> {new}"
    parts = [f"OLD.{column} {differs} NEW.{column}" for column in columns]
    return " OR ".join([*parts, f"(OLD.{sealed} {differs} NEW.{sealed} AND NOT ({anew}))"])
