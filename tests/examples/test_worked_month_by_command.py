"""The worked month entirely through the command line, to the cent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyotp
import pytest
from click.testing import CliRunner, Result

from api.cli import main
from firm import clock
from tests import lovelace
from tests.databases import TEST_KEY

INTERESTS = ["--interest", "ssh:no:24", "--interest", "age:yes:3", "--interest", "staticcheck:no:12"]


class Shell:
    """A shell on one database; `token` makes it somebody else's."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.environment = {
            "CHAMBERS_DATABASE_URL": url,
            "CHAMBERS_TOKEN": token,
            "CHAMBERS_SECRET_KEYS": TEST_KEY,
        }

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(main, list(words), env=self.environment)

    def done(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.done(*words, "--json"))

    def refused(self, *words: str, code: int = 1) -> str:
        result = self.run(*words)
        assert result.exit_code == code, result.output
        return result.output


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'books.db'}"


@pytest.fixture
def shell(url: str, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setattr(clock, "now", lambda: lovelace.AFTER)
    shell = Shell(url)
    firm = ["--name", "Lovelace", "--currency", "USD", "--time-zone", "Europe/London", "--first-month", "2026-10"]
    assert "chm_" in shell.done("init", *firm)
    return shell


def set_up(shell: Shell) -> None:
    for name in ("ssh", "age", "staticcheck"):
        shell.done("package", "add", name, "--ecosystem", "Go")
    for client, tier, fee, cycle in (
        ("Acme", "gold", "10000.00 USD", "yearly"),
        ("Globex", "platinum", "5000.00 USD", "monthly"),
    ):
        shell.done("client", "add", client, "--country", "US")
        shell.done("tier", "add", tier)
        terms = ["--client", client, "--tier", tier, "--fee", fee, "--cycle", cycle, "--starts", "2026-10-01"]
        engagement = shell.json("engagement", "draft", *terms, "--subcontracting", *INTERESTS)
        shell.done("engagement", "sign", engagement["id"])
    weights = ["--weight", "ssh=3", "--weight", "age=2", "--weight", "staticcheck=1"]
    shell.done("plan", "set", "--from", "2026-10", "--overhead", "20", "--reserve", "on-ramp=5", *weights)
    office = Shell(
        shell.environment["CHAMBERS_DATABASE_URL"] or "",
        shell.done("token", "issue", "--name", "Olga", "--role", "administrator").strip(),
    )
    for name in ("Grace", "Ada"):
        person = ["--email", f"{name}@x.example", "--country", "US", "--grade", "junior"]
        shell.done("maintainer", "add", name, *person, "--works-as", "subcontractor")
        proposed = office.json("maintainer", "destination", name, "--rail", "manual")
        shell.done("destination", "confirm", proposed["id"])
    for name, package, share in (("Grace", "ssh", "100"), ("Ada", "staticcheck", "50"), ("Ada", "age", "50")):
        work = ["--maintainer", name, "--package", package, "--role", "lead", "--share", share]
        shell.done("assignment", "add", *work, "--from", "2026-10-01")
    grace = ["--guarantee", "4000.00 USD", "--growth", "10", "--baseline", "12000.00 USD"]
    shell.done("terms", "set", "--maintainer", "Grace", "--from", "2026-10", *grace)
    ada = ["--fund-share", "staticcheck=40", "--fixed-fee", "age=1200.00 USD"]
    shell.done("terms", "set", "--maintainer", "Ada", "--from", "2026-10", *ada)


def test_the_month_comes_out_to_the_cent_and_is_paid(shell: Shell, url: str, tmp_path: Path) -> None:
    set_up(shell)
    closing = shell.json("month", "close", "2026-10")
    amounts = {fund["name"]: fund["amount"]["amount"] for fund in closing["allocated"]}
    assert amounts["ssh"] == "5625.00"
    assert closing["earned"]["amount"] == "6250.00"
    assert closing["residual"]["amount"] == "8750.00"
    assert shell.json("month", "close", "2026-10") == closing

    number = shell.json("run", "draft")["number"]
    shell.done("run", "propose", number)
    assert "somebody else has to approve it" in shell.refused("run", "approve", number)
    linus = Shell(url, shell.done("token", "issue", "--name", "Linus", "--role", "approver").strip())
    authenticator = pyotp.parse_uri(shell.done("principal", "totp", "Linus").strip())
    assert "Prove your presence first" in linus.refused("run", "approve", number)
    linus.done("prove", authenticator.at(lovelace.AFTER))  # type: ignore[attr-defined]
    linus.done("run", "approve", number)
    for payout in shell.json("run", "send", number)["payouts"]:
        shell.done("run", "settle", payout["id"], "--reference", payout["id"], "--on", "2026-11-01")
    assert shell.json("run", "status", number)["state"] == "settled"
    assert "Nothing is payable" in shell.refused("run", "draft")

    paper = tmp_path / "grace.pdf"
    shell.done("statement", "Grace", "2026-10", "--out", str(paper))
    assert paper.read_bytes().startswith(b"%PDF-")
    shell.done("report", "funded-work", "Acme", "--from", "2026-10", "--out", str(tmp_path / "acme.html"))
    assert "Acme" in (tmp_path / "acme.html").read_text(encoding="utf-8")
    assert "-6,250.00 USD" in shell.done("books", "balance")
    assert "invariants hold" in shell.done("verify")


def test_a_month_without_terms_is_refused_before_anything_is_written(shell: Shell) -> None:
    shell.done("package", "add", "ssh", "--ecosystem", "Go")
    shell.done("client", "add", "Acme", "--country", "US")
    shell.done("tier", "add", "gold")
    terms = ["--client", "Acme", "--tier", "gold", "--fee", "9.00 USD", "--cycle", "monthly", "--starts", "2026-10-01"]
    engagement = shell.json("engagement", "draft", *terms)["id"]
    assert "names no interest" in shell.refused("engagement", "sign", engagement)
    shell.done("engagement", "interest", engagement, "ssh:no:24")
    shell.done("engagement", "sign", engagement)
    assert "No allocation plan is in force" in shell.refused("month", "close", "2026-10")
    shell.done("package", "add", "age", "--ecosystem", "Go")
    shell.done("plan", "set", "--from", "2026-10", "--overhead", "20", "--weight", "age=1")
    assert "ssh has no weight" in shell.refused("month", "close", "2026-10")
    assert shell.done("books", "balance") == ""


def test_what_cannot_be_is_refused_in_a_sentence(shell: Shell, tmp_path: Path) -> None:
    assert "2026-10" in shell.refused("month", "close", "2026-13", code=2)
    assert "January 2031 is not over" in shell.refused("month", "close", "2031-01")
    assert "There is no payout run" in shell.refused("run", "approve", "RUN-2026-0001")
    shell.done("package", "add", "ssh", "--ecosystem", "Go")
    assert "is not a git clone" in shell.refused("import", "git", str(tmp_path), "--package", "ssh")
    assert "There is nothing at" in shell.refused("import", "osv", str(tmp_path / "nowhere"))
    assert "10000.00 USD" in shell.refused(
        "terms", "set", "--maintainer", "x", "--from", "2026-10", "--guarantee", "1e9", code=2
    )


def test_a_database_that_was_never_set_up_says_so(tmp_path: Path) -> None:
    shell = Shell(f"sqlite:///{tmp_path / 'empty.db'}")
    assert "chambers init" in shell.refused("books", "balance")
    assert "CHAMBERS_DATABASE_URL" in Shell("mysql://x").refused("books", "balance")


def test_verify_names_the_invariant_that_is_broken(shell: Shell, url: str) -> None:
    import pysqlite3.dbapi2 as sqlite

    set_up(shell)
    shell.done("month", "close", "2026-10")
    with sqlite.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE balance SET amount_minor = amount_minor + 1 WHERE account = 'income:retainers'")
    assert "BROKEN balances-kept" in shell.refused("verify")


def test_the_demonstration_runs_from_nothing_and_again(tmp_path: Path) -> None:
    from pypdf import PdfReader

    folder = tmp_path / "demo"
    for _ in range(2):
        result = CliRunner().invoke(main, ["demo", "--path", str(folder)])
        assert result.exit_code == 0, result.output
    assert "invariants hold" in result.stdout
    assert "Overdue" in result.stdout
    papers = sorted((folder / "papers").glob("ST-*.pdf"))
    assert len(papers) == 3
    assert "Statement for" in PdfReader(papers[0]).pages[0].extract_text()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine", encoding="utf-8")
    refused = CliRunner().invoke(main, ["demo", "--path", str(tmp_path / "mine")])
    assert refused.exit_code == 1
    assert (tmp_path / "mine" / "thesis.txt").exists()
