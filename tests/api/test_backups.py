"""Backups at the command line: made, kept, looked into, restored, and reconciled before anything is sent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from api.cli import main
from tests.databases import ENGINES, TEST_KEY, database_url
from tests.postgres import create_database, drop_database, programs

FIRM = ["--name", "Lovelace Maintainers", "--currency", "USD", "--time-zone", "UTC", "--first-month", "2026-10"]


class Place:
    """A shell at one database."""

    def __init__(self, url: str, folder: Path, **more: str) -> None:
        self._environment = {
            "CHAMBERS_DATABASE_URL": url,
            "CHAMBERS_SECRET_KEYS": TEST_KEY,
            "CHAMBERS_TOKEN": "",
            "CHAMBERS_POSTGRESQL_PROGRAMS": str(programs()),
            "CHAMBERS_AUDIT_ANCHORS": str(folder / "anchors.jsonl"),
            **more,
        }

    def run(self, *words: str, code: int = 0) -> str:
        found: Result = CliRunner().invoke(main, list(words), env=self._environment)
        assert found.exit_code == code, (words, found.output, found.exception)
        return found.stdout if code == 0 else found.output


@pytest.fixture(params=ENGINES)
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Two empty databases of one engine, the folder of a key, and the key's public half."""
    key = Place("sqlite:///unused.db", tmp_path).run("backup-key", "--out", str(tmp_path / "identity.txt"))
    recipient = {"CHAMBERS_BACKUP_RECIPIENTS": key.strip().splitlines()[-1].partition("=")[2]}
    if request.param == "sqlite":
        yield [Place(f"sqlite:///{tmp_path}/{name}.db", tmp_path, **recipient) for name in ("here", "there")]
        return
    server = str(request.getfixturevalue("postgres_server"))
    names = [f"b_{os.urandom(6).hex()}" for _ in range(2)]
    for name in names:
        create_database(server, name)
    yield [Place(database_url(server, name), tmp_path, **recipient) for name in names]
    for name in names:
        drop_database(server, name)


def test_the_way_back_from_a_loss(places: list[Place], tmp_path: Path) -> None:
    here, there = places
    folder, identity = str(tmp_path / "backups"), str(tmp_path / "identity.txt")
    here.run("init", *FIRM)
    here.run("client", "add", "Acme", "--country", "US")
    assert "the books as of" in here.run("backup", "--to", folder)
    here.run("client", "add", "Too Late", "--country", "US")
    [path] = (tmp_path / "backups").iterdir()
    assert path.name.endswith(".backup.age")
    assert "firm.backed-up" in here.run("audit", "list")

    assert "can be opened and is whole" in there.run("restore", str(path), "--identity", identity, "--check")
    restored = there.run("restore", str(path), "--identity", identity)
    assert "They send nothing until" in restored
    assert "Too Late" not in there.run("client", "list")
    assert "Acme" in there.run("client", "list")
    told = there.run("reconcile")
    assert "Tokens open these books to lead." in told
    assert "may have been sent since then:\n  none" in told
    assert "these books send again" in there.run("reconcile", "--note", "Compared with the statement.")
    assert "agree, as far as they can be asked" in there.run("reconcile")
    assert "no restoration that waits" in there.run("reconcile", "--note", "Once more.", code=1)
    assert "invariants hold" in there.run("verify")
    again = there.run("restore", str(path), "--identity", identity, code=1)
    assert "there already" in again or "tables in this database already" in again


def test_only_so_many_are_kept(places: list[Place], tmp_path: Path) -> None:
    here, _ = places
    folder = tmp_path / "backups"
    folder.mkdir()
    old = [folder / f"chambers-2026010{day}T000000Z.backup.age" for day in (1, 2, 3)]
    for path in old:
        path.touch()
    here.run("init", *FIRM)
    told = here.run("backup", "--to", str(folder), "--keep", "2")
    assert [line for line in told.splitlines() if line.startswith("Removed")] == [
        f"Removed {path.name}." for path in old[:2]
    ]
    assert len(list(folder.iterdir())) == 2
    assert old[2].exists()


def test_without_a_recipient_nothing_is_written_unless_asked_plainly(tmp_path: Path) -> None:
    here = Place(f"sqlite:///{tmp_path}/here.db", tmp_path)
    here.run("init", *FIRM)
    refused = here.run("backup", "--to", str(tmp_path / "backups"), code=1)
    assert "CHAMBERS_BACKUP_RECIPIENTS" in refused
    assert not (tmp_path / "backups").exists()
    here.run("backup", "--out", str(tmp_path / "plain.backup"), "--plain")
    assert "is whole" in here.run("restore", str(tmp_path / "plain.backup"), "--check")


def test_a_key_is_never_overwritten_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    here = Place("sqlite:///unused.db", tmp_path)
    here.run("backup-key", "--out", str(tmp_path / "key"))
    content = (tmp_path / "key").read_text()
    assert oct((tmp_path / "key").stat().st_mode)[-3:] == "600"
    assert "File exists" in here.run("backup-key", "--out", str(tmp_path / "key"), code=1)
    assert (tmp_path / "key").read_text() == content


def test_what_is_no_backup_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(os.urandom(5_000))
    there = Place(f"sqlite:///{tmp_path}/there.db", tmp_path)
    assert "no backup of Chambers" in there.run("restore", str(tmp_path / "file"), code=1)
    assert not (tmp_path / "there.db").exists()


def test_a_backup_of_another_version_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(
        '{"format":"chambers-backup/1","engine":"sqlite","schema":"9999","at":"2026-11-01T09:00:00+00:00",'
        '"entries":0,"trial_balance":[],"chain_seq":0,"chain_hash":"' + "0" * 64 + '","more":1}\n'
    )
    there = Place(f"sqlite:///{tmp_path}/there.db", tmp_path)
    assert "of another version of Chambers (schema 9999)" in there.run("restore", str(tmp_path / "file"), code=1)
