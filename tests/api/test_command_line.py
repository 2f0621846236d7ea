"""The command line: the worked month to the cent, sentences for errors, and the exit codes that scripts read."""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyotp
import pytest
import time_machine
from click.testing import CliRunner, Result
from flask import Flask

from api.app import create_core
from api.cli import COMMANDS, main
from firm import clock
from firm.actor import Role
from staffing.work.git import Person
from staffing.work.sample_history import SampleCommit, make_clone
from tests import lovelace
from tests.api.callers import as_role
from tests.api.conftest import serving
from tests.databases import TEST_KEY, settings_for
from tests.firm.documents.reading import words

PACKAGES = ("ssh", "age", "staticcheck")
LETTER = (
    *("onramp", "letter", "Grace", "--amount", "1.00 USD", "--term-months", "3"),
    *("--signed", "2026-10-01", "--expires", "2027-10-01", "--company"),
)
ASSIGNMENT = (
    *("assignment", "add", "--maintainer", "Grace", "--package", "age", "--role", "lead", "--share", "0"),
    *("--from", "2026-11-01", "--volunteer", "--override"),
)


class Shell:
    """A shell with the settings of one database; `run` fails unless the command exits as expected."""

    def __init__(self, url: str) -> None:
        self.environment = {
            "CHAMBERS_DATABASE_URL": url,
            "CHAMBERS_SECRET_KEYS": TEST_KEY,
            "CHAMBERS_SQLITE_SYNCHRONOUS": "NORMAL",
            "CHAMBERS_TOKEN": "",
        }

    def as_bearer(self, secret: str) -> Shell:
        other = Shell(self.environment["CHAMBERS_DATABASE_URL"])
        other.environment["CHAMBERS_TOKEN"] = secret.strip().splitlines()[-1]
        return other

    def call(self, *words: str) -> Result:
        return CliRunner().invoke(main, list(words), env=self.environment)

    def run(self, *words: str, code: int = 0) -> str:
        result = self.call(*words)
        assert result.exit_code == code, (words, result.output, result.exception)
        return result.stdout if code == 0 else result.output

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(f"sqlite:///{tmp_path}/chambers.db")


@pytest.fixture
def closed_shell(closed_url: str) -> Shell:
    return Shell(closed_url)


def sentence_of(result: Result) -> str:
    """The one sentence of an error: a line, after a bar of progress perhaps, and no trace."""
    assert result.exit_code != 0
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert "Traceback" not in result.stderr
    assert [line for line in lines if line.startswith("Error: ")] == lines[-1:], result.stderr
    assert len(lines) <= 2, result.stderr
    return lines[-1].removeprefix("Error: ")


def set_up(shell: Shell) -> Shell:
    """The firm of the examples through commands alone; returns the lead's shell."""
    firm = ("--name", "Lovelace Maintainers", "--currency", "USD", "--time-zone", "Europe/London")
    secret = shell.run("init", *firm, "--first-month", "2026-10", "--address", "12 St James's Square")
    lead = shell.as_bearer(secret)
    sell(lead)
    staff(lead, shell)
    return lead


def sell(lead: Shell) -> None:
    for name in PACKAGES:
        lead.run("package", "add", name, "--ecosystem", "Go")
    interests = [part for name in PACKAGES for part in ("--interest", f"{name}:no:24")]
    for name, tier, fee, cycle in (
        ("Acme", "gold", "10000.00 USD", "yearly"),
        ("Globex", "platinum", "5,000.00 USD", "monthly"),
    ):
        lead.run("client", "add", name, "--country", "US")
        lead.run("tier", "add", tier, "--entitlement", "Two meetings a year")
        terms = ("--client", name, "--tier", tier, "--fee", fee, "--cycle", cycle, "--starts", "2026-10-01")
        drafted = lead.json("engagement", "draft", *terms, "--subcontracting", *interests)
        lead.run("engagement", "sign", drafted["id"])
    shares = ("--overhead", "20", "--reserve", "on-ramp=5")
    weights = ("--weight", "ssh=3", "--weight", "age=2", "--weight", "staticcheck=1")
    assert "Version 1" in lead.run("plan", "set", "--from", "2026-10", *shares, *weights)


def staff(lead: Shell, somebody_else: Shell) -> None:
    for name in ("Grace", "Ada"):
        who = ("--email", f"{name.lower()}@lovelace.example", "--country", "US")
        lead.run("maintainer", "add", name, *who, "--grade", "junior", "--works-as", "subcontractor")
        proposed = lead.json("maintainer", "destination", name, "--rail", "manual")
        assert "in force from now on" in somebody_else.run("destination", "confirm", proposed["id"])
    for name, package, role, share in (
        ("Grace", "ssh", "lead", "100"),
        ("Ada", "staticcheck", "co-maintainer", "50"),
        ("Ada", "age", "co-maintainer", "50%"),
    ):
        what = ("--package", package, "--role", role, "--share", share, "--from", "2026-10-01")
        lead.run("assignment", "add", "--maintainer", name, *what)
    grace = ("--guarantee", "4000.00 USD", "--growth", "10", "--baseline", "12000.00 USD")
    ada = ("--fund-share", "staticcheck=40", "--fixed-fee", "age=1200.00 USD")
    for name, terms in (("Grace", grace), ("Ada", ada)):
        lead.run("terms", "set", "--maintainer", name, "--from", "2026-10", *terms)


def test_the_worked_month_comes_out_to_the_cent_at_the_shell(
    shell: Shell, clock: time_machine.Traveller, tmp_path: Path
) -> None:
    lead = set_up(shell)
    office = shell.as_bearer(lead.run("token", "issue", "--name", "Charles", "--role", "administrator"))
    clock.move_to(lovelace.AFTER)
    assert office.json("month", "preview", "2026-10")["earned"]["amount"] == "6250.00"
    closing = office.json("month", "close", "2026-10")
    assert office.json("month", "close", "2026-10") == closing
    assert office.json("month", "status", "2026-10") == closing
    assert {fund["name"]: fund["amount"]["amount"] for fund in closing["allocated"]} == {
        "overhead": "3000.00",
        "on-ramp": "750.00",
        "ssh": "5625.00",
        "age": "3750.00",
        "staticcheck": "1875.00",
    }
    pay(office, lead)
    read(office, tmp_path)
    accounts = office.json("books", "balance")["accounts"]
    assert {row["account"]: row["balance"]["amount"] for row in accounts if float(row["balance"]["amount"])} == {
        "assets:bank": "-6250.00",
        "assets:receivables": "125000.00",
        "equity:allocated": "8750.00",
        "equity:funds:overhead": "-3000.00",
        "equity:funds:packages": "-5000.00",
        "equity:funds:reserves:on-ramp": "-750.00",
        "expenses:maintainers": "6250.00",
        "income:retainers": "-15000.00",
        "liabilities:deferred-revenue": "-110000.00",
    }
    assert "invariants hold" in office.run("verify")
    with create_core(settings_for(shell.environment["CHAMBERS_DATABASE_URL"])).app_context():
        lovelace.assert_books_hold()


def pay(office: Shell, lead: Shell) -> None:
    run = office.json("run", "draft")
    number = run["number"]
    office.run("run", "propose", number)
    assert "may not run `chambers run approve`" in sentence_of(office.call("run", "approve", number))
    shell = Shell(office.environment["CHAMBERS_DATABASE_URL"])
    authenticator = pyotp.parse_uri(shell.run("principal", "totp", "lead").strip())
    lead.run("prove", authenticator.at(clock.now()))  # type: ignore[attr-defined]
    assert "approved by lead" in lead.run("run", "approve", number)
    office.run("run", "send", number)
    for payout in run["payouts"]:
        office.run("run", "settle", payout["id"], "--reference", "wire", "--on", "2026-11-01")
    settled = office.json("run", "status", number)
    assert settled["state"] == "settled"
    assert f"{number}  USD  settled         prepared" in office.run("run", "list", "--state", "settled")
    assert "There is no such run." in office.run("run", "list", "--state", "draft")
    assert sorted(payout["amount"]["amount"] for payout in settled["payouts"]) == ["1950.00", "4300.00"]
    assert sentence_of(office.call("run", "draft"))


def read(office: Shell, folder: Path) -> None:
    """The papers of the month, in each of their forms."""
    assert json.loads(office.run("statement", "Grace", "2026-10"))["earned"]["amount"] == "4300.00"
    for ending in ("pdf", "html", "json"):
        office.run("statement", "Grace", "2026-10", "--out", str(folder / f"grace.{ending}"))
    for text in (words((folder / "grace.pdf").read_bytes()), (folder / "grace.html").read_text(encoding="utf-8")):
        assert "4,300.00" in text
    office.run("report", "funded-work", "Acme", "--from", "2026-10", "--out", str(folder / "acme.pdf"))
    assert "Acme" in words((folder / "acme.pdf").read_bytes())
    assert "cr income:retainers" in office.run("books", "journal", "2026-10")


def test_every_command_explains_itself(shell: Shell) -> None:
    assert set(COMMANDS) <= set(shell.run("--help").split())
    for name in COMMANDS:
        assert shell.run(name, "--help").startswith("Usage: ")


def test_an_unknown_command_is_a_usage_error(shell: Shell) -> None:
    for typed in (("dance",), ("month", "dance"), ("month", "close"), ("init",), ("verify", "--loudly")):
        assert "Usage: " in shell.run(*typed, code=2)


@pytest.mark.parametrize(
    "typed",
    [
        ("month", "close", "2026-13"),
        ("month", "close", "october"),
        ("receipt", "record", "INV-1", "--amount", "1e300000 USD", "--on", "2026-11-01", "--reference", "x"),
        ("receipt", "record", "INV-1", "--amount", "1.000 USD", "--on", "2026-11-01", "--reference", "x"),
        ("receipt", "record", "INV-1", "--amount", "1.00", "--on", "2026-11-01", "--reference", "x"),
        ("receipt", "record", "INV-1", "--amount", "1.00 USD", "--on", "yesterday", "--reference", "x"),
        ("plan", "set", "--from", "2026-10", "--overhead", "2o", "--weight", "ssh=1"),
        ("plan", "set", "--from", "2026-10", "--overhead", "20", "--weight", "ssh"),
        ("plan", "set", "--from", "2026-10", "--overhead", "20", "--weight", "ssh=much"),
        ("plan", "set", "--from", "2026-12", "--overhead", "20", "--weight", "ssh=1", "--weight", "ssh=2"),
        ("token", "issue", "--name", "x", "--role", "emperor"),
    ],
)
def test_a_value_written_wrongly_is_a_usage_error_of_one_sentence(closed_shell: Shell, typed: tuple[str, ...]) -> None:
    result = closed_shell.call(*typed)
    assert result.exit_code == 2
    assert len([line for line in result.stderr.splitlines() if line.startswith("Error: ")]) == 1


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (("month", "close", "2026-09"), "The books begin with October 2026"),
        (("month", "close", "2199-11"), "is not over"),
        (("month", "status", "2026-12"), "has not been closed"),
        (("month", "preview", "2026-10"), "`chambers month status 2026-10` shows what it came to"),
        (("invoice", "issue", "2026-10"), "its close has issued what could be"),
        (("run", "status", "RUN-2026-9999"), "RUN-2026-9999"),
        (("run", "approve", "RUN-2026-9999"), "RUN-2026-9999"),
        (("statement", "Linus", "2026-10"), "Linus"),
        (("statement", "Grace", "2026-09"), "There is no statement of September 2026"),
        (("report", "funded-work", "Initech", "--from", "2026-10"), "Initech"),
        (("report", "funded-work", "Acme", "--from", "2026-12"), "is not over"),
        (("client", "add", "Acme", "--country", "US"), "Acme"),
        (("token", "revoke", "nobody"), "nobody"),
        (("import", "git", "/nothing", "--package", "ssh"), ""),
        (("maintainer", "destination", "Grace", "--rail", "pigeon"), ""),
        (("token", "issue", "--name", "x", "--role", "maintainer"), "needs"),
    ],
)
def test_a_refusal_is_one_sentence_and_exit_code_1(closed_shell: Shell, typed: tuple[str, ...], says: str) -> None:
    with time_machine.travel(lovelace.AFTER):
        result = closed_shell.call(*typed)
    assert result.exit_code == 1
    assert says in sentence_of(result)


@pytest.mark.parametrize("blank", ["", " \t"])
@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (("run", "settle", "PAYOUT", "--on", "2026-11-02", "--reference"), "the bank's reference"),
        (("run", "return", "PAYOUT", "--on", "2026-11-02", "--reason"), "why it came back"),
        (("run", "withdraw", "PAYOUT", "--reason"), "why it is taken back"),
        (("run", "hold", "PAYOUT", "--reason"), "why it is held"),
        (("run", "reopen", "RUN", "--reason"), "why it becomes a draft again"),
        (("destination", "reject", "dst_x", "--reason"), "why it is rejected"),
        (("maintainer", "destination", "Grace", "--rail", "manual", "--holder"), "a name"),
        (("tax-form", "withdraw", "txf_x", "--reason"), "why it is withdrawn"),
        (("self-billing", "end", "sba_x", "--by", "firm", "--reason"), "why it ends"),
        (("self-billing", "credit", "SB-1", "--reason"), "why it is taken back"),
        (("reissue", "Grace", "2026-10", "--reason"), "why the statement is issued again"),
        (("adjustment", "reverse", "ADJ-1", "--reason"), ""),
        (("difference", "resolve", "dif_x", "--note"), "how it was resolved"),
        (("bank-file", "resolve", "bln_x", "--note"), "what it is"),
        (("notice", "give", "ntc_x", "--how"), "how it was given"),
        (("receipt", "record", "INV-1", "--amount", "1.00 USD", "--on", "2026-10-02", "--reference"), "reference"),
        (("rate", "set", "EUR", "2026-11", "1.05", "--source"), "where the rate comes from"),
        (("engagement", "withdraw-interest", "eng_x", "ssh", "--reason"), "why it is withdrawn"),
        (("engagement", "po-number", "eng_x"), "purchase order"),
        (("tier", "add"), "a name"),
        (("tier", "add", "gold", "--entitlement"), "what the tier entitles to"),
        (("principal", "add", "--role", "approver", "--name"), "a name"),
        (("onramp", "runway", "Grace", "--months", "6", "--text"), "the plan"),
        (LETTER, "a name"),
        (ASSIGNMENT, "why the gate is overridden"),
    ],
)
def test_what_has_to_be_said_is_not_left_blank(
    closed_shell: Shell, typed: tuple[str, ...], says: str, blank: str
) -> None:
    with time_machine.travel(lovelace.AFTER):
        result = closed_shell.call(*typed, blank)
    assert result.exit_code == 1, result.output
    assert says in sentence_of(result)


def test_the_firm_is_set_up_once(closed_shell: Shell) -> None:
    firm = ("--name", "Second", "--currency", "EUR", "--time-zone", "UTC", "--first-month", "2026-10")
    assert sentence_of(closed_shell.call("init", *firm))


@pytest.mark.parametrize(
    ("option", "value"), [("--currency", "XXZ"), ("--time-zone", "Atlantis/Capital"), ("--color", "javascript:x")]
)
def test_a_firm_that_makes_no_sense_is_refused(shell: Shell, option: str, value: str) -> None:
    firm = {"--name": "Firm", "--currency": "USD", "--time-zone": "UTC", "--first-month": "2026-10"} | {option: value}
    assert sentence_of(shell.call("init", *[part for pair in firm.items() for part in pair]))


def test_a_token_that_opens_nothing_is_refused(closed_shell: Shell) -> None:
    assert "CHAMBERS_TOKEN holds no token" in sentence_of(
        closed_shell.as_bearer("chm_nonsense").call("books", "balance")
    )


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CHAMBERS_DATABASE_URL", "mysql://localhost/x", "mysql is not supported"),
        ("CHAMBERS_DATABASE_URL", "nonsense", "not a database address"),
        ("CHAMBERS_DATABASE_URL", "", "not a database address"),
        ("CHAMBERS_SECRET_KEYS", "nonsense", "id:base64-of-32-bytes"),
        ("CHAMBERS_SECRET_KEYS", f"{TEST_KEY},{TEST_KEY}", "twice"),
        ("CHAMBERS_SQLITE_SYNCHRONOUS", "OFF", "use FULL or NORMAL"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(shell: Shell, name: str, value: str, says: str) -> None:
    shell.environment[name] = value
    said = sentence_of(shell.call("books", "balance"))
    assert said.startswith(f"The environment variable {name} is wrong: ")
    assert says in said
    assert TEST_KEY not in said


def test_a_database_that_was_not_set_up_says_so(shell: Shell) -> None:
    assert "chambers init" in sentence_of(shell.call("books", "balance"))


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:9/nothing", "sqlite:////proc/nowhere/chambers.db"])
def test_a_database_that_cannot_be_reached_says_so(shell: Shell, url: str) -> None:
    shell.environment["CHAMBERS_DATABASE_URL"] = url
    assert sentence_of(shell.call("books", "balance"))


def test_a_bank_detail_needs_a_key(closed_shell: Shell) -> None:
    closed_shell.environment["CHAMBERS_SECRET_KEYS"] = ""
    said = sentence_of(
        closed_shell.call("maintainer", "destination", "Grace", "--rail", "sepa", "--iban", "DE89370400440532013000")
    )
    assert "CHAMBERS_SECRET_KEYS" in said


def break_books(url: str) -> None:
    """Change a posting behind the product's back, its guards taken away."""
    import pysqlite3.dbapi2 as newest

    connection: sqlite3.Connection = newest.connect(url.removeprefix("sqlite:///"))
    guards = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in guards:
        connection.execute(f'DROP TRIGGER "{name}"')
    connection.execute("UPDATE posting SET amount_minor = amount_minor + 1 WHERE entry_id = 1 AND line = 1")
    connection.commit()
    connection.close()


def test_verify_names_what_is_broken_and_exits_1(closed_shell: Shell, closed_url: str) -> None:
    assert "BROKEN audit-sequenced" in closed_shell.run("verify", code=1)
    closed_shell.run("audit", "sequence")
    assert "BROKEN" not in closed_shell.run("verify")
    break_books(closed_url)
    said = closed_shell.run("verify", code=1)
    assert "BROKEN entries-balance: Every journal entry balances" in said
    assert "ok     entries-complete" in said
    found = json.loads(closed_shell.call("verify", "--json").stdout)
    broken = {one["invariant"] for one in found if one["holds"] is False}
    assert {"entries-balance", "trial-balance-zero", "balances-kept"} <= broken
    assert all(one["breaches"] for one in found if one["holds"] is False)


def test_json_at_the_shell_is_what_the_api_answers(closed_shell: Shell, closed_url: str) -> None:
    app: Flask
    for app in serving(closed_url):
        lead = as_role(app, Role.LEAD)
        assert closed_shell.json("month", "status", "2026-10") == lead.get("/v1/months/2026-10")
        assert closed_shell.json("client", "list") == lead.get("/v1/clients")["items"]
        assert closed_shell.json("maintainer", "list") == lead.get("/v1/maintainers")["items"]
        assert closed_shell.json("invoice", "list") == lead.get("/v1/invoices")["items"]
        assert closed_shell.json("run", "list") == lead.get("/v1/payout-runs")["items"]
        assert closed_shell.json("receipt", "list") == lead.get("/v1/receipts")["items"]
        assert closed_shell.json("firm", "show") == lead.get("/v1/firm")
        assert closed_shell.json("books", "balance") == lead.get("/v1/trial-balance")


def test_the_description_is_checked_at_the_shell(shell: Shell) -> None:
    assert "is current" in shell.run("openapi", "--check")


@pytest.mark.parametrize("command", [("verify",), ("books", "balance"), ("client", "list"), ("backup", "--plain")])
def test_looking_at_a_database_does_not_make_one(shell: Shell, tmp_path: Path, command: tuple[str, ...]) -> None:
    assert "There is no database at" in sentence_of(shell.call(*command))
    assert list(tmp_path.iterdir()) == []


def test_a_token_of_another_firm_is_in_nobodys_way_where_no_books_are(shell: Shell, tmp_path: Path) -> None:
    with_token = shell.as_bearer("chm_of_another_firm")
    with_token.run("init", "--name", "L", "--currency", "USD", "--time-zone", "UTC", "--first-month", "2026-10")
    shell.run("backup", "--plain", "--out", str(tmp_path / "b"))
    shell.run("export", "all", "--out", str(tmp_path / "a.zip"))
    for name, command in (
        ("r", ("restore", str(tmp_path / "b"))),
        ("i", ("import", "archive", str(tmp_path / "a.zip"))),
    ):
        Shell(f"sqlite:///{tmp_path}/{name}.db").as_bearer("chm_of_another_firm").run(*command)
    assert "CHAMBERS_TOKEN holds no token" in sentence_of(with_token.call("client", "list"))


def test_wrong_places_are_sentences(closed_shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "folder.pdf").mkdir()
    under, folder = str(tmp_path / "file" / "x"), str(tmp_path / "folder.pdf")
    for command in (
        ("export", "all", "--out", under),
        ("statement", "Ada", "2026-10", "--out", f"{under}.pdf"),
        ("statement", "Ada", "2026-10", "--out", folder),
        ("backup", "--plain", "--to", under),
        ("move", "--to", "garbage"),
    ):
        assert sentence_of(closed_shell.call(*command)).endswith(".")
    other = Shell(f"sqlite:///{tmp_path / 'file'}")
    assert "is no database" in sentence_of(other.call("verify"))


def test_secrets_that_cannot_be_read_are_a_sentence_and_lose_nothing(closed_shell: Shell, tmp_path: Path) -> None:
    lead = closed_shell
    lead.run("maintainer", "destination", "Ada", "--rail", "sepa", "--iban", "DE89370400440532013000")
    lead.environment["CHAMBERS_SECRET_KEYS"] = ""
    lead.run("principal", "add", "--name", "linus", "--role", "approver")
    assert "Set CHAMBERS_SECRET_KEYS" in sentence_of(lead.call("principal", "totp", "linus"))
    lead.environment["CHAMBERS_SECRET_KEYS"] = TEST_KEY
    lead.run("principal", "totp", "linus")
    secret = lead.run("token", "issue", "--name", "linus")
    linus = lead.as_bearer(secret)
    linus.environment["CHAMBERS_SECRET_KEYS"] = TEST_KEY.replace("test:", "other:")
    assert "is not among CHAMBERS_SECRET_KEYS" in sentence_of(linus.call("prove", "123456"))


def test_a_broken_anchor_is_one_check_that_fails_among_the_others(closed_shell: Shell, tmp_path: Path) -> None:
    closed_shell.environment["CHAMBERS_AUDIT_KEY"] = TEST_KEY.partition(":")[2]
    closed_shell.environment["CHAMBERS_AUDIT_ANCHORS"] = str(tmp_path / "anchors")
    closed_shell.run("audit", "anchor")
    closed_shell.run("verify")
    (tmp_path / "anchors").write_text("no anchor\n")
    told = closed_shell.call("verify")
    assert told.exit_code == 1
    assert "audit-anchored" in told.output
    assert "audit-chain" in told.output
    closed_shell.environment["CHAMBERS_AUDIT_KEY"] = ""
    assert "set CHAMBERS_AUDIT_KEY" in closed_shell.call("verify").output


def test_wrong_keys_are_noticed_named_and_seal_nothing(closed_shell: Shell) -> None:
    lead = closed_shell
    account = ("--rail", "sepa", "--iban", "DE89370400440532013000")
    lead.run("maintainer", "destination", "Ada", *account)
    lead.run("verify")
    for wrong in (f"test:{'A' * 43}=", f"other:{'A' * 43}="):
        lead.environment["CHAMBERS_SECRET_KEYS"] = wrong
        assert "BROKEN sealed-opens" in lead.run("verify", code=1)
        said = sentence_of(lead.call("maintainer", "destination", "Grace", *account))
        assert said.startswith("CHAMBERS_SECRET_KEYS does not open what is sealed in destination.iban_sealed")
    lead.environment["CHAMBERS_LOST_SECRET_KEYS"] = "test"
    lead.run("maintainer", "destination", "Grace", *account)
    lead.run("verify")


def test_anchors_that_cannot_be_read_are_one_check_that_fails(closed_shell: Shell, tmp_path: Path) -> None:
    closed_shell.environment["CHAMBERS_AUDIT_KEY"] = TEST_KEY.partition(":")[2]
    noise, folder = tmp_path / "noise", tmp_path / "folder"
    noise.write_bytes(bytes(range(128, 256)))
    folder.mkdir()
    for path, says in ((noise, "is no file of anchors"), (folder, "cannot be read: Is a directory")):
        closed_shell.environment["CHAMBERS_AUDIT_ANCHORS"] = str(path)
        told = closed_shell.run("verify", code=1)
        assert says in told
        assert "ok     audit-chain" in told
        # What a command was for is done, and it says so: a script would do it a second time otherwise.
        made = closed_shell.call("client", "add", f"Client of {path.name}", "--country", "US")
        assert made.exit_code == 0
        assert "The command is done, but no anchor of the audit chain was kept." in made.stderr


def test_anchors_that_were_deleted_are_missed(closed_shell: Shell, tmp_path: Path) -> None:
    closed_shell.run("audit", "sequence")
    assert "audit-anchored: not checked: CHAMBERS_AUDIT_KEY is not set." in closed_shell.run("verify")
    unchecked = {one["invariant"]: one["holds"] for one in json.loads(closed_shell.run("verify", "--json"))}
    assert (unchecked["audit-anchored"], unchecked["audit-chain"]) == (None, True)
    path = tmp_path / "anchors.jsonl"
    closed_shell.environment |= {
        "CHAMBERS_AUDIT_KEY": TEST_KEY.partition(":")[2],
        "CHAMBERS_AUDIT_ANCHORS": str(path),
    }
    closed_shell.run("audit", "anchor")
    assert "not checked" not in closed_shell.run("verify")
    path.unlink()
    assert "BROKEN audit-anchors-kept" in closed_shell.run("verify", code=1)
    assert not path.exists()
    assert "begin a new one with `chambers audit anchor --anew`" in sentence_of(closed_shell.call("audit", "anchor"))
    closed_shell.run("audit", "anchor", "--anew")
    closed_shell.run("verify")


@pytest.mark.parametrize("weight", ["99999999999999999999", "1000001", "-1"])
def test_a_weight_that_no_plan_takes_is_a_sentence(closed_shell: Shell, weight: str) -> None:
    plan = ("plan", "set", "--from", "2026-11", "--overhead", "20", "--weight", f"ssh={weight}")
    assert sentence_of(closed_shell.call(*plan)) == "A package's weight is a whole number from 0 to 1,000,000."


@pytest.mark.parametrize("bind", ["127.0.0.1:99999", "127.0.0.1:0", "127.0.0.1", ":8000", "127.0.0.1:eighty", ""])
def test_an_address_that_nobody_can_serve_on_is_a_sentence(shell: Shell, bind: str) -> None:
    assert "is no address to serve on" in sentence_of(shell.call("serve", "--bind", bind))


def test_what_was_entered_wrongly_is_corrected_at_the_shell(closed_shell: Shell) -> None:
    lead = closed_shell
    assert "Acme Inc is corrected" in lead.run("client", "change", "Acme", "--name", "Acme Inc", "--address", "2 Road")
    assert lead.json("maintainer", "change", "Ada", "--grade", "lead")["grade"] == "lead"
    assert lead.json("package", "change", "ssh", "--folder", "ssh")["folder"] == "ssh"
    assert "say what is different" in sentence_of(lead.call("client", "change", "Acme Inc"))
    engagement = lead.json("engagement", "list")[0]["id"]
    taken = lead.run("engagement", "withdraw-interest", engagement, "ssh", "--reason", "a mistake")
    assert "names ssh no more; 2 interests are left" in taken
    lead.run("verify")


def test_a_report_whose_file_cannot_be_written_is_not_issued(closed_shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "folder.html").mkdir()
    report = ("report", "funded-work", "Acme", "--from", "2026-10", "--out")
    with time_machine.travel(lovelace.AFTER):
        for place in ("/proc/x.html", str(tmp_path / "folder.html"), str(tmp_path / "x.docx")):
            assert closed_shell.call(*report, place).exit_code != 0
        said = closed_shell.run(*report, str(tmp_path / "acme.html"))
    assert said.startswith("FWR-2026-0001 is in")
    assert "takes the place" not in (tmp_path / "acme.html").read_text()


def test_what_is_made_is_the_owners_alone(shell: Shell, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        lead = set_up(shell)
        with time_machine.travel(lovelace.AFTER):
            lead.run("month", "close", "2026-10")
            lead.run("statement", "Ada", "2026-10", "--out", str(tmp_path / "ada.html"))
            lead.run("export", "all", "--out", str(tmp_path / "firm.zip"))
    finally:
        os.umask(before)
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert {path.name for path in files} >= {"chambers.db", "ada.html", "firm.zip"}
    assert {oct(path.stat().st_mode)[-3:] for path in files} == {"600"}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CHAMBERS_DATABASE_URL", "sqlite:///:memory:", "books in memory are gone"),
        ("CHAMBERS_DATABASE_URL", "sqlite://", "books in memory are gone"),
        ("CHAMBERS_DATABSE_URL", "sqlite:///x.db", "CHAMBERS_DATABASE_URL may be meant"),
        ("CHAMBERS_SECRET_KEY", "x", "CHAMBERS_SECRET_KEYS may be meant"),
    ],
)
def test_a_setting_that_would_lose_the_books_is_refused(shell: Shell, name: str, value: str, says: str) -> None:
    shell.environment[name] = value
    firm = ("--name", "L", "--currency", "USD", "--time-zone", "UTC", "--first-month", "2026-10")
    assert says in sentence_of(shell.call("init", *firm))


def test_the_first_token_ends_and_the_firm_has_a_name(shell: Shell) -> None:
    firm = ("--currency", "USD", "--time-zone", "UTC", "--first-month", "2026-10")
    assert "Write a name" in sentence_of(shell.call("init", "--name", " ", *firm))
    with time_machine.travel(lovelace.BEFORE):
        said = shell.run("init", "--name", "L", *firm)
    assert "it ends on 2026-12-30" in said


def test_small_slips_at_the_shell_are_told_as_they_are(closed_shell: Shell, tmp_path: Path) -> None:
    large = ("receipt", "record", "INV-2026-0001", "--amount", "99999999999999999999.00 USD", "--on", "2026-11-01")
    assert "An amount may not exceed" in closed_shell.call(*large, "--reference", "b").stderr
    assert "Say another name or another" in sentence_of(closed_shell.call("maintainer", "alias", "Ada"))
    backward = ("import", "git", str(tmp_path), "--package", "ssh", "--since", "2026-11-01", "--until", "2026-10-01")
    assert "lies after --since" in closed_shell.call(*backward).stderr
    (tmp_path / "GO-2026-1.json").write_text('{"id": "GO-2026-1", "modified": "2026-10-01T00:00:00Z"}')
    assert "None of these advisories" in closed_shell.run("import", "osv", str(tmp_path))
    named = {"id": "GO-2026-2", "affected": [{"package": {"name": "age", "ecosystem": "Go"}}]}
    (tmp_path / "GO-2026-2.json").write_text(json.dumps(named | {"published": "2026-10-01T00:00:00Z"}))
    (tmp_path / "GO-2026-3.json").write_text(json.dumps(named | {"id": "GO-2026-3"}))
    assert closed_shell.json("import", "osv", str(tmp_path))["undated"] == 1
    without = "1 has no day of publication, and will be in no report until an import of a record with one.\n"
    assert closed_shell.run("import", "osv", str(tmp_path)).endswith(without)
    (tmp_path / "GO-2026-3.json").write_text(
        json.dumps(named | {"id": "GO-2026-3", "published": "2026-10-03T00:00:00Z"})
    )
    dated = "1 known before without a day of publication has one now.\n"
    assert closed_shell.run("import", "osv", str(tmp_path)).endswith(dated)
    (tmp_path / "GO-2026-3.json").unlink()
    (tmp_path / "GO-2026-2.json").write_text(json.dumps(named | {"withdrawn": "2026-10-02T00:00:00Z"}))
    told = closed_shell.run("import", "osv", str(tmp_path))
    assert told == "1 known before was withdrawn, and left out of later reports.\n"
    namesake = {"id": "GHSA-1", "affected": [{"package": {"name": "age", "ecosystem": "npm"}}]}
    (tmp_path / "GHSA-1.json").write_text(json.dumps(namesake))
    told = closed_shell.run("import", "osv", str(tmp_path))
    assert "Left out, since they are about age of npm and not of Go: 1." in told
    [left_out] = closed_shell.json("import", "osv", str(tmp_path))["elsewhere"]
    assert left_out == {"package": "age", "ecosystem": "Go", "other": "npm", "advisories": 1}
    with time_machine.travel(lovelace.AFTER):
        assert closed_shell.run("invoice", "issue", "2026-11") == "1 invoice was issued for November 2026.\n"
    assert "The books begin" in sentence_of(closed_shell.call("month", "status", "2026-09"))


def test_an_import_from_git_says_what_it_did_and_what_it_left(closed_shell: Shell, tmp_path: Path) -> None:
    ada, noon = Person("Ada", "ada@home.example"), datetime(2026, 10, 5, 12, tzinfo=UTC)
    make_clone(tmp_path / "ssh", [SampleCommit(ada, noon, noon, "", "first")], {"go1.22": 1, "latest": 1})
    typed = ("import", "git", str(tmp_path / "ssh"), "--package", "ssh")
    counted = ("commit", "release")
    new = [f"{kind:<14}       1 new       0 already known" for kind in counted]
    assert closed_shell.run(*typed).splitlines() == [
        *new,
        "New, by people without an alias here, and left unattributed: 1.",
        "Tags that hold no version and are no releases: 1.",
    ]
    closed_shell.run("maintainer", "alias", "Ada", "--email", "ada@home.example")
    assert closed_shell.run(*typed).splitlines() == [
        *[f"{kind:<14}       0 new       1 already known" for kind in counted],
        "Known before and attributed now, by aliases that were added since: 2.",
        "Tags that hold no version and are no releases: 1.",
    ]
    assert closed_shell.json(*typed)["newly_attributed"] == 0


def test_a_mistyped_rate_is_corrected_at_the_shell(shell: Shell, clock: time_machine.Traveller) -> None:
    lead = set_up(shell)
    grace = ("--maintainer", "Grace", "--from", "2026-10", "--guarantee", "4100.00 USD")
    assert "`chambers terms correct`" in sentence_of(lead.call("terms", "set", *grace))
    told = lead.run("terms", "correct", *grace, "--reason", "The guarantee was mistyped.")
    assert told == "Grace has other terms from October 2026 on; those before stay on record, superseded.\n"
    listed = lead.run("terms", "list", "--maintainer", "Grace")
    assert "from October 2026 (superseded)\n  guarantee 4,000.00 USD\n  growth 10% above 12,000.00 USD" in listed
    assert "corrected: The guarantee was mistyped.\n  guarantee 4,100.00 USD" in listed
    assert "40% of the fund of staticcheck" in lead.run("terms", "list")
    clock.move_to(lovelace.AFTER)
    assert lead.json("month", "preview", "2026-10")["earned"]["amount"] == "6050.00"
    lead.run("month", "close", "2026-10")
    assert "is closed" in sentence_of(lead.call("terms", "correct", *grace, "--reason", "Again."))
    assert "No pay terms of theirs begin with" in sentence_of(
        lead.call("terms", "correct", *grace, "--from", "2026-11", "--reason", "Again.")
    )


def test_a_list_without_anything_says_so_and_what_to_do(shell: Shell) -> None:
    lead = set_up_alone(shell)
    for typed, says in (
        (("client", "list"), "`chambers client add` one"),
        (("package", "list"), "`chambers package add` one"),
        (("maintainer", "list"), "`chambers maintainer add` one"),
        (("engagement", "list"), "`chambers engagement draft` one"),
        (("terms", "list"), "`chambers terms set`"),
        (("invoice", "list"), "no such invoice"),
        (("adjustment", "list"), "no such adjustment"),
        (("adjustment", "advances"), "No advance is outstanding"),
        (("notice", "list"), "no such notice"),
        (("operation", "list"), "no long work"),
    ):
        assert says in lead.run(*typed)


def set_up_alone(shell: Shell) -> Shell:
    """A firm with nothing in it; returns the lead's shell."""
    firm = ("--name", "L", "--currency", "USD", "--time-zone", "UTC", "--first-month", "2026-10")
    return shell.as_bearer(shell.run("init", *firm))


def test_lists_name_the_clients_and_each_step_of_a_run_says_the_next(
    shell: Shell, clock: time_machine.Traveller
) -> None:
    lead = set_up(shell)
    office = shell.as_bearer(lead.run("token", "issue", "--name", "Charles", "--role", "administrator"))
    clock.move_to(lovelace.AFTER)
    assert "Acme" in office.run("engagement", "list")
    assert "`chambers run draft`" in office.run("month", "close", "2026-10")
    assert "Globex" in office.run("invoice", "list")
    assert "`chambers run propose RUN-2026-0001`" in office.run("run", "draft")
    assert "`chambers run approve RUN-2026-0001`" in office.run("run", "propose", "RUN-2026-0001")
    authenticator = pyotp.parse_uri(shell.run("principal", "totp", "lead").strip())
    lead.run("prove", authenticator.at(lovelace.AFTER))  # type: ignore[attr-defined]
    assert "`chambers run send RUN-2026-0001`" in lead.run("run", "approve", "RUN-2026-0001")
    sent = office.run("run", "send", "RUN-2026-0001")
    assert "Pay by hand" in sent
    assert "chambers run settle PAYOUT" in sent
    assert "pays nobody over the rail sepa" in sentence_of(office.call("run", "file", "RUN-2026-0001"))
