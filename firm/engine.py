"""The engine: which database is opened, and what SQLite or PostgreSQL is told on each connection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as sqlite
from sqlalchemy import Dialect, Engine, event
from sqlalchemy.engine import Connection, make_url

from firm import private
from firm.errors import Misconfigured
from firm.settings import Settings

FIRST_SAFE_SQLITE = (3, 51, 3)
"""Older SQLite libraries (from 3.7.0) can corrupt a WAL database written by two connections at once."""

LOCK_WAIT_SECONDS = 8
"""How long a write waits for another one before the caller is told to try again."""


def flask_config(settings: Settings) -> dict[str, Any]:
    """What Flask-SQLAlchemy needs. Raises `Misconfigured` if the SQLite library may corrupt our files."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "postgresql":
        options: dict[str, Any] = {
            "connect_args": {"options": f"-c lock_timeout={LOCK_WAIT_SECONDS}s -c timezone=UTC"},
            # No ping before each use, which would cost every transaction a round trip: a lost connection answers
            # one request with 503, and the pool starts afresh.
            "pool_recycle": 1800,
            "hide_parameters": True,
        }
        return {"SQLALCHEMY_DATABASE_URI": url, "SQLALCHEMY_ENGINE_OPTIONS": options}
    if sqlite.sqlite_version_info < FIRST_SAFE_SQLITE:
        raise Misconfigured(
            f"The SQLite library {sqlite.sqlite_version} can corrupt a database that two processes write; "
            "install the pysqlite3 wheel of requirements/runtime.txt, or use PostgreSQL."
        )
    path = Path(url.database or "").absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"The folder of the database {path} cannot be made; name another.") from error
    options = {
        "module": sqlite,
        "connect_args": {"timeout": LOCK_WAIT_SECONDS},
        # The values of a failed statement are people's data; its text is enough to find the place.
        "hide_parameters": True,
    }
    return {"SQLALCHEMY_DATABASE_URI": url.set(database=str(path)), "SQLALCHEMY_ENGINE_OPTIONS": options}


def prepare_engine(engine: Engine, *, synchronous: str) -> None:
    """Give a SQLite engine our pragmas on every connection, and BEGIN IMMEDIATE for writers."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "do_connect")
    def _keep_private(_dialect: Dialect, _record: object, arguments: list[Any], _options: dict[str, Any]) -> None:
        # SQLite would make the file as the umask has it, for all to read; its log and index follow the file's mode.
        path = Path(str(arguments[0]))
        if path.is_absolute() and path.parent.is_dir():
            private.touch(path)

    @event.listens_for(engine, "connect")
    def _set_pragmas(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={LOCK_WAIT_SECONDS * 1000}",
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            "cache_size=-65536",
            "trusted_schema=OFF",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Writers take the write lock at once: a lock asked for halfway fails without waiting. Readers must
        # not take it, or they would wait for writers.
        mode = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
        connection.exec_driver_sql(f"BEGIN {mode}")
