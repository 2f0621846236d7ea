"""The worked month entirely through the HTTP API, to the cent, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from api.app import create_app
from firm import clock
from firm.access.tokens import issue_token
from firm.actor import Actor, Role
from firm.db import db
from tests import lovelace
from tests.api import polite
from tests.databases import settings_for

MONTH = "2026-10"
TEST = Actor("test", Role.SYSTEM)


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


class Caller:
    """A person with a token, at the API."""

    def __init__(self, app: Flask, name: str, role: Role) -> None:
        self.client = app.test_client()
        with app.app_context():
            issued = issue_token(name=name, role=role, by=TEST, now=lovelace.BEFORE)
        self.headers = {"Authorization": f"Bearer {issued.secret}"}
        self.authenticator = polite.authenticator(app, issued, TEST)

    def post(self, path: str, body: dict[str, Any] | None = None, *, status: int = 201) -> Any:
        headers = {**self.headers}
        answer = polite.send(self.client, "POST", f"/v1/{path}", headers, secret=self.authenticator, json=body)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_json()

    def get(self, path: str, *, status: int = 200) -> Any:
        answer = self.client.get(f"/v1/{path}", headers=self.headers)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_json()

    def raw(self, path: str) -> bytes:
        answer = self.client.get(f"/v1/{path}", headers=self.headers)
        assert answer.status_code == 200
        return answer.get_data()


@pytest.fixture
def served(fresh_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setattr(clock, "now", lambda: lovelace.AFTER)
    app = create_app(settings_for(fresh_url))
    with app.app_context():
        lovelace.establish()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def lead(served: Flask) -> Caller:
    return Caller(served, "lead", Role.LEAD)


@pytest.fixture
def administrator(served: Flask) -> Caller:
    return Caller(served, "administrator", Role.ADMINISTRATOR)


def set_up(lead: Caller, administrator: Caller) -> None:
    for name in ("ssh", "age", "staticcheck"):
        lead.post("packages", {"name": name, "ecosystem": "Go"})
    for client, tier, fee, cycle in (
        ("Acme", "gold", "10000.00", "yearly"),
        ("Globex", "platinum", "5000.00", "monthly"),
    ):
        lead.post("clients", {"name": client, "country": "US"})
        lead.post("tiers", {"name": tier})
        engagement = lead.post(
            "engagements",
            {
                "client": client,
                "tier": tier,
                "fee": usd(fee),
                "cycle": cycle,
                "starts_on": "2026-10-01",
                "subcontracting_allowed": True,
                "interests": [
                    {"package": name, "may_stop": False, "months_to_replace": 24}
                    for name in ("ssh", "age", "staticcheck")
                ],
            },
        )
        lead.post(f"engagements/{engagement['id']}/signature")
    weights = {"ssh": 3, "age": 2, "staticcheck": 1}
    plan = {"from_month": MONTH, "overhead_bp": 2000, "reserves": {"on-ramp": 500}, "weights": weights}
    lead.post("allocation-plans", plan)
    staff(lead, administrator)


def staff(lead: Caller, administrator: Caller) -> None:
    for name in ("Grace", "Ada"):
        person = {"name": name, "email": f"{name}@x.example", "country": "US"}
        lead.post("maintainers", person | {"grade": "junior", "works_as": "subcontractor"})
        proposed = administrator.post(f"maintainers/{name}/destination", {"rail": "manual"})
        lead.post(f"destinations/{proposed['id']}/confirmation")
    for name, package, share in (("Grace", "ssh", 10_000), ("Ada", "staticcheck", 5_000), ("Ada", "age", 5_000)):
        assignment = {"maintainer": name, "package": package, "role": "lead", "share_bp": share}
        lead.post("assignments", assignment | {"from_on": "2026-10-01"})
    terms = {"maintainer": "Grace", "from_month": MONTH, "guarantee": usd("4000.00"), "growth_bp": 1000}
    lead.post("pay-terms", terms | {"baseline": usd("12000.00")})
    terms = {"maintainer": "Ada", "from_month": MONTH, "fund_shares": {"staticcheck": 4000}}
    lead.post("pay-terms", terms | {"fixed_fees": {"age": usd("1200.00")}})


def test_the_month_comes_out_to_the_cent(served: Flask, lead: Caller, administrator: Caller) -> None:
    set_up(lead, administrator)
    preview = lead.get(f"months/{MONTH}/preview")
    closing = administrator.post(f"months/{MONTH}/close")
    funds = {fund["name"]: fund["amount"]["amount"] for fund in closing["allocated"]}
    assert funds == {
        "overhead": "3000.00",
        "on-ramp": "750.00",
        "ssh": "5625.00",
        "age": "3750.00",
        "staticcheck": "1875.00",
    }
    assert (closing["recognized"], closing["earned"]) == (usd("15000.00"), usd("6250.00"))
    assert (closing["residual"], closing["payable"]) == (usd("8750.00"), usd("6250.00"))
    assert (preview.pop("first_open"), preview.pop("without_terms")) == ("2026-10", [])
    assert {name: preview[name] for name in preview} == {name: closing[name] for name in preview}
    assert administrator.post(f"months/{MONTH}/close", status=200) == closing
    with served.app_context():
        lovelace.assert_books_hold()


def test_the_team_is_paid_and_everybody_gets_a_paper(served: Flask, lead: Caller, administrator: Caller) -> None:
    set_up(lead, administrator)
    administrator.post(f"months/{MONTH}/close")
    run = administrator.post("payout-runs")
    number = run["number"]
    assert sorted(payout["amount"]["amount"] for payout in run["payouts"]) == ["1950.00", "4300.00"]
    administrator.post(f"payout-runs/{number}/proposal")
    administrator.post(f"payout-runs/{number}/approval", status=403)
    lead.post(f"payout-runs/{number}/approval")
    administrator.post(f"payout-runs/{number}/release")
    for payout in run["payouts"]:
        proof = {"reference": f"wire {payout['id']}", "on": "2026-11-01"}
        administrator.post(f"payouts/{payout['id']}/settlement", proof)
    assert lead.get(f"payout-runs/{number}")["state"] == "settled"
    assert administrator.post("payout-runs", status=409)["detail"].startswith("Nothing is payable")
    statements = lead.get(f"statements?month={MONTH}")["items"]
    assert len(statements) == 2
    assert lead.raw(f"statements/{statements[0]['id']}/pdf").startswith(b"%PDF-")
    assert b"4,300.00" in lead.raw(f"statements/{statements[0]['id']}/html")
    report = lead.post("funded-work-reports", {"client": "Acme", "from_month": MONTH, "until_month": "2026-11"})
    assert report["figures"]["client"]["name"] == "Acme"
    assert b"Globex" not in lead.raw(f"funded-work-reports/{report['id']}/html")
    balances = {row["account"]: row["balance"]["amount"] for row in lead.get("trial-balance")["accounts"]}
    assert balances["assets:bank"] == "-6250.00"
    assert balances["liabilities:payables"] == "0.00"
    with served.app_context():
        lovelace.assert_books_hold()


def test_a_maintainer_sees_her_own_statement_and_nobody_elses(
    served: Flask, lead: Caller, administrator: Caller
) -> None:
    set_up(lead, administrator)
    lead.post(f"months/{MONTH}/close")
    by_owner = {row["maintainer_id"]: row["id"] for row in lead.get("statements")["items"]}
    grace = lead.get("maintainers/Grace")["id"]
    with served.app_context():
        actor = Actor("test", Role.SYSTEM)
        issued = issue_token(name="grace", role=Role.MAINTAINER, subject_id=grace, by=actor, now=lovelace.BEFORE)
    headers = {"Authorization": f"Bearer {issued.secret}"}
    client = served.test_client()
    seen = client.get("/v1/statements", headers=headers).get_json()["items"]
    assert [row["id"] for row in seen] == [by_owner.pop(grace)]
    [others] = by_owner.values()
    hidden = client.get(f"/v1/statements/{others}", headers=headers)
    missing = client.get("/v1/statements/stm_00000000000000000000000000", headers=headers)
    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert client.get("/v1/trial-balance", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("months/2026-13/close", 422, "Write a month as year and number"),
        ("months/2027-01/close", 409, "January 2027 is not over"),
        ("months/2026-11/close", 409, "November 2026 is not over"),
        ("months/2026-09/close", 409, "The books begin with October 2026"),
        ("months/2026-10/close", 409, "No allocation plan is in force in October 2026"),
        ("payout-runs", 409, "Nothing is payable"),
        ("payout-runs/RUN-2026-0009/approval", 404, "There is no payout run"),
        ("engagements/eng_x/signature", 404, "There is no engagement"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(lead: Caller, path: str, status: int, sentence: str) -> None:
    assert sentence in lead.post(path, status=status)["detail"]


def test_no_route_is_open_but_health_and_the_description(served: Flask) -> None:
    client = served.test_client()
    closed = 0
    for rule in served.url_map.iter_rules():
        path = str(rule)
        for converter in rule.arguments:
            path = path.replace(f"<{converter}>", "x").replace(f"<month:{converter}>", MONTH)
        path = path.replace("<path:key>", "x").replace("<path:name>", "x").replace("<any(pdf, html):form>", "pdf")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = client.open(path, method=method)
            if str(rule).startswith(("/v1", "/metrics")):
                assert answer.status_code == 401, (method, path)
                assert answer.content_type == "application/problem+json"
                closed += 1
            elif str(rule).startswith("/webhooks"):
                # Signed instead, and no secret is set here.
                assert answer.status_code == 503, (method, path)
            else:
                assert answer.status_code in (200, 404), (method, path)
    assert closed > 60


def test_the_office_cannot_issue_tokens_and_a_revoked_one_opens_nothing(lead: Caller, administrator: Caller) -> None:
    administrator.post("tokens", {"name": "spy", "role": "auditor"}, status=403)
    made = lead.post("tokens", {"name": "books", "role": "auditor"})
    headers = {"Authorization": f"Bearer {made['secret']}"}
    assert lead.client.get("/v1/trial-balance", headers=headers).status_code == 200
    assert lead.client.post("/v1/tokens/books/revocation", headers=lead.headers).status_code == 204
    assert lead.client.get("/v1/trial-balance", headers=headers).status_code == 401
