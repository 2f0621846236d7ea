"""Fixtures: every test that asks for `app` runs on a fresh, migrated database, once on each engine.

SQLite tests get a copy of one migrated file; PostgreSQL tests a database made from a migrated template. A worker
keeps one application for each address and the addresses for all of its tests: to make one anew takes longer than most
tests, and SQLAlchemy would translate every statement again.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine

from api.app import create_core
from firm.db import db
from firm.secrets import SecretKeys
from firm.settings import Settings
from migrations import run
from tests.postgres import create_database, renew

TEST_KEY = "test:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
ENGINES = ("sqlite", "postgresql")
SECRET_KEYS = SecretKeys({"test": b"0123456789abcdef0123456789abcdef"})
"""The keys of the setting above."""


def settings_for(url: str) -> Settings:
    return Settings(
        database_url=url,
        secret_keys=TEST_KEY,  # type: ignore[arg-type]
        sqlite_synchronous="NORMAL",
        # Tests ask more in a minute than people do.
        requests_per_minute=100_000,
        strangers_per_minute=100_000,
    )


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One SQLite file with the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "chambers.db"
    app = create_core(settings_for(f"sqlite:///{path}"))
    with app.app_context():
        run.upgrade(db.engine)
        # Closing the last connection writes the log back, so that the file alone is the whole database.
        db.engine.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> str:
    """The name of a PostgreSQL database with the newest schema, to be copied."""
    name = f"template_{uuid.uuid4().hex[:8]}"
    create_database(postgres_server, name)
    engine = create_engine(database_url(postgres_server, name))
    run.upgrade(engine)
    engine.dispose()
    return name


def database_url(server: str, name: str) -> str:
    """The address of one database of the tests' server."""
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the SQLite files of this worker's tests lie, one test after the other."""
    return tmp_path_factory.mktemp("databases")


@pytest.fixture(params=ENGINES)
def fresh_url(request: pytest.FixtureRequest, place: Path) -> Iterator[str]:
    """The address of a fresh, migrated database, on each engine in turn."""
    yield from _fresh(request, place / "chambers.db", request.param)


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, place: Path) -> Iterator[str]:
    """The address of a fresh, migrated SQLite database."""
    yield from _fresh(request, place / "another.db", "sqlite")


@pytest.fixture
def postgresql_url(request: pytest.FixtureRequest, place: Path) -> Iterator[str]:
    """The address of a fresh, migrated PostgreSQL database."""
    yield from _fresh(request, place / "another.db", "postgresql")


def _fresh(request: pytest.FixtureRequest, path: Path, engine: str) -> Iterator[str]:
    if engine == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), path)
        yield f"sqlite:///{path}"
        for tail in ("", "-wal", "-shm"):
            path.with_name(path.name + tail).unlink(missing_ok=True)
        return
    server = request.getfixturevalue("postgres_server")
    renew(server, path.stem, request.getfixturevalue("migrated_template"))
    yield database_url(server, path.stem)


@pytest.fixture
def app(fresh_url: str) -> Iterator[Flask]:
    """The application on a fresh database of each engine, its context pushed."""
    yield from running(fresh_url)


@pytest.fixture
def sqlite_app(sqlite_url: str) -> Iterator[Flask]:
    """The application on a fresh SQLite database, its context pushed."""
    yield from running(sqlite_url)


@cache
def core_of(url: str) -> Flask:
    """The application of one address without its HTTP side, kept for all tests of this worker."""
    return create_core(settings_for(url))


def running(url: str) -> Iterator[Flask]:
    app = core_of(url)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
