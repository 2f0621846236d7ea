"""Upgrading, downgrading and checking the schema of an engine."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to a revision. May be repeated."""
    _with_connection(engine, lambda config: command.upgrade(config, revision))


def downgrade(engine: Engine, revision: str) -> None:
    """Take the schema back to a revision ("base" for none). For development and its tests."""
    _with_connection(engine, lambda config: command.downgrade(config, revision))


def check(engine: Engine) -> None:
    """Raises alembic's error when the schema differs from the models."""
    _with_connection(engine, command.check)


def is_current(engine: Engine) -> bool:
    """Whether the schema is the one this version was written for."""
    return revision_of(engine) == head()


def revision_of(engine: Engine) -> str | None:
    """The revision the database is at; None when it has no tables of ours."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


@cache
def head() -> str | None:
    """The revision this version was written for."""
    return ScriptDirectory.from_config(config_for()).get_current_head()


def knows(revision: str) -> bool:
    """Whether a revision is one of this version's history, which can be brought to its head."""
    return any(script.revision == revision for script in ScriptDirectory.from_config(config_for()).walk_revisions())


def config_for() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def _with_connection(engine: Engine, run: Callable[[Config], None]) -> None:
    config = config_for()
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # Rebuilding a table must not fire its foreign keys; the pragma works outside a transaction only.
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        config.attributes["connection"] = connection
        run(config)
        connection.commit()
        if engine.dialect.name == "sqlite":
            connection.connection.cursor().execute("PRAGMA foreign_keys=ON")
