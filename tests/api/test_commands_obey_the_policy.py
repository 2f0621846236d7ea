"""A token binds its role at the command line as it does over HTTP."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from api.cli import COMMANDS as GROUPS
from api.cli import main
from api.permissions.commands import COMMANDS
from api.permissions.routes import POLICY

FIRM = ["--name", "L", "--currency", "USD", "--time-zone", "UTC", "--first-month", "2026-10"]
WITHOUT_A_LINE = {"init", "migrate", "serve", "secret-key", "openapi", "demo", "export all", "move"}
WITHOUT_A_LINE |= {"backup", "backup-key", "restore", "reconcile", "sandbox-smoke"}
"""Setting up: the lead's alone, or no matter of anybody's books."""


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'books.db'}"
    assert run(address, "init", *FIRM).exit_code == 0
    return address


def run(url: str, *words: str, token: str | None = None) -> Result:
    return CliRunner().invoke(main, list(words), env={"CHAMBERS_DATABASE_URL": url, "CHAMBERS_TOKEN": token})


def token_of(url: str, role: str, *more: str) -> str:
    return run(url, "token", "issue", "--name", role, "--role", role, *more).stdout.strip()


def commands() -> set[str]:
    found = set()
    for name in set(GROUPS):
        command = main.get_command(click.Context(main), name)
        children = getattr(command, "commands", None)
        found |= {f"{name} {child}" for child in children} if children else {name}
    return {name for name in found if not {name, name.partition(" ")[0]} & WITHOUT_A_LINE}


def test_every_command_has_a_line_and_every_line_a_command() -> None:
    assert commands() == set(COMMANDS)
    assert set(COMMANDS.values()) <= set(POLICY)


def test_an_auditor_reads_and_writes_nothing(url: str) -> None:
    token = token_of(url, "auditor")
    assert run(url, "books", "balance", token=token).exit_code == 0
    refused = run(url, "client", "add", "Acme", "--country", "US", token=token)
    assert refused.exit_code == 1
    assert "The role auditor may not run `chambers client add`" in refused.output
    assert "There is no client yet" in run(url, "client", "list").stdout


def test_an_administrator_issues_no_tokens(url: str) -> None:
    token = token_of(url, "administrator")
    refused = run(url, "token", "issue", "--name", "spy", "--role", "lead", token=token)
    assert refused.exit_code == 1
    assert "chm_" not in refused.stdout


@pytest.mark.parametrize("role", ["maintainer", "client"])
def test_maintainers_and_clients_use_the_api(url: str, role: str) -> None:
    person = ("--email", "kim@example.org", "--grade", "lead", "--works-as", "owner") if role == "maintainer" else ()
    made = json.loads(run(url, role, "add", "Kim", "--country", "US", *person, "--json").stdout)
    token = token_of(url, role, "--subject", made["id"])
    assert run(url, "package", "list", token=token).exit_code == 1


def test_a_token_that_opens_nothing_is_refused(url: str) -> None:
    assert run(url, "books", "balance", token="chm_nothing").exit_code == 1


def denied(url: str) -> list[tuple[str, str]]:
    listed = json.loads(run(url, "audit", "list", "--json").stdout)
    return [(one["actor"], one["subject"]) for one in listed if one["verb"] == "attempt.denied"]


def test_what_a_token_is_denied_is_on_record(url: str) -> None:
    auditor, leaver = token_of(url, "auditor"), token_of(url, "accountant")
    assert run(url, "token", "revoke", "accountant").exit_code == 0
    for _ in range(2):
        assert run(url, "client", "add", "Acme", "--country", "US", token=auditor).exit_code == 1
    assert run(url, "books", "balance", token=leaver).exit_code == 1
    assert denied(url) == [("auditor", "chambers client add"), ("accountant", "chambers books balance")]


def test_the_firm_s_settings_take_presence_of_a_token_too(url: str) -> None:
    lead = run(url, "token", "issue", "--name", "second", "--role", "lead").stdout.strip()
    assert run(url, "firm", "show", token=lead).exit_code == 0
    refused = run(url, "firm", "sole-approval", "on", token=lead)
    assert refused.exit_code == 1
    assert "Prove your presence first" in refused.output
    assert run(url, "firm", "sole-approval", "on").exit_code == 0
