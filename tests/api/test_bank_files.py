"""The bank's files and proofs of payment through the API and the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import text

from api.cli import main
from firm.actor import Role
from firm.db import reading
from payouts.rails.sepa import references
from payouts.runs import sending
from tests import lovelace
from tests.api.callers import Caller, as_role, problem_of
from tests.api.conftest import serving
from tests.databases import TEST_KEY
from tests.payouts import euros
from tests.payouts.bank_messages import detail, entry, statement

PDF = b"%PDF-1.7 the bank confirms"
XML = "application/xml"


@pytest.fixture
def app(fresh_url: str) -> Iterator[Flask]:
    """The firm with books in euros on 5 November, a run's file taken to the bank."""
    with time_machine.travel(lovelace.AFTER + timedelta(days=4)):
        for app in serving(fresh_url):
            with app.app_context():
                euros.set_up_firm()
                euros.set_bank_account()
                euros.send(euros.approved_run())
            yield app


def payouts(app: Flask) -> dict[str, str]:
    """Payee to the id of the payout."""
    with app.app_context():
        return {one.payee_name: one.id for one in sending.run_with_payouts("RUN-2026-0001")[1]}


def booked(app: Flask) -> bytes:
    """Ada's payment and a fee."""
    ada = detail(references.end_to_end_id(payouts(app)["Ada"]))
    return statement(entry("DBIT", "1000.00", ada), entry("DBIT", "7.50", words="Fee"), closing="3992.50")


def test_a_statement_is_sent_as_it_is_and_answers_what_became_of_its_lines(app: Flask) -> None:
    office = as_role(app, Role.ADMINISTRATOR)
    answer = office.post_raw("/v1/bank-files", booked(app), XML)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    file = answer.get_json()
    assert (file["kind"], file["account_last4"], file["opening"]["amount"]) == ("camt.053", "3000", "5000.00")
    assert [line["state"] for line in file["lines"]] == ["settled", "unmatched"]
    again = office.post_raw("/v1/bank-files", booked(app), XML)
    assert (again.status_code, again.get_json()) == (201, file)

    reader = as_role(app, Role.ACCOUNTANT)
    assert reader.get(f"/v1/bank-files/{file['sha256']}") == file
    assert [one["id"] for one in reader.get("/v1/bank-files")["items"]] == [file["id"]]
    [waiting] = reader.get("/v1/bank-lines?state=unmatched")["items"]
    line = reader.get(f"/v1/bank-lines/{waiting['id']}")
    assert line == {name: value for name, value in waiting.items() if name not in ("received_at", "days")}
    assert (waiting["text"], waiting["amount"]["amount"], waiting["days"]) == ("Fee", "7.50", 0)
    reader.post(f"/v1/bank-lines/{waiting['id']}/resolution", {"note": "The fee."}, 403)
    resolved = office.post(f"/v1/bank-lines/{waiting['id']}/resolution", {"note": "The fee."})
    assert (resolved["state"], resolved["resolution"], resolved["resolved_by"]) == (
        "resolved",
        "The fee.",
        "administrator",
    )
    assert reader.get("/v1/bank-lines?state=unmatched")["items"] == []
    office.post(f"/v1/bank-lines/{waiting['id']}/resolution", {"note": "The fee."}, 409)
    reader.get("/v1/bank-lines?state=lost", 422)
    with app.app_context():
        lovelace.assert_books_hold()


def came_back_short(app: Flask, office: Caller) -> str:
    """Ada's payment left, and the bank gave back less. The id of the line that waits."""
    ada = references.end_to_end_id(payouts(app)["Ada"])
    office.post_raw("/v1/bank-files", booked(app), XML)
    back = entry("CRDT", "992.50", detail(ada, returned="AC04"), reference="R-9")
    short = statement(back, opening="3992.50", closing="4985.00", number="2")
    [line] = office.post_raw("/v1/bank-files", short, XML).get_json()["lines"]
    return str(line["id"])


def test_a_payment_that_came_back_less_a_fee_is_resolved_with_the_fee(app: Flask) -> None:
    office, ada = as_role(app, Role.ADMINISTRATOR), payouts(app)["Ada"]
    path = f"/v1/bank-lines/{came_back_short(app, office)}/resolution"
    wrong = {"note": "The bank's fee.", "fee": {"amount": "7.00", "currency": "EUR"}}
    assert "the fee is the difference" in office.post(path, wrong, 422)["detail"]
    assert office.get(f"/v1/payouts/{ada}")["state"] == "settled"
    office.post(path, wrong | {"fee": {"amount": "7.50", "currency": "EUR"}})
    assert office.get(f"/v1/payouts/{ada}")["state"] == "returned"


def test_the_command_line_resolves_with_a_fee_too(app: Flask) -> None:
    line, shell = came_back_short(app, as_role(app, Role.ADMINISTRATOR)), Shell(app)
    assert "is resolved: The bank's fee." in shell.run(
        "bank-file", "resolve", line, "--note", "The bank's fee.", "--fee", "7.50 EUR"
    )
    assert "canceled" not in (status := shell.run("run", "status", "RUN-2026-0001"))
    assert "returned" in status


@pytest.mark.parametrize(
    ("kind", "headers", "status"),
    [
        ("application/json", {}, 415),
        ("text/plain", {}, 415),
        ("application/octet-stream", {}, 415),
        (XML, {"Content-Encoding": "gzip"}, 415),
        ("text/xml; charset=utf-8", {}, 201),
    ],
)
def test_a_file_comes_as_xml_and_as_nothing_else(app: Flask, kind: str, headers: dict[str, str], status: int) -> None:
    answer = as_role(app, Role.LEAD).post_raw("/v1/bank-files", booked(app), kind, headers=headers)
    assert answer.status_code == status
    assert (payouts_settled(app) == 1) == (status == 201)


def payouts_settled(app: Flask) -> int:
    with app.app_context():
        return sum(one.state == "settled" for one in sending.run_with_payouts("RUN-2026-0001")[1])


def test_a_large_file_is_taken_and_a_larger_one_is_not(app: Flask) -> None:
    lead = as_role(app, Role.LEAD)
    padded = booked(app) + b" " * 3_000_000
    assert lead.post_raw("/v1/bank-files", padded, XML).status_code == 201
    answer = lead.post_raw("/v1/bank-files", booked(app) + b" " * 10_000_000, XML)
    assert answer.status_code == 413
    assert problem_of(answer)["detail"] == "The body is too large; send at most 10 MB."
    chunked = lead.post_raw("/v1/clients", b" " * 2_000_000)
    assert (chunked.status_code, problem_of(chunked)["detail"][-5:]) == (413, "1 MB.")


def test_what_is_wrong_with_a_file_is_a_sentence(app: Flask) -> None:
    answer = as_role(app, Role.LEAD).post_raw("/v1/bank-files", statement(closing="1.00"), XML)
    assert answer.status_code == 422
    assert "does not add up" in problem_of(answer)["detail"]


@pytest.mark.parametrize("role", [Role.APPROVER, Role.AUDITOR, Role.ACCOUNTANT])
def test_those_who_read_the_books_bring_no_files(app: Flask, role: Role) -> None:
    reader = as_role(app, role)
    assert reader.post_raw("/v1/bank-files", booked(app), XML).status_code == 403
    ada = payouts(app)["Ada"]
    assert reader.post_raw(f"/v1/payouts/{ada}/proof", PDF, "application/pdf").status_code == 403
    assert payouts_settled(app) == 0


def test_a_proof_is_added_shown_as_present_and_opened_by_the_office(app: Flask) -> None:
    office, reader = as_role(app, Role.ADMINISTRATOR), as_role(app, Role.AUDITOR)
    path = f"/v1/payouts/{payouts(app)['Ada']}/proof"
    reader.get(path, 404)
    added = office.post_raw(path, PDF, "application/pdf")
    assert added.status_code == 201
    shown = reader.get(path)
    assert shown == added.get_json()
    assert (shown["content_type"], shown["size"], shown["version"]) == ("application/pdf", len(PDF), 1)
    reader.get(f"{path}/document", 403)
    opened = office.send("GET", f"{path}/document")
    assert (opened.get_data(), opened.content_type) == (PDF, "application/pdf")
    assert opened.headers["Content-Disposition"].startswith('attachment; filename="proof-')
    with app.app_context(), reading() as session:
        query = "SELECT verb FROM audit_record WHERE verb LIKE 'payment-proof%' ORDER BY id"
        assert list(session.scalars(text(query))) == ["payment-proof.added", "payment-proof.opened"]


def test_a_payout_shows_its_newest_proof_alone_and_within_its_run(app: Flask) -> None:
    office, ada = as_role(app, Role.ADMINISTRATOR), payouts(app)["Ada"]
    assert office.get(f"/v1/payouts/{ada}")["proof"] is None
    office.post_raw(f"/v1/payouts/{ada}/proof", PDF, "application/pdf")
    added = office.post_raw(f"/v1/payouts/{ada}/proof", PDF + b", again", "application/pdf").get_json()
    shown = {name: added[name] for name in ("id", "version", "content_type", "added_at")}
    assert shown["version"] == 2
    assert office.get(f"/v1/payouts/{ada}")["proof"] == shown
    within = {one["payee_name"]: one["proof"] for one in office.get("/v1/payout-runs/RUN-2026-0001")["payouts"]}
    assert within == {"Ada": shown} | dict.fromkeys(set(within) - {"Ada"})


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"<html>", "application/pdf", 422),
        (PDF, "text/html", 415),
        (PDF, "application/json", 415),
        (b"\x89PNG\r\n\x1a\n" + b"x", "image/png", 201),
        (b"\xff\xd8\xff\xe0", "image/jpeg", 201),
        (PDF + b"x" * 5_000_000, "application/pdf", 413),
    ],
)
def test_a_proof_is_a_document_of_a_known_kind_and_size(app: Flask, content: bytes, kind: str, status: int) -> None:
    path = f"/v1/payouts/{payouts(app)['Ada']}/proof"
    assert as_role(app, Role.LEAD).post_raw(path, content, kind).status_code == status


def test_a_proof_of_a_payout_that_is_not_there_is_not_found(app: Flask) -> None:
    lead = as_role(app, Role.LEAD)
    assert lead.post_raw("/v1/payouts/pay_none/proof", PDF, "application/pdf").status_code == 404
    lead.get("/v1/payouts/pay_none/proof", 404)


class Shell:
    """The command line on the application's database."""

    def __init__(self, app: Flask) -> None:
        self.environment = {
            "CHAMBERS_DATABASE_URL": str(app.config["SQLALCHEMY_DATABASE_URI"].render_as_string(hide_password=False)),
            "CHAMBERS_SECRET_KEYS": TEST_KEY,
            "CHAMBERS_TOKEN": "",
        }

    def run(self, *words: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, list(words), env=self.environment)
        assert result.exit_code == code, (words, result.output, result.exception)
        return result.output

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))


def test_the_command_line_takes_files_in_and_shows_what_waits(app: Flask, tmp_path: Path) -> None:
    shell, file = Shell(app), tmp_path / "statement.xml"
    file.write_bytes(booked(app))
    told = shell.run("import", "bank", str(file))
    assert "settled   BOOK  1,000.00 EUR  2026-11-03  NTRY-1  The money has left." in told
    assert "unmatched BOOK  7.50 EUR" in told
    assert "1 settled, 1 unmatched" in shell.run("bank-file", "list")
    [known] = shell.json("bank-file", "list")
    assert [line["state"] for line in shell.json("bank-file", "show", known["id"])["lines"]] == [
        "settled",
        "unmatched",
    ]
    [waiting] = shell.json("bank-file", "unmatched")
    assert shell.run("bank-file", "unmatched").startswith("   0 days")
    assert "Lines of the bank that wait for a person: 1, the oldest for 0 hours" in shell.run("reconcile")
    assert "is resolved: The fee." in shell.run("bank-file", "resolve", waiting["id"], "--note", "The fee.")
    assert shell.run("bank-file", "unmatched") == "No line waits for a person.\n"
    assert "wait for a person" not in shell.run("reconcile")
    file.write_bytes(b"no XML")
    assert "not well-formed XML" in shell.run("import", "bank", str(file), code=1)


def test_the_command_line_keeps_proofs(app: Flask, tmp_path: Path) -> None:
    shell, ada = Shell(app), payouts(app)["Ada"]
    (tmp_path / "proof.pdf").write_bytes(PDF)
    assert "has no proof yet" in shell.run("run", "proof", ada, code=1)
    assert "Proof 1: application/pdf" in shell.run("run", "proof", ada, str(tmp_path / "proof.pdf"))
    assert "Proof 1: application/pdf" in shell.run("run", "proof", ada)
    assert ", proof of 2026-11-05 (application/pdf)" in shell.run("run", "status", "RUN-2026-0001")
    assert str(tmp_path / "back.pdf") in shell.run("run", "proof", ada, "--out", str(tmp_path / "back.pdf"))
    assert (tmp_path / "back.pdf").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "back.pdf").read_bytes() == PDF
    (tmp_path / "proof.pdf").write_bytes(b"#!/bin/sh")
    assert "no PDF, PNG or JPEG" in shell.run("run", "proof", ada, str(tmp_path / "proof.pdf"), code=1)


def test_a_token_that_only_reads_brings_no_file_at_the_shell_either(app: Flask, tmp_path: Path) -> None:
    shell, file = Shell(app), tmp_path / "statement.xml"
    file.write_bytes(booked(app))
    reader: Caller = as_role(app, Role.AUDITOR)
    shell.environment["CHAMBERS_TOKEN"] = reader.headers["Authorization"].partition(" ")[2]
    assert "may not" in shell.run("import", "bank", str(file), code=1)
    assert "may not" in shell.run("run", "proof", payouts(app)["Ada"], code=1)
    assert shell.run("bank-file", "list") == ""


def test_the_file_for_the_bank_is_its_readers_own_and_says_what_it_holds(app: Flask, tmp_path: Path) -> None:
    shell, path = Shell(app), tmp_path / "new" / "transfers.xml"
    told = shell.run("run", "file", "RUN-2026-0001", "--out", str(path))
    assert f"{path} holds 2 sepa payments of RUN-2026-0001, 2,000.00 EUR together" in told
    assert path.stat().st_mode & 0o777 == 0o600
    with app.app_context():
        assert path.read_text(encoding="utf-8") == euros.file_text("RUN-2026-0001")
    path.chmod(0o644)
    shell.run("run", "file", "RUN-2026-0001", "--out", str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert shell.run("run", "file", "RUN-2026-0001").startswith(path.read_text(encoding="utf-8"))
    assert "pays nobody over the rail manual" in shell.run("run", "file", "RUN-2026-0001", "--rail", "manual", code=1)
