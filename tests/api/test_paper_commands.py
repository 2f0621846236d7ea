"""Tax forms, remittance advices and self-billing at the shell."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from click.testing import CliRunner

from api.cli import main
from tests import lovelace
from tests.databases import TEST_KEY

TIN = "536904399"
Run = Callable[..., str]


@pytest.fixture
def run(closed_url: str) -> Run:
    environment = {"CHAMBERS_DATABASE_URL": closed_url, "CHAMBERS_SECRET_KEYS": TEST_KEY, "CHAMBERS_TOKEN": ""}

    calls = itertools.count()

    def call(*words: str, exit_code: int = 0, typed: str | None = None) -> str:
        # Later with each call: a clock never goes back from one to the next.
        with time_machine.travel(lovelace.AFTER + timedelta(minutes=next(calls))):
            result = CliRunner().invoke(main, list(words), env=environment, input=typed)
        assert result.exit_code == exit_code, result.output
        return result.output

    return call


def test_a_form_is_asked_for_its_number_listed_and_taken_out_again(run: Run, tmp_path: Path) -> None:
    paper = tmp_path / "w9.pdf"
    paper.write_bytes(b"%PDF the form")
    days = ("--signed", "2026-10-01", "--received", "2026-10-02")
    said = run(
        "tax-form",
        "record",
        "Grace",
        "--kind",
        "W-9",
        "--name",
        "Grace Hopper",
        *days,
        "--document",
        str(paper),
        typed=TIN,
    )
    assert TIN not in said
    assert "The W-9 of Grace Hopper is on file as txf_" in said
    form_id = run("tax-form", "list").split()[0]
    run("tax-form", "document", form_id, "--out", str(tmp_path / "out.pdf"))
    assert (tmp_path / "out.pdf").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "out.pdf").read_bytes() == b"%PDF the form"
    run(
        "tax-form",
        "record",
        "Ada",
        "--kind",
        "W-8BEN",
        "--name",
        "Ada",
        "--signed",
        "2023-05-04",
        "--received",
        "2023-05-04",
    )
    assert run("tax-form", "list", "--expiring") == "No form is about to expire.\n"
    assert "is withdrawn" in run("tax-form", "withdraw", form_id, "--reason", "misspelled")
    assert "withdrawn" in run("tax-form", "list")
    assert "is superseded or withdrawn already" in run(
        "tax-form", "withdraw", form_id, "--reason", "again", exit_code=1
    )
    assert TIN not in run("audit", "list")


def test_advices_are_issued_for_what_was_sent(run: Run, tmp_path: Path) -> None:
    run("firm", "sole-approval", "on")
    assert run("remittance", "list") == "No advice has been issued.\n"
    for step in (("draft",), ("propose", "RUN-2026-0001"), ("approve", "RUN-2026-0001"), ("send", "RUN-2026-0001")):
        run("run", *step)
    assert run("remittance", "issue", "RUN-2026-0001") == "Issued 2 remittance advices.\n"
    assert run("remittance", "issue") == "Issued 0 remittance advices.\n"
    assert "RA-2026-0001" in run("remittance", "list")
    out = tmp_path / "advice.html"
    run("remittance", "show", "RA-2026-0002", "--out", str(out))
    assert "Remittance advice" in out.read_text(encoding="utf-8")


def test_self_billing_from_consent_to_credit_note(run: Run, tmp_path: Path) -> None:
    assert run("self-billing", "list") == "Nobody has agreed to self-billing.\n"
    said = run("firm", "letterhead", "--address", "12 St James's Square", "--address", "London", "--email", "")
    assert said == "Lovelace Maintainers, 12 St James's Square, London, no e-mail address, #1f3a5f\n"
    run("firm", "vat-id", "NL123456782B90")
    shown = run("firm", "show")
    assert "address           12 St James's Square, London\n" in shown
    assert "VAT id            NL123456782B90\n" in shown
    run("firm", "self-billing-months", "24")
    assert "is not a valid VAT id" in run("firm", "vat-id", "NL1", exit_code=1)
    assert "Payees need a valid tax form." in run("firm", "tax-forms", "on")
    days = ("--consented", "2026-10-01", "--from", "2026-10-01", "--series", "SB-", "--address", "4 Compiler Lane")
    said = run("self-billing", "agree", "Grace", *days, "--treatment", "reverse-charge", "--vat-id", "DE136695976")
    assert "from 1 October 2026 until 1 October 2028" in said
    assert run("self-billing", "issue", "2026-10") == "Issued SB-0001: 4,300.00 USD.\n"
    assert "was invoiced as SB-0001" in run("self-billing", "issue", "2026-10")
    assert "SB-0001 is taken back by SB-0002." in run("self-billing", "credit", "SB-0001", "--reason", "wrong")
    assert "SB-0003" in run("self-billing", "issue", "2026-10", "--who", "Grace")
    out = tmp_path / "invoice.html"
    run("self-billing", "show", "SB-0003", "--out", str(out))
    assert "Reverse charge" in out.read_text(encoding="utf-8")
    agreement = run("self-billing", "list").split()[0]
    said = run("self-billing", "end", agreement, "--by", "firm", "--reason", "no longer", "--on", "2026-12-01")
    assert "ends on 1 December 2026" in said
    assert "hold" in run("verify")
