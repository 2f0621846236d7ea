"""What the shipped nginx answers itself, and what it tells the application about a caller."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running.conftest import Firm
from tests.running.proxy import SHIPPED, Proxy

pytestmark = pytest.mark.slow
"""Each starts a server and a proxy of its own."""


def problem(answer: tuple[int, object, bytes], status: int) -> dict[str, object]:
    found, headers, body = answer
    assert found == status, body
    assert headers["Content-Type"] == "application/problem+json"  # type: ignore[index]
    read: dict[str, object] = json.loads(body)
    assert read["status"] == status
    assert read["request_id"] == headers["X-Request-Id"]  # type: ignore[index]
    assert str(read["detail"]).endswith(".")
    assert "nginx" not in body.decode()
    return read


def test_what_nginx_refuses_is_a_problem_document(proxy: Proxy) -> None:
    problem(proxy.ask("POST", "/v1/receipts", b"x" * 1_100_000), 413)
    problem(proxy.ask("GET", "/" + "a" * 5_000), 414)
    problem(proxy.ask("GET", "/v1/tiers", headers={"X-Large": "a" * 9_000}), 431)
    problem(proxy.ask("GET", "/v1/tiers", headers={f"X-{n}": "a" for n in range(101)}), 431)


@pytest.mark.parametrize(
    ("line", "header", "status"),
    [
        ("GET /refused/400 HTTP/1.1", "", 404),
        ("TRACE /v1/tiers HTTP/1.1", "", 405),
        ("CONNECT chambers.example:443 HTTP/1.1", "", 405),
        ("POST /v1/tiers HTTP/1.1", "Transfer-Encoding: gzip\r\n", 501),
        ("GET /v1/tiers HTTP/3.0", "", 505),
        ("GET /v1/tiers HTTP/1.1", "Content-Length: x\r\n", 400),
        ("POST /readyz HTTP/1.1", "Content-Length: 2000000\r\n", 413),
    ],
)
def test_what_is_no_request_of_ours_is_refused_as_a_problem_too(
    proxy: Proxy, line: str, header: str, status: int
) -> None:
    connection = proxy.connect()
    connection.sendall(f"{line}\r\nHost: chambers.example\r\nConnection: close\r\n{header}\r\n".encode())
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    problem((answer.status, answer.headers, answer.read()), status)
    connection.close()


def test_files_of_the_bank_and_proofs_may_be_larger_too(proxy: Proxy) -> None:
    for path in ("/v1/bank-files", "/v1/payouts/pay_1/proof"):
        status, _, _ = proxy.ask("POST", path, b"x" * 1_100_000)
        assert status == 401


@pytest.mark.parametrize("path", ["/v1/imports", "/v1/clients"])
def test_imports_are_as_large_as_other_bodies(proxy: Proxy, sqlite_firm: Firm, path: str) -> None:
    headers = {"Authorization": f"Bearer {sqlite_firm.token}", "Content-Type": "application/json"}
    # What is no JSON is read by the API alone: that it says so shows how far the body came.
    problem(proxy.ask("POST", path, b"x" * 1_000_000, headers), 400)
    for size in (1_000_001, 1_100_000):
        assert "at most 1 MB." in str(problem(proxy.ask("POST", path, b"x" * size, headers), 413)["detail"])


@pytest.mark.parametrize(("path", "most"), [("/v1/bank-files?a=1", 10), ("/v1/payouts/pay_1/proof", 5)])
def test_what_is_refused_as_too_large_says_how_much_the_address_takes(proxy: Proxy, path: str, most: int) -> None:
    refused = problem(proxy.ask("POST", path, b"x" * (most * 1_100_000)), 413)
    assert refused["detail"] == f"The body is too large; send at most {most} MB."


def test_a_request_id_goes_through_when_it_is_well_formed(proxy: Proxy) -> None:
    _, headers, _ = proxy.ask("GET", "/healthz", headers={"X-Request-Id": "ada-7"})
    assert headers["X-Request-Id"] == "ada-7"
    _, headers, _ = proxy.ask("GET", "/healthz", headers={"X-Request-Id": "x" * 101})
    assert headers["X-Request-Id"] != "x" * 101


def test_answers_carry_the_security_headers(proxy: Proxy, sqlite_firm: Firm) -> None:
    status, headers, _ = proxy.ask("GET", "/v1/tiers", headers={"Authorization": f"Bearer {sqlite_firm.token}"})
    assert status == 200
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers.get_all("X-Request-Id") is not None
    assert len(headers.get_all("X-Request-Id") or []) == 1
    assert "nginx/" not in (headers["Server"] or "")


def test_while_the_application_is_away_callers_are_told_to_come_back(proxy: Proxy) -> None:
    proxy.server.stop()
    answer = proxy.ask("GET", "/v1/tiers")
    problem(answer, 503)
    assert answer[1]["Retry-After"] == "2"
    problem(proxy.ask("GET", "/readyz"), 503)


def test_one_address_holds_so_many_connections_and_no_more(proxy: Proxy) -> None:
    slow = [proxy.connect(source="127.0.0.9") for _ in range(50)]
    request = b"POST /v1/receipts HTTP/1.1\r\nHost: chambers.example\r\nContent-Length: 1000\r\n\r\n{"
    for connection in slow:
        connection.sendall(request)
    one_more = proxy.connect(source="127.0.0.9")
    one_more.sendall(request)
    first = one_more.recv(4096)
    assert first.startswith(b"HTTP/1.1 429 "), first
    assert proxy.ask("GET", "/healthz")[0] == 200
    for connection in (*slow, one_more):
        connection.close()


def test_neither_the_log_of_nginx_nor_ours_names_what_was_asked_for(proxy: Proxy, sqlite_firm: Firm) -> None:
    headers = {"Authorization": f"Bearer {sqlite_firm.token}", "User-Agent": "canary"}
    proxy.ask("GET", "/v1/clients/canary?name=canary", headers=headers)
    proxy.ask("POST", "/v1/clients/canary?name=canary", b"x" * 1_100_000, headers | {"Referer": "https://canary/"})
    proxy.server.stop()
    proxy.ask("GET", "/v1/clients/canary?name=canary", headers=headers)
    errors = (proxy.folder / "error.log").read_text(encoding="utf-8")
    for text in (*(log.read_text(encoding="utf-8") for log in (proxy.folder / "access.log", proxy.server.log)), errors):
        assert text or text is errors
        assert "canary" not in text
        assert sqlite_firm.token not in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd's own checker")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for unit in sorted(SHIPPED.parent.glob("chambers-*.*")):
        text = unit.read_text(encoding="utf-8").replace("/opt/chambers/.venv/bin/", f"{Path(sys.executable).parent}/")
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    names = sorted(str(path) for path in tmp_path.glob("chambers-*"))
    command = ["systemd-analyze", "verify", "--recursive-errors=no", *names]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    complaints = [line for line in checked.stderr.splitlines() if "chambers-" in line]
    assert complaints == []
