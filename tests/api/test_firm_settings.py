"""The firm's settings over HTTP: the lead's, with presence, seen before they are changed, all at once or none."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from firm.actor import Role
from firm.audit import sequencer
from firm.db import reading
from firm.profile import operations as profiles
from firm.profile.changes import SEALED
from tests import lovelace
from tests.api.callers import Caller, as_role, bearing, money, problem_of
from tests.databases import SECRET_KEYS

IBAN = "GB33BUKB20201555555555"
SETTINGS = {
    "name": "Lovelace and Daughters",
    "address": ["12 St James's Square", "London SW1Y 4JH"],
    "email": "books@lovelace.example",
    "color": "#5f1f3a",
    "sole_approval": True,
    "cooling_off_hours": 24,
    "adjustment_limit": money("250.00"),
    "tax_forms": "withhold",
    "vat_id": "GB980780684",
    "self_billing_months": 24,
}


@pytest.fixture
def lead(served: Flask) -> Caller:
    with served.app_context():
        lovelace.establish()
    return as_role(served, Role.LEAD)


def patch(caller: Caller, body: object, status: int = 200) -> Any:
    answer = caller.send("PATCH", "/v1/firm", json=body)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


def verbs(app: Flask) -> list[str]:
    with app.app_context(), reading() as session:
        query = text("SELECT verb FROM audit_record WHERE subject = 'firm' ORDER BY id")
        return list(session.scalars(query))


def test_the_lead_sets_what_the_shell_sets_and_each_leaves_its_record(lead: Caller) -> None:
    before = lead.get("/v1/firm")
    after = patch(lead, SETTINGS)
    assert after == before | SETTINGS == lead.get("/v1/firm")
    assert verbs(lead.app) == [
        "firm.established",
        "firm.letterhead",
        "firm.sole-approval",
        "firm.cooling-off",
        "firm.adjustment-limit",
        "firm.tax-forms",
        "firm.vat-id",
        "firm.self-billing-months",
    ]
    for body in (SETTINGS, {}):
        assert patch(lead, body, status=422)["type"].endswith("/nothing-to-change")
    assert len(verbs(lead.app)) == 8
    assert patch(lead, SETTINGS | {"tax_forms": "on", "sole_approval": False})["tax_forms"] == "on"
    assert verbs(lead.app)[8:] == ["firm.sole-approval", "firm.tax-forms"]
    assert lead.get("/v1/firm")["cooling_off_hours"] == 24


def test_it_takes_presence_and_the_version_that_was_seen(lead: Caller) -> None:
    client, seen = lead.app.test_client(), lead.send("GET", "/v1/firm").headers["ETag"]
    body = {"cooling_off_hours": 1}
    absent = client.patch("/v1/firm", json=body, headers={**lead.headers, "If-Match": seen})
    assert (absent.status_code, problem_of(absent)["type"].rpartition("/")[2]) == (403, "presence-needed")
    patch(lead, body)
    unseen = client.patch("/v1/firm", json=body, headers=dict(lead.headers))
    stale = client.patch("/v1/firm", json=body, headers={**lead.headers, "If-Match": seen})
    assert (unseen.status_code, stale.status_code) == (428, 412)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "Love\u200blace"}, "name"),
        ({"address": ["London\u202e"]}, "address"),
        ({"address": "London"}, "address"),
        ({"email": "nomail"}, "email"),
        ({"color": "red"}, "color"),
        ({"vat_id": "GB1"}, "vat_id"),
        ({"cooling_off_hours": 721}, "cooling_off_hours"),
        ({"cooling_off_hours": "24"}, "cooling_off_hours"),
        ({"adjustment_limit": money("1.00", "EUR")}, "adjustment_limit"),
        ({"adjustment_limit": money("-1.00")}, "adjustment_limit"),
        ({"tax_forms": True}, "tax_forms"),
        ({"self_billing_months": 61}, "self_billing_months"),
        ({"iban": "GB33BUKB20201555555556"}, "iban"),
        ({"bic": "NWBKGB2L"}, "bic"),
        ({"iban": IBAN, "bic": "DEUTDEFF"}, "bic"),
        ({"currency": "EUR"}, "currency"),
    ],
)
def test_one_wrong_value_changes_nothing(lead: Caller, wrong: dict[str, object], field: str) -> None:
    before, records = lead.get("/v1/firm"), verbs(lead.app)
    problem = patch(lead, {"sole_approval": True} | wrong, 422)
    assert problem["errors"][0]["pointer"] == f"/{field}"
    assert (lead.get("/v1/firm"), verbs(lead.app)) == (before, records)


def test_of_the_bank_account_the_end_alone_is_ever_shown(lead: Caller, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        after = lead.send("PATCH", "/v1/firm", json={"iban": "GB33 BUKB 2020 1555 5555 55", "bic": "NWBKGB2L"})
    assert (after.get_json()["iban_last4"], after.get_json()["bic"]) == ("5555", "NWBKGB2L")
    with lead.app.app_context():
        sequencer.run(now=lovelace.AFTER)
        with reading() as session:
            sealed = profiles.current(session).iban_sealed
            facts = session.scalars(text("SELECT facts FROM audit_record")).all()
            kept = session.scalar(text("SELECT COUNT(*) FROM keyed_answer WHERE route = '/v1/firm'"))
    assert sealed
    assert SECRET_KEYS.open(sealed, place=SEALED.place) == IBAN
    told = [after.get_data(as_text=True), caplog.text, *facts, str(lead.get("/v1/audit-records"))]
    assert not [one for one in told if "20201555" in one or "2020 1555" in one]
    assert kept == 0
    refused = patch(lead, {"iban": "GB33BUKB20201555555556"}, 422)
    assert "BUKB" not in str(refused)


def test_those_outside_are_not_shown_the_settings_and_nobody_else_changes_them(closed: Flask) -> None:
    inside = as_role(closed, Role.ACCOUNTANT).get("/v1/firm")
    assert {*SETTINGS, "iban_last4", "bic"} <= set(inside)
    with closed.app_context(), reading() as session:
        subject = session.scalar(text("SELECT id FROM client WHERE name = 'Acme'"))
    acme = as_role(closed, Role.CLIENT, subject=subject)
    assert set(acme.get("/v1/firm")) == {"name", "address", "email", "color", "currency", "time_zone"}
    for role in (Role.ADMINISTRATOR, Role.APPROVER, Role.ACCOUNTANT, Role.AUDITOR):
        patch(as_role(closed, role, name=f"another {role}"), {"sole_approval": True}, 403)
    made = as_role(closed, Role.LEAD).post("/v1/principals/lead/tokens", {"scopes": ["read", "write:tiers"]})
    patch(bearing(closed, made["secret"]), {"sole_approval": True}, 403)
