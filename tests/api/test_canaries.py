"""Canaries for every kind of secret go through a month at the loudest level; then all that leaves the house is read.

Read are the logs, every row of the database, every answer and paper, the archive, an encrypted backup, the metrics and
the description. What must stand somewhere stands in `MAY`, with the reason.
"""

from __future__ import annotations

import io
import json
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from click.testing import CliRunner
from flask import Flask
from pydantic import SecretStr
from pypdf import PdfReader
from sqlalchemy import text

from api.app import create_app
from api.cli import main
from api.logs import configure
from firm import clock
from firm.actor import Role
from firm.archive import writing
from firm.audit import sequencer
from firm.backup import making
from firm.db import db, reading
from firm.profile.changes import change_firm
from firm.settings import Settings
from firm.webhooks import endpoints
from firm.webhooks.addresses import Reach
from firm.webhooks.dispatch import dispatch
from firm.webhooks.sender import Sender
from migrations import run
from payouts.self_billing import agreements
from payouts.self_billing.rules import Vat
from payouts.tax_forms import operations as tax_forms
from staffing.maintainers import operations as maintainers
from staffing.maintainers.operations import Change
from tests import lovelace
from tests.api.callers import Caller, anonymous, as_role
from tests.api.deliveries import signed, snapshot
from tests.api.test_leaks import everything_shown, everything_stored
from tests.databases import SECRET_KEYS, TEST_KEY, settings_for
from tests.lovelace import AFTER, LEAD, START
from tests.postgres import programs

CANARIES = {
    "Stripe's key": "sk_test_51CanaryCanaryCanary",
    "Stripe's signing secret": "whsec_CanaryOfThePlatform",
    "Stripe's signing secret for payees' accounts": "whsec_CanaryOfThePayees",
    "the mail server's password": "canary-of-the-mail",
    "the keys": TEST_KEY.partition(":")[2],
    "the payee's account": "FR1420041010050500013M02606",
    "the firm's account": "DE89370400440532013000",
    "the payee's tax number": "536904399",
    "the payee's VAT id": "FR40303265045",
    "the payee's e-mail address": "canary-of-grace@lovelace.example",
}

MAY = {
    ("rows", "the payee's e-mail address"): "notices are sent there",
    ("rows", "the payee's VAT id"): "it stands on invoices, and is looked up in the open",
    ("audit", "the payee's e-mail address"): "who changed where notices go, from what to what, is what it is kept for",
    ("answers", "the payee's e-mail address"): "the office corrects it",
    ("answers", "the payee's VAT id"): "the office corrects it",
    ("archive", "the payee's e-mail address"): "the archive holds what people need to go on",
    ("archive", "the payee's VAT id"): "the archive holds what people need to go on",
    ("papers", "the payee's VAT id"): "a self-billed invoice names the supplier's (Directive 2006/112/EC, article 226)",
}


@pytest.fixture
def settings(fresh_url: str) -> Settings:
    return settings_for(fresh_url).model_copy(
        update={
            "stripe_api_key": SecretStr(CANARIES["Stripe's key"]),
            "stripe_webhook_secrets": SecretStr(CANARIES["Stripe's signing secret"]),
            "stripe_connect_webhook_secrets": SecretStr(CANARIES["Stripe's signing secret for payees' accounts"]),
            "smtp_url": SecretStr("smtp://office:" + CANARIES["the mail server's password"] + "@127.0.0.1:9"),
            "log_level": "debug",
        }
    )


@pytest.fixture
def app(settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Flask]:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(clock, "now", lambda: AFTER)
    app = create_app(settings)
    with app.app_context():
        configure(settings, default_level="debug")
        lovelace.set_up()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def found_in(place: str, said: str, secrets: dict[str, str]) -> list[str]:
    return [name for name, canary in secrets.items() if canary in said and (place, name) not in MAY]


def test_a_secret_is_found_nowhere_but_where_it_must_be(
    app: Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    lead, office = as_role(app, Role.LEAD), as_role(app, Role.ADMINISTRATOR)
    secrets = {**CANARIES, "a token": lead.headers["Authorization"][7:], "an authenticator": lead.authenticator}
    with app.app_context():
        secrets["our signing secret"] = _set_up()
    answers = _work(app, lead, office)
    answers += _mistakes(app, office)
    with app.app_context():
        sequencer.run(now=AFTER)
        dispatch(now=AFTER)
        rows, audited, archive = everything_stored(), _audited(), _archive(tmp_path)
        backup = _backup(tmp_path)
    shown = everything_shown(lead) + everything_shown(office) + "\n".join(answers)
    papers = _papers(office)
    logged = caplog.text + capsys.readouterr().err + "\n".join(repr(record.__dict__) for record in caplog.records)
    description = json.dumps(app.extensions["openapi"]())
    metrics = lead.send("GET", "/metrics").get_data(as_text=True)

    # The canaries went where they were sent; had they not, their absence would say nothing.
    assert "Grace" in rows
    assert "Grace" in shown
    assert CANARIES["the payee's VAT id"] in papers
    assert "POST" in logged
    places = {"rows": rows, "answers": shown, "archive": archive, "backup": backup, "papers": papers}
    places |= {"audit": audited, "logs": logged, "description": description, "metrics": metrics}
    assert {place: found for place, said in places.items() if (found := found_in(place, said, secrets))} == {}


def _set_up() -> str:
    """A firm with accounts, a tax form, an agreement and an endpoint for webhooks, whose secret is the answer."""
    keys, by, now = SECRET_KEYS, LEAD, AFTER
    change_firm(iban=CANARIES["the firm's account"], keys=keys, by=by, now=now)
    moved = Change(email=CANARIES["the payee's e-mail address"])
    maintainers.change("Grace", moved, by=by, now=now)
    change_firm(vat_id="DE136695976", by=by, now=now)
    tin = CANARIES["the payee's tax number"]
    days = {"signed_on": START, "received_on": START}
    tax_forms.record("Grace", kind="W-9", name="Grace", tin=tin, **days, keys=keys, by=by, now=now)
    agreements.agree(
        "Grace",
        consented_on=START,
        from_on=START,
        series="SB-GH-",
        vat=Vat("reverse-charge"),
        supplier_vat_id=CANARIES["the payee's VAT id"],
        supplier_address=["1 Main Street"],
        by=by,
        now=now,
    )
    nowhere = Sender(Reach(), resolve=lambda host, port: [host])
    return endpoints.add(url="https://8.8.8.8/", sender=nowhere, keys=keys, by=by, now=now)[1]


def _work(app: Flask, lead: Caller, office: Caller) -> list[str]:
    """A month closed, billed and paid, a new account proposed, an event of Stripe's taken in."""
    iban = CANARIES["the payee's account"]
    answers = [repr(office.post("/v1/maintainers/Ada/destination", {"rail": "sepa", "iban": iban}))]
    office.post("/v1/months/2026-10/close")
    office.post("/v1/self-billed-invoices", {"maintainer": "Grace", "month": "2026-10"})
    number = office.post("/v1/payout-runs")["number"]
    office.post(f"/v1/payout-runs/{number}/proposal")
    lead.post(f"/v1/payout-runs/{number}/approval")
    answers.append(repr(office.post(f"/v1/payout-runs/{number}/release")))
    for secret in (CANARIES["Stripe's signing secret"], "whsec_of_somebody_else"):
        body = json.dumps(snapshot()).encode()
        headers = {"Stripe-Signature": signed(body, secret), "Content-Type": "application/json"}
        sent = app.test_client().post("/webhooks/stripe", data=body, headers=headers)
        answers.append(sent.get_data(as_text=True))
    return answers


def _mistakes(app: Flask, office: Caller) -> list[str]:
    """Each secret sent where it does not belong: as a value, a name, an address, a query and a header."""
    answers = []
    for canary in CANARIES.values():
        wrong = {"maintainer": "Ada", "rail": "sepa", "iban": f"{canary}x", "holder": "A"}
        attempts = (
            ("POST", "/v1/maintainers/Ada/destination", {"json": wrong}),
            ("POST", "/v1/receipts", {"json": {"amount": canary, "reference": {"a": canary}}}),
            ("GET", "/v1/clients", {"query_string": {"limit": canary}}),
            ("GET", "/v1/firm", {"headers": {"Authorization": f"Bearer {canary}"}}),
        )
        for method, path, options in attempts:
            caller = anonymous(app) if "headers" in options else office
            answer = caller.send(method, path, **options)
            assert answer.status_code >= 400
            answers.append(answer.get_data(as_text=True))
    return answers


def _audited() -> str:
    """What stays on record for ever."""
    with reading() as session:
        return "\n".join(repr(tuple(row)) for row in session.execute(text("SELECT * FROM audit_record")))


def _archive(folder: Path) -> str:
    path = folder / "firm.zip"
    writing.export_all(path, db.metadata.sorted_tables, revision=str(run.head()), by=LEAD, now=AFTER)
    with zipfile.ZipFile(path) as archive:
        return "\n".join(archive.read(name).decode() for name in archive.namelist())


def _backup(folder: Path) -> str:
    """The bytes of an encrypted backup, in which nothing may be found, clear column or not."""
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    path = folder / "firm.age"
    making.make(
        path,
        url=db.engine.url,
        schema=str(run.head()),
        recipients=[recipient],
        programs=programs(),
        by=LEAD,
        now=AFTER,
    )
    return path.read_bytes().decode("latin-1")


def _papers(office: Caller) -> str:
    """Every paper in both forms, as text."""
    texts = []
    for resource in ("statements", "self-billed-invoices"):
        for one in office.get(f"/v1/{resource}")["items"]:
            texts.append(office.send("GET", f"/v1/{resource}/{one['id']}/html").get_data(as_text=True))
            paper = PdfReader(io.BytesIO(office.send("GET", f"/v1/{resource}/{one['id']}/pdf").get_data()))
            texts += [page.extract_text() for page in paper.pages]
            texts += [content.decode("latin-1") for files in paper.attachments.values() for content in files]
    assert len(texts) >= 6
    return "\n".join(texts)


def test_the_password_of_the_database_is_not_told_when_it_cannot_be_reached() -> None:
    environment = {
        "CHAMBERS_DATABASE_URL": "postgresql://ada:canary-of-the-books@127.0.0.1:9/books",
        "CHAMBERS_SECRET_KEYS": TEST_KEY,
        "CHAMBERS_TOKEN": "",
        "CHAMBERS_LOG_LEVEL": "debug",
    }
    for words in (("verify",), ("audit", "list"), ("serve", "--check"), ("migrate",)):
        result = CliRunner().invoke(main, list(words), env=environment)
        assert result.exit_code != 0
        assert "canary-of-the-books" not in result.output + repr(result.exception)
