"""One JSON line a request and one a problem: what it says, and what it never says."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from api.cli import main
from api.logs import JsonLines, TextLines
from firm.actor import Role
from tests.api.callers import Caller, anonymous, as_role

IBAN = "DE89370400440532013000"


class Lines:
    """What was logged, read back."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def of(self, event: str) -> list[dict[str, Any]]:
        read = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in read if line.get("event") == event]


@pytest.fixture
def lines() -> Iterator[Lines]:
    found = Lines()
    catcher = logging.StreamHandler(found.stream)
    catcher.setFormatter(JsonLines())
    root = logging.getLogger()
    level = root.level
    root.addHandler(catcher)
    root.setLevel(logging.INFO)
    yield found
    root.setLevel(level)
    root.removeHandler(catcher)


@pytest.fixture
def auditor(sqlite_served: Flask) -> Caller:
    return as_role(sqlite_served, Role.AUDITOR)


def test_a_request_is_one_line_with_its_id_route_and_token(auditor: Caller, lines: Lines) -> None:
    auditor.send("GET", "/v1/tiers?limit=5", headers={"X-Request-Id": "ada-7"})
    (line,) = lines.of("request")
    assert (line["request_id"], line["method"], line["route"], line["status"]) == ("ada-7", "GET", "/v1/tiers", 200)
    assert line["duration_ms"] > 0
    assert line["token_id"].startswith("tok_")
    assert line["at"].endswith("Z")
    assert line["level"] == "info"


def test_a_problem_is_named_in_the_line_of_its_request(auditor: Caller, lines: Lines) -> None:
    auditor.get("/v1/invoices/inv_nobody", 404)
    (line,) = lines.of("request")
    assert (line["status"], line["problem"]) == (404, "invoice-not-found")


def test_neither_names_nor_addresses_nor_queries_nor_bodies_are_logged(auditor: Caller, lines: Lines) -> None:
    auditor.send("GET", "/v1/maintainers/grace-canary")
    auditor.send("GET", "/nowhere/canary?name=canary")
    auditor.post("/v1/receipts", {"reference": "canary"}, 403)
    anonymous(auditor.app).send("GET", "/v1/tiers", headers={"Authorization": "Bearer chm_canary"})
    assert len(lines.of("request")) == 4
    assert "canary" not in lines.text
    assert "auditor" not in lines.text


def test_a_method_and_an_address_of_nobody_s_make_no_new_series(auditor: Caller, lines: Lines) -> None:
    auditor.send("GARBAGE", "/x/1")
    (line,) = lines.of("request")
    assert (line["method"], line["route"]) == ("OTHER", "(none)")


def test_an_unexpected_error_leaves_its_places_and_no_values(
    auditor: Caller, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> object:
        secret = IBAN
        raise ValueError(f"cannot pay to {secret} of Grace Canary")

    monkeypatch.setitem(auditor.app.view_functions, "tiers.listed", breaks)
    problem = auditor.get("/v1/tiers", 500)
    error = next(json.loads(line) for line in lines.text.splitlines() if '"error"' in line)
    assert error["request_id"] == problem["request_id"]
    assert error["error"][0]["type"] == "builtins.ValueError"
    assert any("test_logs.py" in place for place in error["error"][0]["places"])
    assert IBAN not in lines.text
    assert "Canary" not in lines.text


def test_a_failed_statement_shows_no_values(auditor: Caller, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy import text

    from firm.db import reading

    def breaks(*_: object, **__: object) -> None:
        with reading() as session:
            session.execute(text("SELECT missing FROM tier WHERE name = :name"), {"name": "canary"})

    monkeypatch.setitem(auditor.app.view_functions, "tiers.listed", breaks)
    auditor.get("/v1/tiers", 500)
    assert "OperationalError" in lines.text
    assert "canary" not in lines.text


def test_a_line_for_people_is_one_line_too() -> None:
    record = logging.makeLogRecord({"name": "chambers", "levelname": "INFO", "msg": "two\nlines", "fields": {"a": 1}})
    line = TextLines().format(record)
    assert line.endswith(" info chambers two lines a=1")
    assert "\n" not in line


def test_a_command_is_one_line_without_its_arguments(
    sqlite_url: str, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAMBERS_DATABASE_URL", sqlite_url)
    result = CliRunner().invoke(main, ["client", "add", "Canary Ltd", "--country", "US"], prog_name="chambers")
    (line,) = lines.of("command")
    assert line["command"] == "client add"
    assert line["outcome"] in ("done", "refused"), result.output
    assert line["request_id"].startswith("req_")
    assert "Canary" not in lines.text


def test_the_server_s_own_refusals_are_problems() -> None:
    from gunicorn.http.errors import InvalidHeader, LimitRequestHeaders, LimitRequestLine

    from api.http_worker import answer_to, problem_bytes

    assert answer_to(LimitRequestLine(5000, 4094))[0] == 414
    assert answer_to(LimitRequestHeaders("limit request headers fields size"))[0] == 431
    status, reason, detail = answer_to(InvalidHeader("x"))
    head, _, body = problem_bytes(status, reason, detail, "req_1").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert json.loads(body)["request_id"] == "req_1"
    assert answer_to(RuntimeError("what the application sent"))[0] == 500
