"""The worked firm ready to close October, and with October closed, each made once and copied for every example."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from flask import Flask

from firm.db import db
from payouts import month_end
from tests import lovelace
from tests.databases import running
from tests.lovelace import AFTER, LEAD, OCTOBER
from tests.postgres import create_database, drop_database

Opens = Callable[[str], AbstractContextManager[Flask]]


def _set_up_and_close() -> None:
    lovelace.set_up()
    month_end.close(OCTOBER, by=LEAD, now=AFTER)


def _tidied(opened: Iterator[Flask]) -> Iterator[Flask]:
    """Lets go of the connections also when the example fails."""
    for app in opened:
        try:
            yield app
        finally:
            db.engine.dispose()


STAGES = {"ready": lovelace.set_up, "closed": _set_up_and_close}


@pytest.fixture(scope="session")
def stage_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A SQLite file at a stage of the worked month, made when first asked for."""
    made: dict[str, Path] = {}

    def file_at(stage: str) -> Path:
        if stage not in made:
            path = tmp_path_factory.mktemp(stage) / "chambers.db"
            shutil.copy(migrated_file, path)
            for _ in running(f"sqlite:///{path}"):
                STAGES[stage]()
            made[stage] = path
        return made[stage]

    return file_at


@pytest.fixture
def sqlite_at(stage_file: Callable[[str], Path], tmp_path: Path) -> Opens:
    """Opens a fresh copy of a stage on SQLite: `with sqlite_at("ready"):`."""

    @contextmanager
    def open_copy(stage: str) -> Iterator[Flask]:
        path = tmp_path / f"{uuid.uuid4().hex}.db"
        shutil.copy(stage_file(stage), path)
        yield from _tidied(running(f"sqlite:///{path}"))

    return open_copy


@pytest.fixture(scope="session")
def stage_template(postgres_server: str, migrated_template: str) -> Callable[[str], str]:
    """The name of a PostgreSQL database at a stage, made when first asked for."""
    made: dict[str, str] = {}

    def template_at(stage: str) -> str:
        if stage not in made:
            name = f"{stage}_{uuid.uuid4().hex[:8]}"
            url = create_database(postgres_server, name, template=migrated_template)
            for _ in running(url):
                STAGES[stage]()
            made[stage] = name
        return made[stage]

    return template_at


@pytest.fixture
def postgresql_at(postgres_server: str, stage_template: Callable[[str], str]) -> Opens:
    """Opens a fresh copy of a stage on PostgreSQL."""

    @contextmanager
    def open_copy(stage: str) -> Iterator[Flask]:
        name = f"t_{uuid.uuid4().hex[:12]}"
        yield from _tidied(running(create_database(postgres_server, name, template=stage_template(stage))))
        drop_database(postgres_server, name)

    return open_copy


@pytest.fixture(params=["sqlite", "postgresql"])
def closed_october(request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The worked firm with October closed, on each engine in turn."""
    with request.getfixturevalue(f"{request.param}_at")("closed") as app:
        yield app


@pytest.fixture(params=["sqlite", "postgresql"])
def ready_october(request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The worked firm ready to close October, on each engine in turn."""
    with request.getfixturevalue(f"{request.param}_at")("ready") as app:
        yield app


@pytest.fixture(params=["sqlite", "postgresql"])
def opens(request: pytest.FixtureRequest) -> Opens:
    """Opens fresh copies of a stage, on each engine in turn, for examples that need several."""
    found: Opens = request.getfixturevalue(f"{request.param}_at")
    return found
