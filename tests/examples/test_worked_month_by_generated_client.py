"""The worked month through a Python client that was generated from the served document, on both databases."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pyotp
import pytest
from flask import Flask
from werkzeug.serving import make_server

from api.app import create_app
from firm import clock
from firm.access.tokens import issue_token
from firm.actor import Actor, Role
from firm.db import db
from tests import lovelace
from tests.api import polite
from tests.databases import settings_for
from tests.examples.generated import PACKAGE, User, generate, operations

MONTH = "2026-10"
TEST = Actor("test", Role.SYSTEM)
PACKAGES = ("ssh", "age", "staticcheck")


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


@contextmanager
def listening(app: Flask) -> Iterator[str]:
    """The application behind a socket of this machine."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def package(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The generated package, imported."""
    folder = tmp_path_factory.mktemp("generated")
    with listening(create_app(settings_for(f"sqlite:///{migrated_file}"))) as address:
        generate(f"{address}/openapi.json", folder)
    sys.path.insert(0, str(folder))
    yield importlib.import_module(PACKAGE)
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
def served(fresh_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Flask, str]]:
    monkeypatch.setattr(clock, "now", lambda: lovelace.AFTER)
    app = create_app(settings_for(fresh_url))
    with app.app_context():
        lovelace.establish()
    with listening(app) as address:
        yield app, address
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


Hire = Callable[..., tuple[User, str]]


@pytest.fixture
def hire(served: tuple[Flask, str], package: ModuleType) -> Iterator[Hire]:
    """Give somebody a token and a client; the code of their authenticator comes with it."""
    app, address = served
    known = operations(package)
    open_clients = []

    def found(name: str, role: Role, subject: str | None = None) -> tuple[User, str]:
        with app.app_context():
            issued = issue_token(name=name, role=role, subject_id=subject, by=TEST, now=lovelace.BEFORE)
        code = pyotp.TOTP(polite.authenticator(app, issued, TEST)).at(clock.now())
        client = package.AuthenticatedClient(address, token=issued.secret, raise_on_unexpected_status=True)
        open_clients.append(client)
        return User(client, known), code

    yield found
    for client in open_clients:
        client.get_httpx_client().close()


def sell(lead: User) -> None:
    for name in PACKAGES:
        lead.do("adopt_package", body={"name": name, "ecosystem": "Go"})
    interests = [{"package": name, "may_stop": False, "months_to_replace": 24} for name in PACKAGES]
    for client, tier, fee, cycle in (
        ("Acme", "gold", "10000.00", "yearly"),
        ("Globex", "platinum", "5000.00", "monthly"),
    ):
        lead.do("register_client", body={"name": client, "country": "US"})
        lead.do("add_tier", body={"name": tier})
        terms = {"client": client, "tier": tier, "fee": usd(fee), "cycle": cycle, "starts_on": "2026-10-01"}
        draft = lead.do("draft_engagement", body=terms | {"subcontracting_allowed": True, "interests": interests})
        signed = lead.do("sign_engagement", draft.id, seen=lead.seen("get_engagement", draft.id))
        assert (signed.state.value, signed.fee.amount) == ("signed", fee)
    plan = {"from_month": MONTH, "overhead_bp": 2000, "reserves": {"on-ramp": 500}}
    lead.do("set_allocation_plan", body=plan | {"weights": {"ssh": 3, "age": 2, "staticcheck": 1}})


def staff(lead: User, linus: User) -> dict[str, str]:
    """The ids of Grace and Ada, who can be paid and work on packages."""
    people = {}
    for name in ("Grace", "Ada"):
        person = {"name": name, "email": f"{name.lower()}@lovelace.example", "country": "US"}
        added = lead.do("add_maintainer", body=person | {"grade": "junior", "works_as": "subcontractor"})
        people[name] = added.id
        seen = lead.seen("get_maintainer", added.id)
        proposed = lead.do("propose_destination", added.id, body={"rail": "manual"}, seen=seen)
        confirmed = linus.do("confirm_destination", proposed.id, seen=linus.seen("get_destination", proposed.id))
        assert confirmed.state.value == "live"
    for name, package, share in (("Grace", "ssh", 10_000), ("Ada", "staticcheck", 5_000), ("Ada", "age", 5_000)):
        assignment = {"maintainer": name, "package": package, "role": "lead", "share_bp": share}
        lead.do("assign_maintainer", body=assignment | {"from_on": "2026-10-01"})
    grace = {"guarantee": usd("4000.00"), "growth_bp": 1000, "baseline": usd("12000.00")}
    ada = {"fund_shares": {"staticcheck": 4000}, "fixed_fees": {"age": usd("1200.00")}}
    for name, terms in (("Grace", grace), ("Ada", ada)):
        lead.do("set_pay_terms", body={"maintainer": name, "from_month": MONTH} | terms)
    return people


def close(administrator: User) -> None:
    closing = administrator.do("close_month", MONTH)
    assert {fund.name: fund.amount.amount for fund in closing.allocated} == {
        "overhead": "3000.00",
        "on-ramp": "750.00",
        "ssh": "5625.00",
        "age": "3750.00",
        "staticcheck": "1875.00",
    }
    figures = (closing.recognized, closing.earned, closing.residual, closing.payable)
    assert [figure.amount for figure in figures] == ["15000.00", "6250.00", "8750.00", "6250.00"]
    assert administrator.ask("close_month", MONTH).to_dict() == closing.to_dict()


def pay(administrator: User, lead: User, code: str) -> Any:
    """Draft, propose, approve, release and settle; the run as it stands at the end."""
    run = administrator.do("draft_payout_run")
    assert {payout.payee_name: payout.amount.amount for payout in run.payouts} == {"Grace": "4300.00", "Ada": "1950.00"}
    administrator.do("propose_payout_run", run.number, seen=lead.seen("get_payout_run", run.number))
    seen = lead.seen("get_payout_run", run.number)
    refused = lead.ask("approve_payout_run", run.number, seen=seen, status=403)
    assert refused.type_.endswith("/presence-needed")
    lead.do("prove_presence", body={"code": code})
    assert lead.do("approve_payout_run", run.number, seen=seen).state.value == "approved"
    assert lead.ask("approve_payout_run", run.number, seen=seen, status=412).detail.startswith("Somebody changed this")
    administrator.do("release_payout_run", run.number, seen=lead.seen("get_payout_run", run.number))
    for payout in run.payouts:
        proof = {"reference": f"wire {payout.id}", "on": "2026-11-01"}
        administrator.do("settle_payout", payout.id, seen=lead.seen("get_payout", payout.id), body=proof)
    return lead.ask("get_payout_run", run.number)


def test_a_generated_client_closes_the_month_and_pays_the_team(served: tuple[Flask, str], hire: Hire) -> None:
    lead, code = hire("lead", Role.LEAD)
    administrator, _ = hire("administrator", Role.ADMINISTRATOR)
    sell(lead)
    linus, his_code = hire("linus", Role.APPROVER)
    linus.do("prove_presence", body={"code": his_code})
    people = staff(lead, linus)
    assert lead.ask("preview_month", MONTH).earned.amount == "6250.00"
    close(administrator)
    run = pay(administrator, lead, code)
    assert run.state.value == "settled"
    assert {payout.state.value for payout in run.payouts} == {"settled"}
    balances = {row.account: row.balance.amount for row in lead.ask("get_trial_balance").accounts}
    assert (balances["assets:bank"], balances["liabilities:payables"]) == ("-6250.00", "0.00")
    read_papers(hire("grace", Role.MAINTAINER, people["Grace"])[0], people["Grace"])
    with served[0].app_context():
        lovelace.assert_books_hold()


def read_papers(grace: User, own: str) -> None:
    """What the maintainer reads with her own token, and only that."""
    page = grace.ask("list_statements", month=MONTH)
    [statement] = page.items
    assert (statement.maintainer_id, page.next_) == (own, None)
    pdf = grace.ask("render_statement", statement.id, grace.known["render_statement"].RenderStatementForm.PDF)
    assert pdf.payload.read().startswith(b"%PDF-")
    assert (
        "4,300.00"
        in grace.answer(
            "render_statement", statement.id, grace.known["render_statement"].RenderStatementForm.HTML
        ).content.decode()
    )
    assert grace.ask("get_trial_balance", status=403).detail == "The role maintainer may not do this."


def test_each_operation_is_a_function_of_the_generated_client(package: ModuleType, served: tuple[Flask, str]) -> None:
    document = served[0].extensions["openapi"]()
    described = [
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
        if "operationId" in operation
    ]
    generated = {name.replace("_", "") for name in operations(package)}
    assert generated == {name.lower() for name in described}


def test_a_page_leads_to_the_next_through_the_generated_client(hire: Hire) -> None:
    lead, _ = hire("lead", Role.LEAD)
    for name in PACKAGES:
        lead.do("adopt_package", body={"name": name, "ecosystem": "Go"})
    names, cursor = [], {}
    while True:
        page = lead.ask("list_packages", limit=1, **cursor)
        names += [item.name for item in page.items]
        if page.next_ is None:
            break
        cursor = {"cursor": page.next_}
    assert names == list(PACKAGES)
