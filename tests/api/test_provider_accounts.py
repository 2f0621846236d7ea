"""Accounts at Stripe over HTTP and at the command line: opened by the office, onboarded by the payee alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import text

from api.app import create_app
from api.cli import main
from api.logs import configure
from firm.actor import Role
from firm.db import db, reading
from firm.settings import Settings
from tests import lovelace
from tests.api.callers import Caller, as_role
from tests.databases import settings_for
from tests.stripe import accounts, balances
from tests.stripe.server import Server

PAGE = "https://pay.lovelace.example/onboarding"
AT = "/v1/maintainers/{}/provider-account"


@pytest.fixture
def served(sqlite_url: str, stripe_server: Server) -> Iterator[Flask]:
    """Lovelace Maintainers with a key to Stripe."""
    changes = {"stripe_api_key": stripe_server.api_key, "stripe_api_base": stripe_server.url, "onboarding_page": PAGE}
    settings = Settings(**{**settings_for(sqlite_url).model_dump(), **changes})
    with time_machine.travel(lovelace.AFTER, tick=False):
        app = create_app(settings)
        with app.app_context():
            lovelace.set_up()
        yield app
        with app.app_context():
            app.extensions["chambers"].stripe.close()
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def office(served: Flask) -> Caller:
    return as_role(served, Role.ADMINISTRATOR)


def id_of(app: Flask, name: str) -> str:
    with app.app_context(), reading() as session:
        return str(session.scalar(text("SELECT id FROM maintainer WHERE name = :name"), {"name": name}))


def test_the_office_opens_an_account_and_the_payee_onboards(
    served: Flask, office: Caller, stripe_server: Server
) -> None:
    ada = id_of(served, "Ada")
    made = office.post(AT.format(ada))
    assert (made["status"], made["maintainer_id"]) == ("pending", ada)
    herself = as_role(served, Role.MAINTAINER, name="ada", subject=ada)
    link = herself.post(AT.format(ada) + "/onboarding-link")
    assert link["url"].startswith("https://")
    accounts.set_capability(stripe_server.state, made["account_id"])
    assert office.post(AT.format(ada) + "/refresh")["status"] == "active"
    shown = herself.get(AT.format(ada))
    assert (shown["status"], shown["obstacle"]) == ("active", "")


def test_a_maintainer_makes_no_link_to_anothers_account(served: Flask, office: Caller) -> None:
    grace, ada = id_of(served, "Grace"), id_of(served, "Ada")
    office.post(AT.format(ada))
    herself = as_role(served, Role.MAINTAINER, name="grace", subject=grace)
    herself.post(AT.format(ada) + "/onboarding-link", status=404)
    herself.get(AT.format(ada), status=404)
    herself.post(AT.format("Ada") + "/onboarding-link", status=404)
    herself.post(AT.format(grace), status=403)


def test_the_same_key_opens_one_account_and_gives_the_same_answer(office: Caller, stripe_server: Server) -> None:
    headers = {"Idempotency-Key": "once"}
    first, again = (office.send("POST", AT.format("Ada"), headers=headers) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.get_data() == again.get_data()
    assert len(stripe_server.state.objects["account"]) == 1


def test_a_link_is_new_each_time_and_kept_nowhere(
    served: Flask, office: Caller, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with served.app_context():
        configure(
            served.extensions["chambers"].settings.model_copy(update={"log_level": "debug"}), default_level="debug"
        )
    office.post(AT.format("Ada"))
    answers = [
        office.send("POST", AT.format("Ada") + "/onboarding-link", headers={"Idempotency-Key": "link"})
        for _ in range(2)
    ]
    links = [answer.get_json()["url"] for answer in answers]
    assert links[0] != links[1]
    assert answers[0].headers["Cache-Control"] == "no-store"
    with served.app_context(), reading() as session:
        stored = "".join(
            repr(tuple(row)) for name in db.metadata.tables for row in session.execute(text(f'SELECT * FROM "{name}"'))
        )
    logged = caplog.text + capsys.readouterr().err + "".join(repr(record.__dict__) for record in caplog.records)
    for link in links:
        secret = link.rpartition("#")[2]
        assert secret not in stored
        assert secret not in logged
    assert served.extensions["chambers"].settings.stripe_keys[0] not in stored + logged


def test_a_firm_without_a_key_to_stripe_is_told_what_to_set(sqlite_url: str) -> None:
    app = create_app(settings_for(sqlite_url))
    with time_machine.travel(lovelace.AFTER, tick=False), app.app_context():
        lovelace.set_up()
        assert "stripe" not in app.extensions["chambers"].rails
        refused = as_role(app, Role.ADMINISTRATOR).post(AT.format("Ada"), status=409)
        assert "STRIPE_API_KEY" in refused["detail"]
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def commands(tmp_path: Path, stripe_server: Server) -> dict[str, str]:
    """The environment of a firm at the command line."""
    return {
        "CHAMBERS_DATABASE_URL": f"sqlite:///{tmp_path}/books.db",
        "CHAMBERS_TOKEN": "",
        "CHAMBERS_ONBOARDING_PAGE": PAGE,
        "STRIPE_API_KEY": stripe_server.api_key,
        "STRIPE_API_BASE": stripe_server.url,
    }


def run(environment: dict[str, str], *words: str) -> Result:
    return CliRunner().invoke(main, list(words), env=environment)


def test_the_commands_walk_the_same_way(commands: dict[str, str], stripe_server: Server) -> None:
    run(commands, "init", "--name", "L", "--currency", "USD", "--time-zone", "UTC", "--first-month", "2026-10")
    run(commands, "maintainer", "add", "Ada", "--email", "ada@lovelace.example", "--country", "US", "--grade", "junior",
        "--works-as", "subcontractor")  # fmt: skip
    opened = run(commands, "maintainer", "stripe-account", "Ada")
    assert "Ada has not finished onboarding" in opened.output
    link = run(commands, "maintainer", "onboarding-link", "Ada")
    assert link.stdout.startswith("https://")
    (account,) = stripe_server.state.objects["account"]
    accounts.set_capability(stripe_server.state, account)
    assert "told about 1 accounts" in run(commands, "maintainer", "stripe-status").output
    assert "Ada can be paid over Stripe" in run(commands, "maintainer", "stripe-status", "Ada").output
    assert "Ada has no account" in run(commands, "maintainer", "stripe-close", "Ada").output
    assert stripe_server.state.objects["account"][account]["closed"]


def test_the_walk_through_a_sandbox_is_the_same_against_the_tests_stripe(
    commands: dict[str, str], stripe_server: Server
) -> None:
    waiting = run(commands, "sandbox-smoke", "--wait", "0")
    assert waiting.exit_code == 1
    assert "It is not onboarded yet" in waiting.output
    (account,) = stripe_server.state.objects["account"]
    accounts.set_capability(stripe_server.state, account)
    poor = run(commands, "sandbox-smoke", "--account", account)
    assert "4000 0000 0000 0077" in poor.output
    balances.top_up(stripe_server.state, 100, "usd")
    done = run(commands, "sandbox-smoke", "--account", account)
    assert done.exit_code == 0, done.output
    assert "The sandbox does what Chambers relies on." in done.output
    (transfer,) = stripe_server.state.objects["transfer"].values()
    assert transfer["amount_reversed"] == transfer["amount"] == 100
    assert stripe_server.api_key not in waiting.output + poor.output + done.output


@pytest.mark.parametrize("key", ["", "sk_live_real"])
def test_the_walk_needs_a_test_key(commands: dict[str, str], stripe_server: Server, key: str) -> None:
    refused = run({**commands, "STRIPE_API_KEY": key, "CHAMBERS_LIVE": "1"}, "sandbox-smoke")
    assert refused.exit_code == 1
    assert "test key" in refused.output
    assert stripe_server.log == []
