"""Differences over HTTP and at the command line, and Stripe at the door of the whole product."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from flask import Flask
from pydantic import SecretStr

from api.app import create_app
from api.cli import main
from api.jobs import KINDS
from api.worker import Worker
from firm.actor import Role
from firm.db import db, transaction
from firm.recovery import operations as recovery
from payouts.provider_events.receiving import APPLY
from payouts.reconciliation import operations
from payouts.reconciliation.rules import Comparison, Finding
from tests import lovelace
from tests.api.callers import Caller, as_role
from tests.databases import TEST_KEY, settings_for
from tests.payouts.over_stripe import OverStripe, events, paying
from tests.stripe import balances, transfers
from tests.stripe.server import Server

DIFFERENCES = "/v1/reconciliation-differences"
FOUND = Finding("stripe", "balance-differs", "USD", "The balance in USD differs.", "1.00 USD", "2.00 USD")


@pytest.fixture
def difference(closed: Flask) -> str:
    with closed.app_context():
        found = operations.keep([Comparison("stripe", ["balance-differs"], [FOUND])], now=lovelace.AFTER)
        return found[0].id


def test_a_difference_gets_an_owner_and_an_explanation(closed: Flask, difference: str) -> None:
    lead = as_role(closed, Role.LEAD)
    as_role(closed, Role.ADMINISTRATOR, name="lin")
    assert lead.get(f"{DIFFERENCES}?state=open")["items"][0]["what"] == "The balance in USD differs."
    assert lead.post(f"{DIFFERENCES}/{difference}/assignment", {"owner": "lin"})["owner"] == "lin"
    lead.post(f"{DIFFERENCES}/{difference}/assignment", {"owner": "nobody"}, status=404)
    note = {"note": "A charge of the bank's."}
    assert lead.post(f"{DIFFERENCES}/{difference}/resolution", note)["resolved_by"] == "lead"
    lead.post(f"{DIFFERENCES}/{difference}/resolution", note, status=409)
    assert lead.get(f"{DIFFERENCES}?state=open")["items"] == []
    assert [one["id"] for one in lead.get(f"{DIFFERENCES}?state=resolved")["items"]] == [difference]
    lead.get(f"{DIFFERENCES}?state=lost", status=422)


def test_whoever_only_reads_the_books_resolves_nothing(closed: Flask, difference: str) -> None:
    auditor = as_role(closed, Role.AUDITOR)
    assert auditor.get(f"{DIFFERENCES}/{difference}")["kind"] == "balance-differs"
    auditor.post(f"{DIFFERENCES}/{difference}/resolution", {"note": "Fine."}, status=403)


@pytest.fixture
def firm(closed_url: str, stripe_server: Server) -> Iterator[tuple[Flask, OverStripe]]:
    """The whole product with a key to the tests' Stripe, which shares its signing secrets with it."""
    changes = {
        "stripe_api_key": SecretStr(stripe_server.api_key),
        "stripe_api_base": stripe_server.url,
        "stripe_webhook_secrets": SecretStr(",".join(stripe_server.secrets.platform)),
        "stripe_connect_webhook_secrets": SecretStr(",".join(stripe_server.secrets.connect)),
    }
    with time_machine.travel(lovelace.AFTER):
        app = create_app(settings_for(closed_url).model_copy(update=changes))
        with app.app_context(), paying(stripe_server) as found:
            yield app, found
            db.session.remove()
            db.engine.dispose()


def push(app: Flask, found: OverStripe) -> list[int]:
    """Everything that Stripe would tell now, delivered."""
    answers = []
    for delivery in found.news():
        headers: Any = delivery.headers
        answers.append(app.test_client().post(delivery.path, data=delivery.body, headers=headers).status_code)
    return answers


def test_what_stripe_pushes_is_applied_by_the_worker(firm: tuple[Flask, OverStripe]) -> None:
    app, found = firm
    found.send(cut_for=["Grace"])
    transfers.give_back(found.server.state, found.transfer_to("Ada"), 50_000)
    assert set(push(app, found)) == {200}
    Worker(app, KINDS).run(once=True)
    assert found.states() == {"Grace": "settled", "Ada": "settled"}
    assert {state for _, state in events()} <= {"applied", "ignored"}
    assert lovelace.trial_balance()["liabilities:payables"] == "-500.00 USD"
    lead: Caller = as_role(app, Role.LEAD)
    assert lead.get(f"{DIFFERENCES}?state=open")["items"] == []
    lovelace.assert_books_hold()


def test_whom_an_event_shows_as_paid_already_is_held_at_once(firm: tuple[Flask, OverStripe]) -> None:
    app, found = firm
    found.send()
    second = found.paid_again("Grace")
    push(app, found)
    Worker(app, {APPLY: KINDS[APPLY]}).run(once=True)
    lead = as_role(app, Role.LEAD)
    [open_one] = lead.get(f"{DIFFERENCES}?state=open")["items"]
    assert (open_one["kind"], open_one["subject"]) == ("paid-twice", found.payout_to("Grace").id)
    assert second["id"] in open_one["what"]


@pytest.fixture
def shell(closed_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    path = tmp_path / "chambers.db"
    path.write_bytes(closed_file.read_bytes())
    monkeypatch.setenv("CHAMBERS_DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setenv("CHAMBERS_SECRET_KEYS", TEST_KEY)
    monkeypatch.setenv("CHAMBERS_AUDIT_ANCHORS", str(tmp_path / "anchors.jsonl"))
    return CliRunner()


def run(shell: CliRunner, *words: str, code: int = 0) -> str:
    result = shell.invoke(main, list(words))
    assert result.exit_code == code, result.output
    return result.output


def test_differences_at_the_command_line(
    shell: CliRunner, stripe_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    stripe_server.clock.set(lovelace.AFTER)
    monkeypatch.setenv("STRIPE_API_KEY", stripe_server.api_key)
    monkeypatch.setenv("STRIPE_API_BASE", stripe_server.url)
    with time_machine.travel(lovelace.AFTER):
        assert "agree, as far as they can be asked" in run(shell, "reconcile")
        balances.top_up(stripe_server.state, 10_000, "usd")
        stripe_server.state.ledger.post(None, "adjustment", -700, "usd", id="txn_odd", source="adj_1")
        told = run(shell, "reconcile")
    assert "movement-unknown" in told
    assert "Ours: 100.00 USD. Theirs: 93.00 USD." in told
    with time_machine.travel(lovelace.AFTER + timedelta(days=3, hours=1)):
        listed = run(shell, "difference", "list")
        assert "3 days, nobody" in listed
        for line in [line for line in listed.splitlines() if line.startswith("rcd_")]:
            run(shell, "difference", "resolve", line.split()[0], "--note", "An adjustment of Stripe's.")
        assert "agree" in run(shell, "difference", "list")
        assert "adjustment of Stripe's" in run(shell, "difference", "list", "--all")
        run(shell, "difference", "assign", "rcd_none", "--owner", "lead", code=1)


def test_restored_books_are_not_said_to_agree_while_money_left_that_they_do_not_know_of(
    shell: CliRunner, stripe_server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", stripe_server.api_key)
    monkeypatch.setenv("STRIPE_API_BASE", stripe_server.url)
    with time_machine.travel(lovelace.AFTER), contextlib.ExitStack() as stack:
        stack.enter_context(create_app(settings_for(f"sqlite:///{tmp_path / 'chambers.db'}")).app_context())
        books = stack.enter_context(paying(stripe_server))
        books.send()
        lost = books.paid_again("Grace")
        lost["metadata"] = {"payout": "pay_01M8CV3RH53QS4MA97HM0N5W85"}
        one = recovery.begun(source="backup", taken_at=lovelace.AFTER, chain=(0, "0" * 64), now=lovelace.AFTER)
        with transaction() as session:
            recovery.begin(session, one, by=lovelace.LEAD, now=lovelace.AFTER)
        db.session.remove()
        db.engine.dispose()
    with time_machine.travel(lovelace.AFTER + timedelta(hours=1)):
        told = run(shell, "reconcile", "--note", "compared", code=1)
        assert f"(transfer-without-payout, {lost['id']})" in told
        assert "send again" not in told
        [line] = [one for one in told.splitlines() if one.startswith("rcd_") and "transfer-without" in one]
        run(shell, "difference", "resolve", line.split()[0], "--note", "Entered as an advance.")
        assert "these books send again" in run(shell, "reconcile", "--note", "compared")
