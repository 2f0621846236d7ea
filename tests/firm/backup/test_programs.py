"""What is killed, missing or hostile: nothing of it stays, and no program runs that should not."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.engine import make_url

from api.parts import parts
from firm.backup import engines, making, restoring
from firm.backup.errors import BackupFailed
from firm.db import db, reading
from firm.errors import Misconfigured
from tests import lovelace
from tests.firm.backup.restores import back_up, broken, is_empty, restore, with_books
from tests.lovelace import AFTER, LEAD
from tests.postgres import programs


def test_a_restore_that_dies_leaves_nothing_and_is_done_again(
    app: Flask, elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lovelace.set_up()
    back_up(tmp_path / "b", plain=True)

    def die(*_: Any) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(restoring, "_statement", die)
        with pytest.raises(KeyboardInterrupt):
            restore(tmp_path / "b", elsewhere)
    assert is_empty(elsewhere)
    restore(tmp_path / "b", elsewhere)
    assert with_books(elsewhere, broken) == []


def test_a_wrong_or_missing_pg_dump_is_a_sentence(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite needs no program")
    lovelace.set_up()
    folder = tmp_path / "programs"
    folder.mkdir()
    options = {"url": make_url(parts().settings.database_url), "schema": "x", "recipients": (), "by": LEAD}
    with pytest.raises(Misconfigured, match="pg_dump of PostgreSQL was not found"):
        making.make(tmp_path / "b", programs=folder, now=AFTER, **options)
    for version, kind, sentence in (
        ("7.4", Misconfigured, "pg_dump is not of the server's version"),
        (_version(), BackupFailed, "pg_dump failed: pg_dump: error: no room"),
    ):
        says = f'test "$1" = --version && echo "pg_dump (PostgreSQL) {version}" && exit 0'
        (folder / "pg_dump").write_text(f"#!/bin/sh\n{says}\necho 'pg_dump: error: no room' >&2\nexit 1\n")
        (folder / "pg_dump").chmod(0o755)
        with pytest.raises(kind, match=sentence):
            making.make(tmp_path / "b", programs=folder, now=AFTER, **options)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    "address",
    ["ada:canary-9@db.example/books?sslmode=require", "ada@db.example/books?password=canary-9&sslmode=require"],
)
def test_a_password_never_stands_on_a_command_line(tmp_path: Path, address: str) -> None:
    (tmp_path / "psql").write_text('#!/bin/sh\necho "$@" >&2\ntest "$PGPASSWORD" = canary-9 && exit 3\n')
    (tmp_path / "psql").chmod(0o755)
    url = make_url(f"postgresql://{address}")
    with pytest.raises(BackupFailed) as failed, engines.restoring(url, tmp_path) as target:
        target.finish("SELECT 1")
    assert "canary-9" not in str(failed.value)
    assert "host=db.example dbname=books user=ada sslmode=require" in str(failed.value)


_KILLED = """
import os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from sqlalchemy.engine import make_url
from firm.backup import engines, form, restoring

path, url, programs, most = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
form.CHUNK = 64
opened = engines.restoring
taken = 0

class Watched:
    def __init__(self, target):
        self._target = target
    def take(self, data):
        global taken
        taken += len(data)
        if taken > most:
            os.kill(os.getpid(), signal.SIGKILL)
        self._target.take(data)
    def finish(self, statement):
        os.kill(os.getpid(), signal.SIGKILL)

class Opened:
    def __init__(self, *args):
        self._context = opened(*args)
    def __enter__(self):
        return Watched(self._context.__enter__())
    def __exit__(self, *error):
        return self._context.__exit__(*error)

engines.restoring = Opened
restoring.restore(
    Path(path), url=make_url(url), identity=None, refuse_unknown=lambda schema: None, programs=Path(programs),
    now=datetime.now(UTC),
)
"""


@pytest.mark.parametrize("most", [1, 30_000, 60_000, 90_000, 120_000, 10**9])
def test_a_restore_that_is_killed_leaves_no_books(app: Flask, elsewhere: str, tmp_path: Path, most: int) -> None:
    lovelace.set_up()
    back_up(tmp_path / "b", plain=True)
    arguments = [str(tmp_path / "b"), elsewhere, str(programs()), str(most)]
    killed = subprocess.run([sys.executable, "-c", _KILLED, *arguments], check=False)
    assert killed.returncode == -signal.SIGKILL
    place = Path(str(make_url(elsewhere).database)) if elsewhere.startswith("sqlite") else None
    _wait_until(lambda: not place.exists() if place else is_empty(elsewhere))
    restore(tmp_path / "b", elsewhere)
    assert with_books(elsewhere, broken) == []
    if place:
        # What the killed one left in the open went with the next.
        assert [path.name for path in place.parent.iterdir() if path.name.startswith(".")] == []


def _wait_until(true: Callable[[], bool]) -> None:
    """psql may take a moment to see that its caller is gone."""
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_script_holds_statements_and_no_commands(app: Flask, elsewhere: str, tmp_path: Path) -> None:
    """psql would run programs for them."""
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite takes no script")
    ran = tmp_path / "ran"
    attacks = (rf"\! touch {ran}", rf"SELECT 1 \g | touch {ran}", rf"\unrestrict guessed{chr(10)}\! touch {ran}")
    for attack in attacks:
        with pytest.raises(BackupFailed, match="restrict"):
            run_script(elsewhere, attack)
        assert not ran.exists()
        assert is_empty(elsewhere)


def run_script(url: str, attack: str) -> None:
    with engines.restoring(make_url(url), programs()) as target:
        target.take(b"CREATE TABLE half (id integer);\n")
        target.take(attack.encode() + b"\n" + b"-- more\n" * 5_000)
        target.finish("SELECT 1")


def _version() -> str:
    with reading() as session:
        return str(session.scalar(text("SHOW server_version")))
