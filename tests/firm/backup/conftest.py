"""Fixtures: the key of the tests, and an empty place for books."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from firm.db import db
from tests.databases import database_url
from tests.firm.backup.restores import KEY
from tests.postgres import create_database, drop_database


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    path = tmp_path / "identity.txt"
    path.write_text(f"# public key: {KEY.to_public()}\n{KEY}\n")
    return path


@pytest.fixture
def elsewhere(app: Flask, tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """The address of an empty place on the same engine as the application."""
    if db.engine.dialect.name == "sqlite":
        yield f"sqlite:///{tmp_path}/elsewhere/chambers.db"
        return
    server, name = str(request.getfixturevalue("postgres_server")), f"r_{os.urandom(6).hex()}"
    create_database(server, name)
    yield database_url(server, name)
    drop_database(server, name)
