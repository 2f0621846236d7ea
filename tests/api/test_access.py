"""Principals, scopes and presence over HTTP: what a token in the wrong hands cannot do."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import text

from api.app import create_app
from firm import clock
from firm.actor import Role
from firm.db import reading
from firm.settings import Settings
from payouts.runs import approvals, preparation
from tests import lovelace
from tests.api.callers import Caller, as_role, bearing, problem_of


@pytest.fixture
def lead(closed: Flask) -> Caller:
    return as_role(closed, Role.LEAD)


@pytest.fixture
def run(closed: Flask) -> str:
    """The number of a run that waits for its approval."""
    with closed.app_context():
        from api.parts import parts

        drafted = preparation.draft(rails=parts().rails, by=lovelace.ADMINISTRATOR, now=lovelace.AFTER)
        approvals.propose(drafted.run.id, by=lovelace.ADMINISTRATOR, now=lovelace.AFTER)
        return drafted.run.number


def test_a_bare_token_cannot_approve(lead: Caller, run: str) -> None:
    thief = Caller(lead.app, lead.headers)
    refused = thief.post(f"/v1/payout-runs/{run}/approval", status=403)
    assert refused["type"].endswith("/presence-needed")
    assert thief.post("/v1/principals/lead/authenticator", status=403)["type"].endswith("/presence-needed")
    assert thief.send("PATCH", "/v1/principals/lead", json={"may_approve": True}).status_code == 403
    assert thief.get(f"/v1/payout-runs/{run}")["state"] == "proposed"
    assert lead.post(f"/v1/payout-runs/{run}/approval")["state"] == "approved"


def test_a_proof_grows_old(lead: Caller, run: str) -> None:
    bare = Caller(lead.app, lead.headers)
    assert lead.post("/v1/principals", {"name": "kim", "role": "administrator"})
    lead.send("PATCH", "/v1/principals/kim", json={"may_approve": True})
    assert bare.get("/v1/me")["proved_at"] is not None
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        assert bare.post(f"/v1/payout-runs/{run}/approval", status=403)["type"].endswith("/presence-needed")
    assert bare.post(f"/v1/payout-runs/{run}/approval")["state"] == "approved"


def test_an_administrator_approves_with_the_permission_only(closed: Flask, lead: Caller, run: str) -> None:
    kim = as_role(closed, Role.ADMINISTRATOR, name="kim")
    assert kim.post(f"/v1/payout-runs/{run}/approval", status=403)["type"].endswith("/forbidden")
    assert lead.send("PATCH", "/v1/principals/kim", json={"may_approve": True}).status_code == 200
    made = lead.post("/v1/principals/kim/authenticator")
    permitted = Caller(closed, kim.headers, made["secret"])
    assert permitted.post(f"/v1/payout-runs/{run}/approval")["approved_by"] == "kim"


def test_scopes_narrow_a_token(closed: Flask, lead: Caller) -> None:
    lead.post("/v1/principals", {"name": "importer", "role": "administrator", "kind": "service"})
    made = lead.post("/v1/principals/importer/tokens", {"scopes": ["read:clients", "write:tiers"], "label": "nightly"})
    bot = bearing(closed, made["secret"])
    assert bot.get("/v1/clients")["items"]
    assert bot.get("/v1/tiers")["items"]
    assert bot.post("/v1/tiers", {"name": "bronze"})["name"] == "bronze"
    assert "it takes write:clients" in bot.post("/v1/clients", {"name": "X", "country": "US"}, status=403)["detail"]
    assert "it takes read:invoices" in bot.get("/v1/invoices", status=403)["detail"]
    assert bot.get("/v1/me")["scopes"] == ["read:clients", "write:tiers"]


def test_a_program_rotates_its_own_token_and_nobody_elses(closed: Flask, lead: Caller) -> None:
    made = lead.post("/v1/tokens", {"name": "bot", "role": "auditor"})
    bot = bearing(closed, made["secret"])
    other = lead.get("/v1/me")["token_id"]
    assert bot.post(f"/v1/tokens/{other}/rotation", {}, status=404)
    fresh = bot.post("/v1/tokens/me/rotation", {"overlap_minutes": 10})
    assert bearing(closed, fresh["secret"]).get("/v1/firm")
    assert bot.get("/v1/firm")
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        assert bot.get("/v1/firm", status=401)


@pytest.mark.parametrize("role", [Role.LEAD, Role.ADMINISTRATOR, Role.AUDITOR])
def test_everybody_revokes_the_token_in_hand_and_nobody_elses(closed: Flask, lead: Caller, role: Role) -> None:
    lead.post("/v1/principals", {"name": "bot", "role": str(role)})
    made = [lead.post("/v1/principals/bot/tokens", {"scopes": ["read:tiers"]}) for _ in range(2)]
    by_word, by_id = (bearing(closed, one["secret"]) for one in made)
    theirs = lead.get("/v1/me")["token_id"]
    wide = as_role(closed, Role.ADMINISTRATOR, name="kim")
    assert wide.post(f"/v1/tokens/{theirs}/revocation", status=404)
    assert wide.post("/v1/tokens/lead/revocation", status=404)
    assert by_word.post(f"/v1/tokens/{made[1]['id']}/revocation", status=403)
    by_word.post("/v1/tokens/me/revocation", status=204)
    by_id.post(f"/v1/tokens/{made[1]['id']}/revocation", status=204)
    for gone in (by_word, by_id):
        assert gone.get("/v1/me", status=401)
    assert lead.get("/v1/me")["token_id"] == theirs


def test_nobody_bears_a_name_that_means_somebody_else(lead: Caller) -> None:
    mine = lead.get("/v1/me")["token_id"]
    for name in ("me", mine, "pri_01KB0000000000000000000000"):
        refused = lead.post("/v1/principals", {"name": name, "role": "auditor"}, status=422)
        assert refused["errors"][0]["pointer"] == "/name"
        assert lead.post("/v1/clients", {"name": name, "country": "US"}, status=422)


@pytest.mark.parametrize("scopes", [["read"], ["read:tokens"], ["write:tiers", "read:tiers"]])
def test_a_narrow_token_of_the_lead_takes_over_no_other(closed: Flask, lead: Caller, scopes: list[str]) -> None:
    strong = lead.get("/v1/me")["token_id"]
    viewer = bearing(closed, lead.post("/v1/principals/lead/tokens", {"scopes": scopes})["secret"])
    refused = viewer.post(f"/v1/tokens/{strong}/rotation", {}, status=403)
    assert "it takes write:tokens" in refused["detail"]
    assert viewer.post("/v1/tokens/tok_none/rotation", {}, status=403)["detail"] == refused["detail"]
    assert lead.get("/v1/me")["token_id"] == strong
    assert viewer.post("/v1/tokens/me/rotation", {})["scopes"] == sorted(scopes)


def test_nobody_gives_a_token_more_than_the_token_in_hand_allows(closed: Flask, lead: Caller) -> None:
    strong = lead.get("/v1/me")["token_id"]
    given = lead.post("/v1/principals/lead/tokens", {"scopes": ["read", "write:tokens"]})
    clerk = bearing(closed, given["secret"])
    for scopes in (["write"], ["read", "write:tiers"], ["write:principals"]):
        refused = clerk.post("/v1/principals/lead/tokens", {"scopes": scopes}, status=403)
        assert refused["type"].endswith("/beyond-own-scopes")
    assert clerk.post("/v1/tokens", {"name": "spy", "role": "lead"}, status=403)
    assert clerk.post(f"/v1/tokens/{strong}/rotation", {}, status=403)
    assert lead.get("/v1/me")["token_id"] == strong
    assert clerk.post("/v1/principals/lead/tokens", {"scopes": ["read:tiers", "write:tokens"]})


def test_tokens_are_listed_without_their_secrets(lead: Caller) -> None:
    made = lead.post("/v1/tokens", {"name": "bot", "role": "auditor"})
    listed = {token["id"]: token for token in lead.get("/v1/tokens")["items"]}
    assert listed[made["id"]]["expires_at"] is not None
    assert listed[lead.get("/v1/me")["token_id"]]["last_used_at"] is not None
    assert all("secret" not in token and "digest" not in token for token in listed.values())


def test_a_change_of_role_acts_from_the_next_request_on(closed: Flask, lead: Caller) -> None:
    kim = as_role(closed, Role.ADMINISTRATOR, name="kim")
    assert kim.post("/v1/tiers", {"name": "one"})
    lead.send("PATCH", "/v1/principals/kim", json={"role": "auditor"})
    assert kim.post("/v1/tiers", {"name": "two"}, status=403)
    lead.send("PATCH", "/v1/principals/kim", json={"disabled": True})
    assert kim.get("/v1/firm", status=401)


def test_a_change_that_changes_nothing_is_refused(lead: Caller) -> None:
    lead.post("/v1/principals", {"name": "kim", "role": "administrator"})
    for change in ({}, {"role": "administrator"}, {"disabled": False}, {"subject_id": None}):
        refused = problem_of(lead.send("PATCH", "/v1/principals/kim", json=change))
        assert (refused["status"], refused["type"].rpartition("/")[2]) == (422, "nothing-to-change")
    for change in ({"subject_id": "zzz"}, {"subject_id": "zzz", "may_approve": True}):
        refused = problem_of(lead.send("PATCH", "/v1/principals/kim", json=change))
        assert (refused["status"], refused["errors"][0]["pointer"]) == (422, "/subject_id")
    assert lead.get("/v1/principals/kim")["may_approve"] is False


@pytest.mark.parametrize("code", ["12345", "1234567", "12345a", "１２３４５６", 123456, "", None])
def test_a_code_is_six_digits(lead: Caller, code: object) -> None:
    assert lead.post("/v1/step-ups", {"code": code}, status=422)


def test_the_allowance_is_told_and_its_end_is_429(closed_url: str) -> None:
    settings = Settings(database_url=closed_url, requests_per_minute=3, strangers_per_minute=2)  # type: ignore[arg-type]
    with time_machine.travel(lovelace.AFTER, tick=False):
        app = create_app(settings)
        with app.app_context():
            from firm.access.tokens import issue_token

            secret = issue_token(name="bot", role=Role.AUDITOR, by=lovelace.LEAD, now=lovelace.BEFORE).secret
        bot = bearing(app, secret)
        answers = [bot.send("GET", "/v1/firm") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[0].headers["RateLimit-Policy"] == '"requests";q=3;w=60'
        assert [answer.headers["RateLimit"].split(";")[1] for answer in answers[:3]] == ["r=2", "r=1", "r=0"]
        assert problem_of(answers[3])["type"].endswith("/too-many")
        assert 1 <= int(answers[3].headers["Retry-After"]) <= 60
        strangers = [bearing(app, "chm_x").send("GET", "/v1/firm").status_code for _ in range(4)]
        assert strangers == [401, 401, 429, 429]


def test_a_wrong_code_is_on_record_also_under_a_key(closed: Flask, lead: Caller) -> None:
    for key in ("one", "two"):
        refused = lead.send("POST", "/v1/step-ups", json={"code": "000000"}, headers={"Idempotency-Key": key})
        assert problem_of(refused)["type"].endswith("/wrong-code")
    with closed.app_context(), reading() as session:
        codes = text("SELECT COUNT(*) FROM audit_record WHERE verb = 'principal.wrong-code'")
        assert session.scalar(codes) == 2


def test_who_only_reads_cannot_be_let_approve(lead: Caller) -> None:
    wrong = {"name": "kim", "role": "auditor", "may_approve": True}
    assert lead.post("/v1/principals", wrong, status=422)["errors"][0]["pointer"] == "/may_approve"
    lead.post("/v1/principals", wrong | {"role": "administrator"})
    changed = lead.send("PATCH", "/v1/principals/kim", json={"role": "auditor"}).get_json()
    assert (changed["role"], changed["may_approve"]) == ("auditor", False)
