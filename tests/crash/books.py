"""The books that schedules begin with, kept by name and put back in milliseconds, on each engine."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql

from firm.db import db
from tests.postgres import create_database


class Books(Protocol):
    """One database of the application that runs. Nobody may be connected while it is kept or put back."""

    url: str

    def keep(self, name: str) -> None:
        """Remember the books as they are now."""
        ...

    def put_back(self, name: str) -> None:
        """Make the books what they were when they were kept under this name."""
        ...


class SqliteBooks:
    """A file in memory where the machine has such a place: SIGKILL cannot show what a power cut would."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "chambers.db"
        self.url = f"sqlite:///{self._path}"

    def keep(self, name: str) -> None:
        # Closing the last connection writes the log back, so that the file alone is the whole database.
        db.engine.dispose()
        shutil.copy(self._path, self._folder / f"{name}.kept")

    def put_back(self, name: str) -> None:
        db.engine.dispose()
        for tail in ("-wal", "-shm"):
            self._path.with_name(self._path.name + tail).unlink(missing_ok=True)
        shutil.copy(self._folder / f"{name}.kept", self._path)


class PostgresBooks:
    """A database whose rows are deleted and copied in again; making one from a template takes far longer."""

    def __init__(self, server_url: str) -> None:
        self.url = create_database(server_url, "crashed")
        self._kept: dict[str, dict[str, list[bytes]]] = {}
        self._numbers: dict[str, list[tuple[str, int, bool]]] = {}

    def keep(self, name: str) -> None:
        db.engine.dispose()
        with psycopg.connect(self.url) as connection:
            tables = [table for (table,) in connection.execute(_TABLES)]
            self._kept[name] = {table: _copied_out(connection, table) for table in tables}
            self._numbers[name] = [_number(connection, sequence) for (sequence,) in connection.execute(_SEQUENCES)]

    def put_back(self, name: str) -> None:
        db.engine.dispose()
        kept = self._kept[name]
        with psycopg.connect(self.url) as connection:
            # What a killed life has begun ends here.
            connection.execute(_END_OTHERS)
            connection.execute("SET session_replication_role = replica")
            delete = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in kept]
            connection.execute(sql.SQL("; ").join(delete))
            for table, parts in kept.items():
                if any(parts):
                    _copy_in(connection, table, parts)
            for sequence, value, called in self._numbers[name]:
                connection.execute("SELECT setval(%s::regclass, %s, %s)", (sequence, value, called))


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1"
_SEQUENCES = "SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences ORDER BY 1"
_END_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def _copied_out(connection: psycopg.Connection, table: str) -> list[bytes]:
    query = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(query) as rows:
        return [bytes(part) for part in rows]


def _copy_in(connection: psycopg.Connection, table: str, parts: list[bytes]) -> None:
    query = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(query) as rows:
        for part in parts:
            rows.write(part)


def _number(connection: psycopg.Connection, sequence: str) -> tuple[str, int, bool]:
    row = connection.execute(f"SELECT last_value, is_called FROM {sequence}").fetchone()  # type: ignore[call-overload]
    return (sequence, row[0], row[1])
