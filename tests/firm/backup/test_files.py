"""The file of a backup: private, whole or not at all, refused when damaged, and never in the way of another."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyrage
import pytest
from flask import Flask

from api.parts import parts
from firm.backup import making, restoring
from firm.backup.errors import BackupFailed, BooksAreThere, InvalidBackup
from firm.db import db, reading
from firm.recovery import operations as recovery
from firm.settings import Settings
from tests import lovelace
from tests.firm.backup.restores import back_up, is_empty, number_of_entries, restore
from tests.lovelace import AFTER


def test_a_backup_is_private_and_tells_nothing_without_its_key(app: Flask, identity: Path, tmp_path: Path) -> None:
    lovelace.set_up()
    back_up(tmp_path / "b.age")
    assert stat.S_IMODE((tmp_path / "b.age").stat().st_mode) == 0o600
    content = (tmp_path / "b.age").read_bytes()
    assert content.startswith(b"age-encryption.org/v1\n")
    assert b"Lovelace" not in content
    assert b"chambers" not in content
    assert restoring.look_into(tmp_path / "b.age", identity=identity).engine == db.engine.dialect.name
    assert sorted(path.name for path in tmp_path.iterdir() if "b.age" in path.name) == ["b.age"]


def _cut_short(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _a_bit_flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut short": _cut_short,
    "one bit": _a_bit_flipped,
    "the last byte": lambda content: content[:-1],
    "something behind": lambda content: content + b"more",
    "only the first line": lambda content: content[: content.index(b"\n") + 1],
    "nothing": lambda content: b"",
    "no header": lambda content: b"PK\x03\x04" + content,
    "a header of brackets": lambda content: b'{"a":' + b"[" * 3_000 + b"\n" + content,
    "a count beyond any": lambda content: content.replace(b'"entries": ', b'"entries": 9e999', 1),
    "a chain of something else": lambda content: content.replace(b'"chain_hash": "', b'"chain_hash": "x', 1),
    "a day without a zone": lambda content: content.replace(b"+00:00", b"", 1),
    "another form": lambda content: content.replace(b"chambers-backup/1", b"chambers-backup/7"),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("plain", [True, False], ids=["plain", "encrypted"])
def test_a_damaged_backup_restores_nothing(
    app: Flask, elsewhere: str, identity: Path, tmp_path: Path, damage: str, plain: bool
) -> None:
    lovelace.set_up()
    path = tmp_path / "b"
    back_up(path, plain=plain)
    content = path.read_bytes()
    damaged = DAMAGES[damage](content)
    if damaged == content:
        pytest.skip("the words stand inside the encryption")
    path.write_bytes(damaged)
    with pytest.raises(InvalidBackup):
        restoring.look_into(path, identity=None if plain else identity)
    with pytest.raises(InvalidBackup):
        restore(path, elsewhere, None if plain else identity)
    assert is_empty(elsewhere)


def test_another_identity_or_none_opens_nothing(app: Flask, elsewhere: str, tmp_path: Path) -> None:
    lovelace.set_up()
    back_up(tmp_path / "b.age")
    other = tmp_path / "other.txt"
    other.write_text(str(pyrage.x25519.Identity.generate()))
    with pytest.raises(InvalidBackup, match="This identity does not open"):
        restore(tmp_path / "b.age", elsewhere, other)
    with pytest.raises(InvalidBackup, match="name the file of its private key with --identity"):
        restore(tmp_path / "b.age", elsewhere)
    other.write_text("no key\n")
    with pytest.raises(InvalidBackup, match="holds no private key"):
        restore(tmp_path / "b.age", elsewhere, other)
    assert is_empty(elsewhere)


def test_books_that_are_there_are_never_overwritten(app: Flask, tmp_path: Path) -> None:
    lovelace.set_up()
    back_up(tmp_path / "b", plain=True)
    before = number_of_entries()
    with pytest.raises((BooksAreThere, BackupFailed)):
        restore(tmp_path / "b", parts().settings.database_url)
    assert number_of_entries() == before
    with reading() as session:
        assert recovery.waiting(session) is None


def test_a_backup_of_one_database_is_not_restored_into_the_other(sqlite_app: Flask, tmp_path: Path) -> None:
    lovelace.set_up()
    back_up(tmp_path / "b", plain=True)
    with pytest.raises(InvalidBackup, match="go on with `chambers move`"):
        restore(tmp_path / "b", "postgresql://nobody@/nothing")


def test_a_file_that_is_there_is_not_overwritten(app: Flask, tmp_path: Path) -> None:
    lovelace.set_up()
    (tmp_path / "b").write_text("something of mine")
    with pytest.raises(BackupFailed, match="cannot be written: File exists"):
        back_up(tmp_path / "b")
    assert (tmp_path / "b").read_text() == "something of mine"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_newest_are_kept_and_other_files_let_be(tmp_path: Path) -> None:
    names = [making.name_at(AFTER + timedelta(hours=hour), encrypted=hour % 2 == 0) for hour in range(5)]
    for name in (*names, "chambers-notes.backup", "chambers.db"):
        (tmp_path / name).touch()
    assert making.remove_oldest(tmp_path, keep=2) == names[:3]
    assert {path.name for path in tmp_path.iterdir()} == {*names[3:], "chambers-notes.backup", "chambers.db"}


@pytest.mark.parametrize("wrong", ["age1", "AGE-SECRET-KEY-1", "ssh-ed25519 AAAA", "age1" + "1" * 58])
def test_recipients_are_keys_of_age(wrong: str) -> None:
    with pytest.raises(ValueError, match="write each recipient as age shows it"):
        Settings(backup_recipients=wrong)


def test_sqlite_takes_the_copy_beside_the_books_and_leaves_nothing_there(sqlite_app: Flask, tmp_path: Path) -> None:
    lovelace.set_up()
    away = tmp_path / "away"
    away.mkdir()
    back_up(away / "b.age")
    assert [path.name for path in away.iterdir()] == ["b.age"]
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} == set()
    shutil.rmtree(away)


def test_a_plain_file_is_not_taken_for_an_encrypted_one(
    app: Flask, elsewhere: str, identity: Path, tmp_path: Path
) -> None:
    lovelace.set_up()
    back_up(tmp_path / "b", plain=True)
    with pytest.raises(InvalidBackup, match="is not encrypted"):
        restore(tmp_path / "b", elsewhere, identity)
    assert is_empty(elsewhere)
