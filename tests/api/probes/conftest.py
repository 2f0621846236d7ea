"""Fixtures: the firm of the matrix, somebody of every role who tries things, and all the places to try."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
import time_machine
from flask import Flask

from firm import clock
from firm.access import presence
from tests import lovelace
from tests.api.conftest import serving
from tests.api.matrix import cells
from tests.api.probes.places import Place, Prober, places
from tests.databases import SECRET_KEYS


@pytest.fixture(scope="module")
def firm(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on a firm with something of every kind; the tests of a module share it."""
    path = tmp_path_factory.mktemp("probes") / "chambers.db"
    shutil.copy(migrated_file, path)
    with time_machine.travel(lovelace.AFTER.replace(day=20), tick=False):
        for app in serving(f"sqlite:///{path}"):
            cells.set_up(app)
            yield app


@pytest.fixture(scope="module")
def probers(firm: Flask) -> dict[str, Prober]:
    found = {name: Prober(firm, headers) for name, headers in cells.callers(firm).items()}
    _prove_presence(firm, found["lead"])
    return found


def _prove_presence(firm: Flask, lead: Prober) -> None:
    """So that what is refused is refused for itself; the clock stands, and the proof with it."""
    with firm.app_context():
        made = presence.set_authenticator("m-lead", issuer="L", keys=SECRET_KEYS, by=lovelace.LEAD, now=lovelace.BEFORE)
    code = {"code": pyotp.TOTP(made.secret).at(clock.now())}
    assert firm.test_client().post("/v1/step-ups", json=code, headers=dict(lead.headers)).status_code == 201


@pytest.fixture(scope="module")
def lead(probers: dict[str, Prober]) -> Prober:
    return probers["lead"]


@pytest.fixture(scope="module")
def everywhere(firm: Flask) -> list[Place]:
    return places(firm)
