"""Canaries: secrets and account numbers go through everything, and are found nowhere they do not belong."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import text

from api.cli import main
from api.logs import configure
from firm import clock
from firm.actor import Role
from firm.db import db, reading
from firm.profile.changes import change_firm
from tests import lovelace
from tests.api.callers import Caller, as_role
from tests.api.conftest import serving
from tests.databases import SECRET_KEYS, TEST_KEY, settings_for

PAYEE_IBAN = "FR1420041010050500013M02606"
FIRM_IBAN = "DE89370400440532013000"
KEYS_BASE64 = TEST_KEY.partition(":")[2]


@pytest.fixture
def app(fresh_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Flask]:
    """The firm of the examples, everything logged, an account at a bank for the firm and for Grace."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(clock, "now", lambda: lovelace.AFTER)
    for app in serving(fresh_url):
        with app.app_context():
            lovelace.set_up()
            change_firm(iban=FIRM_IBAN, keys=SECRET_KEYS, by=lovelace.LEAD, now=lovelace.BEFORE)
        yield app


def everything_stored() -> str:
    """Every row of every table, as text."""
    with reading() as session:
        return "\n".join(
            repr(tuple(row))
            for table in sorted(db.metadata.tables)
            for row in session.execute(text(f'SELECT * FROM "{table}"'))
        )


def everything_shown(caller: Caller) -> str:
    """Every page that the caller may read, and papers as HTML; the file for the bank is what it is for."""
    shown = []
    for rule in caller.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in ("payout_runs.file", "docs.asset"):
            continue
        for path in _paths(caller, rule.rule):
            shown.append(caller.send("GET", path).get_data(as_text=True))
    return "\n".join(shown)


def _paths(caller: Caller, rule: str) -> list[str]:
    if "<" not in rule:
        return [rule]
    listed = rule.partition("/<")[0]
    path = re.sub(r"<any\(pdf, html\):\w+>", "html", rule)
    path = re.sub(r"<month:\w+>", "2026-10", path)
    found = caller.send("GET", listed)
    items = found.get_json().get("items", []) if found.status_code == 200 and found.is_json else []
    keys = [str(item.get("id") or item["month"]) for item in items] or ["nothing"]
    return [re.sub(r"<(?:\w+:)?\w+>", key, path) for key in keys]


def test_no_secret_or_account_number_is_found_where_it_does_not_belong(
    app: Flask, caplog: pytest.LogCaptureFixture, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with app.app_context():
        configure(settings_for("sqlite://"), default_level="debug")
    lead, office = as_role(app, Role.LEAD), as_role(app, Role.ADMINISTRATOR)
    secrets = {
        "lead's token": lead.headers["Authorization"].removeprefix("Bearer "),
        "office's token": office.headers["Authorization"].removeprefix("Bearer "),
        "authenticator": lead.authenticator,
        "payee's account": PAYEE_IBAN,
        "firm's account": FIRM_IBAN,
        "keys": KEYS_BASE64,
    }
    answers = [office.post("/v1/maintainers/Grace/destination", {"rail": "sepa", "iban": PAYEE_IBAN})]
    made = lead.post("/v1/tokens", {"name": "bot", "role": "auditor"})
    secrets["bot token"] = made.pop("secret")
    answers.append(made)
    # What is wrong is not repeated either.
    answers.append(
        office.post("/v1/maintainers/Ada/destination", {"rail": "sepa", "iban": PAYEE_IBAN[:-1]}, status=422)
    )
    answers.append(office.post("/v1/maintainers/Ada/destination", {"rail": "x", "iban": PAYEE_IBAN}, status=422))
    typo = {"Authorization": "Bearer " + secrets["bot token"] + "x"}
    answers.append(Caller(app, typo).get("/v1/firm", status=401))
    office.post("/v1/months/2026-10/close")
    number = office.post("/v1/payout-runs")["number"]
    office.post(f"/v1/payout-runs/{number}/proposal")
    lead.post(f"/v1/payout-runs/{number}/approval")
    secrets["code"] = pyotp.TOTP(lead.authenticator).at(clock.now())
    answers.append(office.post(f"/v1/payout-runs/{number}/release"))

    with app.app_context():
        stored = everything_stored()
        rows = {name: value for name, value in secrets.items() if name != "code"}
        assert not [name for name, value in rows.items() if value in stored]
    shown = everything_shown(lead) + everything_shown(office) + repr(answers)
    assert not [name for name, value in rows.items() if value in shown]
    logged = caplog.text + capsys.readouterr().err + "\n".join(repr(record.__dict__) for record in caplog.records)
    assert not [name for name, value in secrets.items() if value in logged]


def test_the_command_line_keeps_them_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = {
        "CHAMBERS_DATABASE_URL": f"sqlite:///{tmp_path}/books.db",
        "CHAMBERS_SECRET_KEYS": TEST_KEY,
        "CHAMBERS_TOKEN": "",
        "CHAMBERS_LOG_LEVEL": "debug",
    }

    def run(*words: str) -> str:
        return CliRunner().invoke(main, list(words), env=environment).output

    run("init", "--name", "L", "--currency", "EUR", "--time-zone", "UTC", "--first-month", "2026-10")
    said = run("firm", "bank-account", "--iban", FIRM_IBAN)
    said += run("firm", "bank-account", "--iban", FIRM_IBAN[:-1] + "9")
    said += run("maintainer", "add", "Grace", "--email", "g@x.example", "--country", "FR", "--grade", "junior")
    said += run("maintainer", "destination", "Grace", "--rail", "sepa", "--iban", PAYEE_IBAN)
    said += run("token", "list") + run("principal", "list") + run("audit", "list") + run("verify")
    said += capsys.readouterr().err
    assert "Grace" in said
    for canary in (FIRM_IBAN, PAYEE_IBAN, KEYS_BASE64):
        assert canary not in said
    assert KEYS_BASE64.encode() not in (tmp_path / "books.db").read_bytes()
    assert PAYEE_IBAN.encode() not in (tmp_path / "books.db").read_bytes()
