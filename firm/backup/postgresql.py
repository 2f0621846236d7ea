"""PostgreSQL: pg_dump under the session's snapshot, and psql in one transaction that only we can end."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from firm.backup.errors import BackupFailed
from firm.errors import Misconfigured

_OWN_RESTRICTION = re.compile(rb"^\\(?:un)?restrict [A-Za-z0-9]+$", re.MULTILINE)
_EDGE = 8_192
"""How much of a script's beginning and end can hold pg_dump's own restriction."""


@contextmanager
def copy(session: Session, url: URL, programs: Path | None) -> Iterator[BinaryIO]:
    """pg_dump's script of the very moment that the session sees."""
    _refuse_other_version(session, programs)
    snapshot = session.scalar(text("SELECT pg_export_snapshot()"))
    options = ["--snapshot", str(snapshot), "--no-owner", "--no-privileges", "--encoding", "UTF8"]
    with _running("pg_dump", options, url, programs, stdout=subprocess.PIPE) as dump:
        yield dump.output
        dump.refuse_failed()


class Program:
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


class Script:
    """A script that psql runs in one transaction, which ends with the statement of `finish`.

    Not psql's --single-transaction: if we are killed, psql takes the end of its input for the end and commits. And the
    script runs under a restriction of our own: it may hold statements, and no commands to psql, which run programs.
    """

    def __init__(self, psql: Program) -> None:
        self._psql = psql
        self._key = secrets.token_hex(16)
        self._edge, self._begun = bytearray(), False

    def take(self, data: bytes) -> None:
        self._edge += data
        if len(self._edge) >= 2 * _EDGE:
            self._pass_on(len(self._edge) - _EDGE)

    def finish(self, statement: str) -> None:
        self._pass_on(len(self._edge))
        # pg_dump's script leaves an empty search path behind.
        self._write(f"\nRESET search_path;\n{statement};\n\\unrestrict {self._key}\nCOMMIT;\n".encode())
        with suppress(BrokenPipeError):
            self._psql.input.close()
        self._psql.refuse_failed()

    def _pass_on(self, size: int) -> None:
        """Write all but the last piece. pg_dump's own restriction, at both ends, would stand in the way of ours."""
        first, self._edge = bytes(self._edge[:size]), self._edge[size:]
        if not self._begun:
            self._write(f"\\restrict {self._key}\nBEGIN;\n".encode())
            head = _OWN_RESTRICTION.sub(b"", first[:_EDGE], count=1)
            first, self._begun = head + first[_EDGE:], True
        if not self._edge:
            first = first[:-_EDGE] + _OWN_RESTRICTION.sub(b"", first[-_EDGE:])
        self._write(first)

    def _write(self, data: bytes) -> None:
        try:
            self._psql.input.write(data)
        except OSError:
            self._psql.refuse_failed()
            raise BackupFailed("psql ended before it was told to.") from None


@contextmanager
def restoring(url: URL, programs: Path | None) -> Iterator[Script]:
    options = ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--output", os.devnull, "--file", "-"]
    with _running("psql", options, url, programs, stdin=subprocess.PIPE) as psql:
        yield Script(psql)


@contextmanager
def _running(
    name: str,
    options: list[str],
    url: URL,
    programs: Path | None,
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
) -> Iterator[Program]:
    address, hidden = _address(url)
    command = [_found(name, programs), *options, "--dbname", address]
    environment = {**os.environ, **hidden, "PGTZ": "UTC", "PGCLIENTENCODING": "UTF8"}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=said, env=environment)
        program = Program(name, process, said)
        try:
            yield program
        finally:
            program.end()


def _address(url: URL) -> tuple[str, Mapping[str, str]]:
    """How libpq names the database, and what goes by the environment, where only its owner can read it."""
    from psycopg.conninfo import make_conninfo  # imported here: SQLite needs no driver of PostgreSQL's

    _, wanted = psycopg.dialect().create_connect_args(url)  # type: ignore[no-untyped-call]
    known = {name: value for name, value in wanted.items() if name != "context"}
    hidden = {"PGPASSWORD": str(known.pop("password"))} if "password" in known else {}
    if "sslpassword" in known:
        raise Misconfigured("Backups take no sslpassword in CHAMBERS_DATABASE_URL; use a key without one.")
    return make_conninfo(**known), hidden


def _refuse_other_version(session: Session, programs: Path | None) -> None:
    """An older pg_dump cannot read the server; what a newer one writes, the server cannot read again."""
    server = int(str(session.scalar(text("SHOW server_version_num")))) // 10_000
    said = subprocess.run([_found("pg_dump", programs), "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"\) (\d{1,4})", said.stdout)
    if version is None or int(version[1]) != server:
        raise Misconfigured(
            f"pg_dump is not of the server's version {server}; install those programs, or name their folder in "
            "CHAMBERS_POSTGRESQL_PROGRAMS."
        )


def _found(name: str, programs: Path | None) -> str:
    found = shutil.which(name, path=None if programs is None else str(programs))
    if found is None:
        raise Misconfigured(
            f"{name} of PostgreSQL was not found; install its client programs (Debian: postgresql-client), or name "
            "their folder in CHAMBERS_POSTGRESQL_PROGRAMS."
        )
    return found
