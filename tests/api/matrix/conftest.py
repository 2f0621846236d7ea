"""The firm that the matrix asks about, made once for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from tests import lovelace
from tests.api.conftest import serving
from tests.api.matrix import cells


@pytest.fixture(scope="module")
def app(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Twenty days after the first close, so that nothing of it is of today."""
    path = tmp_path_factory.mktemp("matrix") / "chambers.db"
    path.write_bytes(migrated_file.read_bytes())
    with time_machine.travel(lovelace.AFTER.replace(day=20), tick=False):
        for app in serving(f"sqlite:///{path}"):
            cells.set_up(app)
            yield app
