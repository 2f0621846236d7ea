"""Backups: made while others write, restored whole or not at all, and silent until somebody has reconciled them."""

from __future__ import annotations

import os
import shutil
import stat
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from api import evidence
from api.app import create_core
from api.parts import parts
from api.verification import findings
from firm.audit import sequencer
from firm.backup import engines, making, restoring
from firm.backup.engines import BackupFailed, BooksAreThere
from firm.backup.form import Header, InvalidBackup
from firm.db import db, reading, transaction
from firm.errors import Invalid, Misconfigured
from firm.ledger import queries as ledger
from firm.recovery import operations as recovery
from firm.recovery.operations import NothingToReconcile, NotReconciled
from firm.settings import Settings
from migrations import run
from payouts import month_end
from tests import lovelace
from tests.databases import database_url, settings_for
from tests.firm import books
from tests.lovelace import AFTER, LEAD
from tests.payouts import paying
from tests.payouts.bank import Bank
from tests.postgres import create_database, drop_database, programs

RESTORED = AFTER + timedelta(hours=3)
KEY = pyrage.x25519.Identity.generate()


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


def back_up(path: Path, *, plain: bool = False) -> Header:
    return making.make(
        path,
        url=make_url(parts().settings.database_url),
        schema=str(run.head()),
        recipients=() if plain else [str(KEY.to_public())],
        programs=programs(),
        by=LEAD,
        now=AFTER,
    )


def restore(path: Path, url: str, identity: Path | None = None) -> Header:
    header, begun = restoring.restore(
        path,
        url=make_url(url),
        identity=identity,
        refuse_unknown=lambda schema: None,
        programs=programs(),
        now=RESTORED,
    )
    with_books(url, lambda: restoring.put_on_record(header, begun, by=LEAD, now=RESTORED))
    return header


def with_books(url: str, work: Callable[[], Any], **settings: Any) -> Any:
    with create_core(settings_for(url).model_copy(update=settings)).app_context():
        try:
            return work()
        finally:
            db.session.remove()
            db.engine.dispose()


def is_empty(url: str) -> bool:
    if url.startswith("sqlite"):
        path = Path(str(make_url(url).database))
        return not path.exists() and not (path.parent.exists() and list(path.parent.iterdir()))
    return bool(with_books(url, lambda: not inspect(db.engine).get_table_names()))


def broken(**settings: Any) -> list[str]:
    sequencer.run(now=RESTORED)
    return [found.invariant.name for found in findings(now=RESTORED) if not found.holds]


def balances_after(entries: int) -> list[list[Any]]:
    """The trial balance as the journal had it after so many entries."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    with reading() as session:
        for entry in ledger.entries(session, limit=entries):
            for line in entry.lines:
                sums[line.account, line.amount.currency] += line.amount.minor
    return sorted([account, currency, amount] for (account, currency), amount in sums.items())


def number_of_entries() -> int:
    with reading() as session:
        return ledger.number_of_entries(session)


class Writers:
    """People who post and register clients all the time, each change in a transaction of its own."""

    def __init__(self, app: Flask, number: int = 3) -> None:
        self._app, self._over = app, threading.Event()
        self._threads = [threading.Thread(target=self._write, args=[worker]) for worker in range(number)]
        self.posted = 0

    def _write(self, worker: int) -> None:
        with self._app.app_context():
            number = 0
            while not self._over.is_set():
                number += 1
                books.post(books.sale(f"sale-{worker}-{number}", books.usd("12.34")))
                self.posted += 1

    def wait_for(self, number: int) -> None:
        wanted = self.posted + number
        while self.posted < wanted and any(thread.is_alive() for thread in self._threads):
            time.sleep(0.005)

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


def test_a_backup_under_load_is_of_one_moment_and_comes_back_whole(
    ledger: Flask, elsewhere: str, identity: Path, tmp_path: Path
) -> None:
    """The restore drill. It prints how much was lost (RPO) and how long it took (RTO)."""
    path = tmp_path / "books.age"
    lovelace.establish()
    with Writers(ledger) as writers:
        writers.wait_for(150)
        first, begun = number_of_entries(), time.perf_counter()
        header = back_up(path)
        made = time.perf_counter()
        last = number_of_entries()
        writers.wait_for(100)
    lost = number_of_entries() - header.entries
    assert first <= header.entries <= last
    assert lost >= 100
    assert header.trial_balance == balances_after(header.entries)

    started = time.perf_counter()
    restore(path, elsewhere, identity)
    with_books(elsewhere, lambda: _assert_is(header))
    print(
        f"drill on {header.engine}: {header.entries} entries backed up in {made - begun:.2f} s under load, "
        f"{lost} posted since are lost, restored and verified in {time.perf_counter() - started:.2f} s"
    )


def _assert_is(header: Header) -> None:
    assert run.is_current(db.engine)
    assert balances_after(header.entries) == header.trial_balance
    with reading() as session:
        assert ledger.number_of_entries(session) == header.entries
        assert ledger.balances(session) == header.trial_balance
    assert broken() == []
    # Life goes on: numbers follow those that came along (PostgreSQL's are of the end of the dump, with a gap).
    [number] = books.post(books.sale("after the restore", books.usd("1.00")))
    assert number > header.entries
    assert broken() == []


def test_restored_books_hold_every_anchor_up_to_the_backup(
    app: Flask, elsewhere: str, identity: Path, tmp_path: Path
) -> None:
    anchors = tmp_path / "anchors.jsonl"
    settings = {"audit_key": _secret(bytes(range(32))), "audit_anchors": anchors}

    def before() -> Header:
        lovelace.set_up()
        sequencer.run(now=AFTER)
        evidence.drop(now=AFTER)
        header = back_up(tmp_path / "b.age")
        month_end.close(lovelace.OCTOBER, by=LEAD, now=AFTER)
        sequencer.run(now=AFTER)
        evidence.drop(now=AFTER)
        return header

    def after() -> None:
        # What was anchored after the backup is lost, and verification says so, until somebody has signed for it.
        assert broken() == ["audit-anchored"]
        for one in recovery.reconcile(note="compared", by=LEAD, now=RESTORED):
            evidence.cut(one, now=RESTORED)
        assert broken() == []
        sequencer.run(now=RESTORED)
        evidence.drop(now=RESTORED)
        with transaction() as session:
            session.execute(text("UPDATE profile SET email = 'changed@lovelace.example'"))
        assert broken() == []

    with_books(parts().settings.database_url, before, **settings)
    restore(tmp_path / "b.age", elsewhere, identity)
    with_books(elsewhere, after, **settings)


def _secret(seed: bytes) -> Any:
    import base64

    from pydantic import SecretStr

    return SecretStr(base64.b64encode(seed).decode())


def an_approved_run() -> str:
    lovelace.set_up()
    month_end.close(lovelace.OCTOBER, by=LEAD, now=AFTER)
    return paying.approved()


def test_restored_books_send_nothing_and_then_pay_nobody_a_second_time(
    app: Flask, elsewhere: str, identity: Path, tmp_path: Path
) -> None:
    number, bank = an_approved_run(), Bank()
    back_up(tmp_path / "b.age")
    # After the backup the run is sent, and then the books are lost.
    paying.send(number, bank)
    left = bank.amounts()
    assert len(left) == 2
    bank.asked.clear()

    def on_restored_books() -> None:
        with pytest.raises(NotReconciled, match="send nothing yet"):
            paying.send(number, bank, now=RESTORED)
        with pytest.raises(DBAPIError, match="not reconciled"), db.engine.begin() as connection:
            connection.execute(text(_ATTEMPT))
        assert bank.asked == bank.looked_up == []
        assert set(paying.states(number).values()) == {"reserved"}
        recovery.reconcile(note="Compared with the statements of 1 November.", by=LEAD, now=RESTORED)
        paying.send(number, bank, now=RESTORED)
        # What left from the lost books is found by its key, and not sent again.
        assert bank.asked == []
        assert len(bank.looked_up) == 2
        assert bank.amounts() == left
        assert set(paying.states(number).values()) == {"sent"}
        assert broken() == []

    restore(tmp_path / "b.age", elsewhere, identity)
    with_books(elsewhere, on_restored_books)


_ATTEMPT = (
    "INSERT INTO payout_attempt (id, payout_id, number, key, request_digest, state, started_at, leased_until)"
    " SELECT 'att_raw', MIN(id), 9, 'k', 'd', 'sending', '2026-11-01 09:00:00', '2026-11-01 09:02:00' FROM payout"
)


def test_an_attempt_that_was_under_way_is_not_taken_over_before(
    app: Flask, elsewhere: str, identity: Path, tmp_path: Path
) -> None:
    bank = Bank(loses_answer_for={"Grace", "Ada"}, finds=False)
    number = an_approved_run()
    paying.send(number, bank)
    assert set(paying.states(number).values()) == {"unknown"}
    back_up(tmp_path / "b.age")

    def on_restored_books() -> None:
        taken = text("UPDATE payout_attempt SET leased_until = '2027-01-01 00:00:00'")
        with pytest.raises(DBAPIError, match="not reconciled"), db.engine.begin() as connection:
            connection.execute(taken)
        recovery.reconcile(note="compared", by=LEAD, now=RESTORED)
        with db.engine.begin() as connection:
            connection.execute(taken)

    restore(tmp_path / "b.age", elsewhere, identity)
    with_books(elsewhere, on_restored_books)


def test_a_restoration_is_reconciled_once_with_a_note_and_stays(app: Flask, elsewhere: str, tmp_path: Path) -> None:
    lovelace.set_up()
    with pytest.raises(NothingToReconcile):
        recovery.reconcile(note="why not", by=LEAD, now=AFTER)
    back_up(tmp_path / "b", plain=True)

    def on_restored_books() -> None:
        with pytest.raises(Invalid, match="how it was checked"):
            recovery.reconcile(note="  ", by=LEAD, now=RESTORED)
        for attack in (
            "DELETE FROM restoration",
            "UPDATE restoration SET restored_at = '2020-01-01 00:00:00'",
            "INSERT INTO restoration SELECT * FROM restoration",
        ):
            with pytest.raises(DBAPIError), db.engine.begin() as connection:
                connection.execute(text(attack))
        recovery.reconcile(note="compared", by=LEAD, now=RESTORED)
        with pytest.raises(DBAPIError), db.engine.begin() as connection:
            connection.execute(text("UPDATE restoration SET note = 'something else'"))
        with pytest.raises(NothingToReconcile):
            recovery.reconcile(note="again", by=LEAD, now=RESTORED)
        with reading() as session:
            verbs = session.scalars(text("SELECT verb FROM audit_record ORDER BY id DESC LIMIT 2")).all()
        assert verbs == ["firm.reconciled", "firm.restored"]

    restore(tmp_path / "b", elsewhere)
    with_books(elsewhere, on_restored_books)


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
        restoring.look_into(path, identity=identity)
    with pytest.raises(InvalidBackup):
        restore(path, elsewhere, identity)
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


def test_a_wrong_or_missing_pg_dump_is_a_sentence(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite needs no program")
    lovelace.set_up()
    folder = tmp_path / "programs"
    folder.mkdir()
    options = {"url": make_url(parts().settings.database_url), "schema": "x", "recipients": (), "by": LEAD}
    with pytest.raises(Misconfigured, match="pg_dump of PostgreSQL was not found"):
        making.make(tmp_path / "b", programs=folder, now=AFTER, **options)
    (folder / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump: error: server version mismatch' >&2\nexit 1\n")
    (folder / "pg_dump").chmod(0o755)
    with pytest.raises(BackupFailed, match="pg_dump failed: pg_dump: error: server version mismatch"):
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
    assert "postgresql://ada@db.example/books?sslmode=require" in str(failed.value)


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


def test_a_script_that_ends_before_its_time_commits_nothing(app: Flask, elsewhere: str) -> None:
    """Who is killed closes psql's input: what psql has read until then must not stay."""
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite needs no program")
    with engines.restoring(make_url(elsewhere), programs()) as target:
        target.take(b"CREATE TABLE half (id integer);\n")
        script: Any = target
        script._psql.input.close()
        script._psql.refuse_failed()
    assert is_empty(elsewhere)
