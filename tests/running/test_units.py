"""The programs do their work within what their units allow."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from bench.servers import ROOT, NotStarted, running, wait_until
from tests.running import confined
from tests.running.conftest import Firm

DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("systemd-analyze") is None or not confined.NUMBERS.exists(),
        reason="needs systemd's own names for system calls, and the kernel's numbers for them (x86-64)",
    ),
]


def healthy(folder: Path, firm: Firm, refused: list[str]) -> int:
    """The status of /healthz on the shipped socket file, in a folder of the test."""
    place, log = folder / "api.sock", folder / "gunicorn.log"
    program = [str(BIN / "gunicorn"), "--config", "deploy/gunicorn.conf.py", "--bind", f"unix:{place}"]
    with running(confined.command(refused, program), log=log, environment=firm.environment) as process:

        def listens() -> bool:
            if process.poll() is not None:
                raise NotStarted(log.read_text(encoding="utf-8"))
            # Bound is not yet listening: between the two it is given its owner.
            return "Listening at" in log.read_text(encoding="utf-8")

        wait_until(listens, seconds=30, what=lambda: log.read_text(encoding="utf-8"))
        with closing(http.client.HTTPConnection("localhost")) as connection:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(30)
            connection.sock.connect(str(place))
            connection.request("GET", "/healthz")
            return connection.getresponse().status


def test_the_api_serves_on_its_socket_file(sqlite_firm: Firm, tmp_path: Path) -> None:
    refused = confined.refused_by(DEPLOY / "chambers-api.service")
    assert {"mount", "reboot", "setuid"} <= set(refused)
    assert healthy(tmp_path, sqlite_firm, refused) == 200


def test_without_what_the_unit_gives_it_the_api_would_not_start(sqlite_firm: Firm, tmp_path: Path) -> None:
    refused = [*confined.refused_by(DEPLOY / "chambers-api.service"), "chown"]
    with pytest.raises(NotStarted, match="Operation not permitted"):
        healthy(tmp_path, sqlite_firm, refused)


@pytest.mark.parametrize(
    ("unit", "words"), [("worker", ["worker", "--once"]), ("backup", ["backup", "--plain", "--to", "{folder}/kept"])]
)
def test_the_commands_run(sqlite_firm: Firm, tmp_path: Path, unit: str, words: list[str]) -> None:
    refused = confined.refused_by(DEPLOY / f"chambers-{unit}.service")
    said = chambers(refused, [word.format(folder=tmp_path) for word in words], sqlite_firm.environment)
    assert said.returncode == 0, said.stderr


def chambers(refused: list[str], words: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    program = confined.command(refused, [str(BIN / "chambers"), *words])
    return subprocess.run(program, env=dict(environment), cwd=ROOT, capture_output=True, text=True, check=False)
