"""What each database has of its own for a consistent copy: SQLite's backup API, and pg_dump with psql."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import pysqlite3.dbapi2 as sqlite
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from firm.backup.form import InvalidBackup
from firm.errors import Misconfigured, Refused

PRIVATE = 0o600


class BackupFailed(Refused):
    """The database's own program, or the disk, gave up; the sentence says what it said."""


class BooksAreThere(Refused):
    """Books are there already: a backup is restored beside them, never over them."""


class Restore(Protocol):
    """A database being restored: takes its bytes, and appears whole when `finish` is called."""

    def take(self, data: bytes) -> None: ...

    def finish(self, statement: str) -> None:
        """Run one more statement in the restored database, and make it all appear at once."""
        ...


@contextmanager
def copy(session: Session, url: URL, programs: Path | None) -> Iterator[BinaryIO]:
    """The database as the session sees it, as a stream. Raises `BackupFailed`, `Misconfigured`."""
    copied = _copy_of_sqlite(session, url) if url.get_backend_name() == "sqlite" else _dump(session, url, programs)
    with copied as stream:
        yield stream


@contextmanager
def restoring(url: URL, programs: Path | None) -> Iterator[Restore]:
    """An empty database to restore into. Raises `BooksAreThere`, `BackupFailed`, `Misconfigured`."""
    restored = _into_file(url) if url.get_backend_name() == "sqlite" else _into_server(url, programs)
    with restored as target:
        yield target


@contextmanager
def _copy_of_sqlite(session: Session, url: URL) -> Iterator[BinaryIO]:
    # Beside the books, which lie open there anyway; never where the encrypted file goes.
    folder = Path(str(url.database)).parent
    source: Any = session.connection().connection.driver_connection
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=folder) as private:
        path = Path(private) / "copy.db"
        with closing(sqlite.connect(path)) as target:
            path.chmod(PRIVATE)
            source.backup(target)
        with path.open("rb") as stream:
            yield stream


class _File:
    """A SQLite file that is written beside its place and moved there at the end."""

    def __init__(self, path: Path, partial: Path) -> None:
        self._path, self._partial = path, partial
        self._file = partial.open("xb")
        partial.chmod(PRIVATE)

    def take(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            raise BackupFailed(f"The disk gave up: {error.strerror}.") from error

    def finish(self, statement: str) -> None:
        self.close()
        try:
            with closing(sqlite.connect(self._partial)) as database:
                found = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
                if found != "ok":
                    raise InvalidBackup(f"The copy of the database is damaged: {found}.")
                database.execute(statement)
                database.commit()
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite.DatabaseError as error:
            raise InvalidBackup(f"What is in the backup is no database of ours: {error}.") from error
        _refuse_existing(self._path)
        with self._partial.open("rb+") as file:
            os.fsync(file.fileno())
        self._partial.replace(self._path)

    def close(self) -> None:
        self._file.close()


@contextmanager
def _into_file(url: URL) -> Iterator[Restore]:
    path = Path(str(url.database)).absolute()
    _refuse_existing(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix=".restore-", dir=path.parent) as private,
        closing(_File(path, Path(private) / path.name)) as target,
    ):
        yield target


def _refuse_existing(path: Path) -> None:
    if any(Path(f"{path}{tail}").exists() for tail in ("", "-wal", "-journal")):
        raise BooksAreThere(f"{path.name} is there already; move it aside, or name another in CHAMBERS_DATABASE_URL.")


@contextmanager
def _dump(session: Session, url: URL, programs: Path | None) -> Iterator[BinaryIO]:
    """pg_dump's script of the very moment that the session sees."""
    snapshot = session.scalar(text("SELECT pg_export_snapshot()"))
    options = ["--snapshot", str(snapshot), "--no-owner", "--no-privileges", "--encoding", "UTF8"]
    with _running("pg_dump", options, url, programs, stdout=subprocess.PIPE) as dump:
        yield dump.output
        dump.refuse_failed()


class _Program:
    """One of PostgreSQL's programs, at work on our database."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], said: BinaryIO) -> None:
        self._name, self._process, self._said = name, process, said

    @property
    def output(self) -> BinaryIO:
        return cast("BinaryIO", self._process.stdout)

    @property
    def input(self) -> BinaryIO:
        return cast("BinaryIO", self._process.stdin)

    def refuse_failed(self) -> None:
        """Wait for its end. Raises `BackupFailed` with the first line of what it said."""
        if self._process.wait() == 0:
            return
        self._said.seek(0)
        lines = [line for line in self._said.read(10_000).decode(errors="replace").splitlines() if line.strip()]
        raise BackupFailed(f"{self._name} failed: {lines[0] if lines else 'it did not say why'}")

    def end(self) -> None:
        """Kill it unless it ended by itself, so that nothing half done is committed."""
        if self._process.poll() is None:
            self._process.kill()
        for pipe in filter(None, (self._process.stdin, self._process.stdout)):
            with suppress(BrokenPipeError):
                pipe.close()
        self._process.wait()


class _Script:
    """A script that psql runs in one transaction, which ends with the statement of `finish`."""

    def __init__(self, psql: _Program) -> None:
        self._psql = psql
        # Not --single-transaction: if we are killed, psql takes the end of its input for the end and commits.
        self.take(b"BEGIN;\n")

    def take(self, data: bytes) -> None:
        try:
            self._psql.input.write(data)
        except OSError:
            self._psql.refuse_failed()
            raise BackupFailed("psql ended before it was told to.") from None

    def finish(self, statement: str) -> None:
        # pg_dump's script leaves an empty search path behind.
        self.take(f"\nRESET search_path;\n{statement};\nCOMMIT;\n".encode())
        with suppress(BrokenPipeError):
            self._psql.input.close()
        self._psql.refuse_failed()


@contextmanager
def _into_server(url: URL, programs: Path | None) -> Iterator[Restore]:
    options = ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"]
    options += ["--output", os.devnull, "--file", "-"]
    with _running("psql", options, url, programs, stdin=subprocess.PIPE) as psql:
        yield _Script(psql)


@contextmanager
def _running(
    name: str,
    options: list[str],
    url: URL,
    programs: Path | None,
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
) -> Iterator[_Program]:
    command = [_found(name, programs), *options, "--dbname", _without_password(url)]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=said, env=_environment(url))
        program = _Program(name, process, said)
        try:
            yield program
        finally:
            program.end()


def _without_password(url: URL) -> str:
    bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    return bare.difference_update_query(["password"]).render_as_string(hide_password=False)


def _environment(url: URL) -> Mapping[str, str]:
    """The password goes by the environment, where only its owner can read it, and not by the command line."""
    password = url.password or url.query.get("password")
    secret = {} if password is None else {"PGPASSWORD": str(password)}
    return {**os.environ, **secret, "PGTZ": "UTC", "PGCLIENTENCODING": "UTF8"}


def _found(name: str, programs: Path | None) -> str:
    found = shutil.which(name, path=None if programs is None else str(programs))
    if found is None:
        raise Misconfigured(
            f"{name} of PostgreSQL was not found; install its client programs (Debian: postgresql-client), or name "
            "their folder in CHAMBERS_POSTGRESQL_PROGRAMS."
        )
    return found
