"""Importing over HTTP and at the command line: who may, what comes back, and nothing half done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import text

from api.cli import main
from api.permissions.commands import IMPORTS
from api.permissions.routes import POLICY
from firm.actor import Role
from firm.db import reading
from payouts.imports import KINDS
from tests import lovelace
from tests.api.callers import Caller, as_role, problem_of
from tests.files import FILES

pytestmark = pytest.mark.usefixtures("clock")

CLIENTS = "name,country\nInitech,US\nHooli,GB\n"
FIRM = ["--name", "L", "--currency", "USD", "--time-zone", "UTC", "--first-month", "2026-10"]


def body(content: str, kind: str = "clients", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "content": content, **more}


def clients_in(app: Flask) -> int:
    with app.app_context(), reading() as session:
        return int(session.scalar(text("SELECT COUNT(*) FROM client")) or 0)


@pytest.fixture
def office(served: Flask) -> Caller:
    with served.app_context():
        lovelace.establish()
    return as_role(served, Role.ADMINISTRATOR)


def test_a_dry_run_reports_and_writes_nothing(served: Flask, office: Caller) -> None:
    report = office.post("/v1/imports", body(CLIENTS + "Umbrella,uk\n", dry_run=True), 200)
    assert {name: report[name] for name in ("id", "total", "new", "known", "refused")} == {
        "id": None,
        "total": 3,
        "new": 2,
        "known": 0,
        "refused": 1,
    }
    [refusal] = report["refusals"]
    assert (refusal["line"], refusal["column"], refusal["text"]) == (4, "country", "uk")
    assert clients_in(served) == 0


def test_an_import_writes_all_and_again_nothing(served: Flask, office: Caller) -> None:
    report = office.post("/v1/imports", body(CLIENTS))
    assert report["id"].startswith("imp_")
    assert (report["new"], report["known"], clients_in(served)) == (2, 0, 2)
    again = office.post("/v1/imports", body(CLIENTS))
    assert (again["new"], again["known"], clients_in(served)) == (0, 2, 2)
    assert again["sha256"] == report["sha256"]


def test_one_refused_line_refuses_the_file_and_each_is_named(served: Flask, office: Caller) -> None:
    problem = office.post("/v1/imports", body(CLIENTS + "Umbrella,uk\nStark\n"), 422)
    assert problem["type"].endswith("/import-refused")
    assert problem["detail"].startswith("2 of 4 lines were refused, so nothing was imported")
    assert [(each["pointer"], each["line"], each["column"]) for each in problem["errors"]] == [
        ("/content", "4", "country"),
        ("/content", "5", ""),
    ]
    assert clients_in(served) == 0


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (body("", kind="invoices"), 422),
        (body(""), 422),
        (body(CLIENTS, dry_run="yes"), 422),
        (body(CLIENTS, dry_run=None), 422),
        ({"kind": "clients"}, 422),
        (body(CLIENTS, file="x"), 422),
        (body("\ud800"), 400),
        (body("name,country\n\x00,US\n"), 400),
        (body('name,country\n"x'), 422),
        (body("name,country\n" + "x,US\n" * 50_001), 422),
        (body("name,country\n" + "x" * 1_000_000), 413),
    ],
)
def test_a_body_that_cannot_be_is_a_problem(served: Flask, office: Caller, sent: dict[str, Any], status: int) -> None:
    answer = office.post_raw("/v1/imports", json.dumps(sent).encode())
    assert answer.status_code == status
    problem_of(answer)
    assert clients_in(served) == 0


def test_an_administrator_imports_what_she_may_make_one_by_one(served: Flask, office: Caller) -> None:
    allowed = {kind for kind, route in IMPORTS.items() if Role.ADMINISTRATOR in POLICY[route]}
    assert set(IMPORTS) == set(KINDS)
    assert set(KINDS) - allowed == {"assignments", "terms"}
    for kind in KINDS:
        sent = body(FILES[kind], kind=kind, dry_run=True)
        answer = office.post("/v1/imports", sent, 200 if kind in allowed else 403)
        assert kind in allowed or f"may not import {kind}" in answer["detail"]


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.LEAD, Role.ADMINISTRATOR, Role.SYSTEM}))
def test_nobody_else_imports(served: Flask, office: Caller, role: Role) -> None:
    caller = as_role(served, role, subject="x_1" if role in (Role.MAINTAINER, Role.CLIENT) else None)
    caller.post("/v1/imports", body(CLIENTS, dry_run=True), 403)
    caller.get("/v1/imports/templates/clients", 403)


def test_templates_are_files_to_fill_in(office: Caller) -> None:
    for kind in KINDS:
        answer = office.send("GET", f"/v1/imports/templates/{kind}")
        assert answer.content_type == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"] == f"attachment; filename={kind}.csv"
    assert "one of clients, packages" in office.get("/v1/imports/templates/invoices", 404)["detail"]


def test_a_template_of_clients_is_imported_as_it_is(served: Flask, office: Caller) -> None:
    template = office.send("GET", "/v1/imports/templates/clients").get_data(as_text=True)
    assert office.post("/v1/imports", body(template))["new"] == 1


class Shell:
    """A shell beside a database, and files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token: str | None = None
        assert self.run("init", *FIRM).exit_code == 0

    def run(self, *words: str, stdin: bytes | None = None) -> Result:
        address = f"sqlite:///{self.folder / 'books.db'}"
        env = {"CHAMBERS_DATABASE_URL": address, "CHAMBERS_TOKEN": self.token}
        return CliRunner().invoke(main, list(words), env=env, input=stdin)

    def take_in(self, content: str | bytes, *options: str, kind: str = "clients") -> Result:
        path = self.folder / f"{kind}.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self.run("import", "csv", kind, str(path), *options)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_the_command_says_what_came_in(shell: Shell) -> None:
    checked = shell.take_in(CLIENTS, "--dry-run")
    assert checked.exit_code == 0
    assert checked.stdout == ("2 lines: 2 new, 0 already known, 0 refused. This was a check; nothing was written.\n")
    assert shell.take_in(CLIENTS).stdout == "2 lines: 2 new, 0 already known, 0 refused.\n"
    assert shell.take_in(CLIENTS).stdout == "2 lines: 0 new, 2 already known, 0 refused.\n"
    assert shell.run("client", "list").stdout.count("\n") == 2


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_the_command_names_every_refused_line_and_fails(shell: Shell, options: tuple[str, ...]) -> None:
    result = shell.take_in("name,country\nInitech,usa\nHooli,GB\nUmbrella\n", *options)
    assert result.exit_code == 1
    assert "Line 2, country 'usa': Write the country as its two capital letters" in result.stdout
    assert "Line 4: The line has 1 cells" in result.stdout
    assert "3 lines: 1 new, 0 already known, 2 refused." in result.stdout
    assert "2 of 3 lines were refused, so nothing was imported" in result.stderr
    assert "There is no client yet" in shell.run("client", "list").stdout


def test_a_script_reads_the_report(shell: Shell) -> None:
    report = json.loads(shell.take_in(CLIENTS, "--json").stdout)
    assert (report["total"], report["new"], report["refusals"]) == (2, 2, [])
    refused = shell.take_in("name,country\nInitech,usa\n", "--json", "--dry-run")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["refusals"][0]["column"] == "country"


def test_a_file_may_come_through_a_pipe(shell: Shell) -> None:
    result = shell.run("import", "csv", "clients", "-", stdin=CLIENTS.encode())
    assert "2 new" in result.stdout


def test_a_hostile_cell_does_not_steer_the_terminal(shell: Shell) -> None:
    result = shell.take_in("name,country\nx,\x1b[2J\u202e\n")
    assert result.exit_code == 1
    assert "\x1b[2J" not in result.output
    assert "\u202e" not in result.output


def test_templates_are_printed(shell: Shell) -> None:
    assert shell.run("import", "csv", "--template", "packages").stdout.startswith("name,ecosystem,repository,folder\n")
    assert shell.run("import", "csv").exit_code == 2
    assert shell.run("import", "csv", "clients").exit_code == 2
    assert shell.run("import", "csv", "clients", str(shell.folder / "nowhere.csv")).exit_code == 2


def test_a_file_that_is_none_is_a_sentence(shell: Shell) -> None:
    result = shell.take_in(CLIENTS.encode("utf-16"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "CSV UTF-8" in result.stderr
    assert "larger than 10 MB" in shell.take_in(b"x" * 10_000_001).stderr


def test_an_administrator_s_token_binds_the_command(shell: Shell) -> None:
    shell.token = shell.run("token", "issue", "--name", "office", "--role", "administrator").stdout.strip()
    assert shell.take_in(CLIENTS).exit_code == 0
    refused = shell.take_in(FILES["terms"], kind="terms")
    assert refused.exit_code == 1
    assert "The role administrator may not import terms" in refused.stderr
