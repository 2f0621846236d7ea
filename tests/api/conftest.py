"""Fixtures: the whole application on a fresh database, the clock at a moment of the examples, and callers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from api.app import create_app, create_core
from firm.actor import Role
from firm.db import db
from payouts import month_end
from tests import lovelace
from tests.api.callers import Caller, as_role
from tests.databases import settings_for


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """The clock stands where October 2026 begins; move it with `move_to`."""
    with time_machine.travel(lovelace.BEFORE) as traveller:
        yield traveller


@pytest.fixture
def served(fresh_url: str) -> Iterator[Flask]:
    """The application with its HTTP side, on a fresh database of each engine."""
    yield from serving(fresh_url)


@pytest.fixture
def sqlite_served(sqlite_url: str) -> Iterator[Flask]:
    """The application with its HTTP side, on a fresh SQLite database."""
    yield from serving(sqlite_url)


@pytest.fixture
def lead(served: Flask) -> Caller:
    return as_role(served, Role.LEAD)


@pytest.fixture(scope="session")
def closed_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One SQLite file with the firm of the examples, its October closed, to be copied."""
    path = tmp_path_factory.mktemp("closed") / "chambers.db"
    shutil.copy(migrated_file, path)
    app = create_core(settings_for(f"sqlite:///{path}"))
    with app.app_context():
        lovelace.set_up()
        month_end.close(lovelace.OCTOBER, by=lovelace.LEAD, now=lovelace.AFTER)
        db.session.remove()
        db.engine.dispose()
    return path


@pytest.fixture
def closed_url(closed_file: Path, place: Path) -> Iterator[str]:
    path = place / "closed.db"
    shutil.copy(closed_file, path)
    yield f"sqlite:///{path}"
    for tail in ("", "-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)


@pytest.fixture
def closed(closed_url: str) -> Iterator[Flask]:
    """The application on the firm of the examples after its first close (SQLite), on 1 November 2026."""
    with time_machine.travel(lovelace.AFTER):
        yield from serving(closed_url)


@pytest.fixture
def barred(tmp_path: Path) -> Path:
    """A place where nobody can write, the superuser neither: it stands below a file."""
    (tmp_path / "file").touch()
    return tmp_path / "file" / "folder"


@cache
def whole(url: str) -> Flask:
    """The application of one address, kept for all tests of this worker."""
    return create_app(settings_for(url))


def serving(url: str) -> Iterator[Flask]:
    app = whole(url)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
