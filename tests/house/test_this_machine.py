"""What the tests themselves stand on: no network, a private PostgreSQL, nothing left behind."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from tests import postgres


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_a_connection_beyond_this_machine_is_refused(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        socket.socket(family, socket.SOCK_STREAM) as outside,
        # pytest-socket warns before it raises, and warnings are errors here.
        pytest.raises((RuntimeError, UserWarning), match="connect"),
    ):
        outside.connect((address, 9))


def test_a_name_beyond_this_machine_is_not_looked_up() -> None:
    with pytest.raises(RuntimeError, match="stay on this machine"):
        socket.create_connection(("chambers.example", 443), timeout=1)


def test_a_connection_on_this_machine_works() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        socket.create_connection(listener.getsockname(), timeout=5).close()


def test_the_time_zone_is_the_chosen_one() -> None:
    moment = datetime(2026, 1, 15, 12, tzinfo=UTC)
    assert moment.astimezone().utcoffset() == moment.astimezone(ZoneInfo(os.environ["TZ"])).utcoffset()


def test_a_database_made_from_a_template_has_its_rows_and_can_go(postgres_server: str) -> None:
    template = postgres.create_database(postgres_server, "house_template")
    with psycopg.connect(template) as connection:
        connection.execute("CREATE TABLE client AS SELECT 'Acme' AS name")
    copy = postgres.create_database(postgres_server, "house_copy", template="house_template")
    with psycopg.connect(copy) as connection:
        assert connection.execute("SELECT name FROM client").fetchone() == ("Acme",)
    for name in ("house_copy", "house_template", "house_template"):
        postgres.drop_database(postgres_server, name)
    with psycopg.connect(postgres_server) as connection:
        left = connection.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'house%'").fetchone()
    assert left == (0,)


def test_a_stopped_server_leaves_no_folder_behind() -> None:
    with postgres.server() as url:
        folder = Path(url.partition("host=")[2]).parent
        assert folder.exists()
    assert not folder.exists()


def test_missing_binaries_fail_with_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHAMBERS_TEST_PG_BIN", str(tmp_path))
    with pytest.raises(postgres.PostgresUnavailable, match="make setup"), postgres.server():
        pass
