"""What a list shows one by one has an address of its own, with an ETag, for those who may read the list."""

from __future__ import annotations

import pytest
from flask import Flask

from firm.actor import Role
from firm.audit import sequencer
from firm.db import reading
from staffing.maintainers import queries as maintainers
from staffing.work import storing
from staffing.work.git import Person
from staffing.work.storing import ImportReport, Item
from tests import lovelace
from tests.api.callers import Caller, as_role, bearing, money
from tests.api.test_no_route_is_open import owner


@pytest.fixture
def lead(closed: Flask) -> Caller:
    return as_role(closed, Role.LEAD)


def as_listed(caller: Caller, path: str, item: dict[str, object]) -> None:
    """The thing at its own address is what its list shows, and 304 to whoever has it."""
    answer = caller.send("GET", path)
    assert answer.get_json() == item
    assert caller.send("GET", path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_a_payout_policy_is_shown_by_its_id(lead: Caller) -> None:
    lead.post("/v1/payout-policies", {"minimum": money("5.00"), "approvals": 1})
    lead.post("/v1/payout-policies", {"minimum": money("9.00"), "approvals": 2})
    for policy in lead.get("/v1/payout-policies")["items"]:
        as_listed(lead, f"/v1/payout-policies/{policy['id']}", policy)
    lead.get("/v1/payout-policies/pol_none", status=404)


def test_an_audit_record_is_shown_by_its_id(closed: Flask, lead: Caller) -> None:
    with closed.app_context():
        sequencer.run(now=lovelace.AFTER)
    for record in lead.get("/v1/audit-records?limit=3")["items"]:
        as_listed(lead, f"/v1/audit-records/{record['id']}", record)
    for missing in ("aud_0000000ZZZZZZZ", "aud_none", "ent_00000000000001"):
        lead.get(f"/v1/audit-records/{missing}", status=404)


def test_a_work_item_is_shown_to_those_who_may_list_it(closed: Flask, lead: Caller) -> None:
    with closed.app_context():
        with reading() as session:
            directory = maintainers.directory(session)
        package = owner(closed, "package", "ssh")
        made = [
            Item(package, "commit", name, f"A change by {name}", person=Person(name, ""), happened_at=lovelace.AFTER)
            for name in ("Grace", "Ada", "Mallory")
        ]
        storing.store(made, directory, ImportReport(), by=lovelace.LEAD, now=lovelace.AFTER)
    items = {item["person"]: item for item in lead.get("/v1/work-items")["items"]}
    for item in items.values():
        as_listed(lead, f"/v1/work-items/{item['id']}", item)
    grace = as_role(closed, Role.MAINTAINER, name="grace", subject=owner(closed, "maintainer", "Grace"))
    as_listed(grace, f"/v1/work-items/{items['Grace']['id']}", items["Grace"])
    hidden = [grace.get(f"/v1/work-items/{items[name]['id']}", status=404) for name in ("Ada", "Mallory")]
    hidden.append(grace.get("/v1/work-items/wrk_none", status=404))
    assert {one["detail"] for one in hidden} == {"There is no such thing."}


def test_everybody_sees_their_own_token_and_the_lead_and_auditors_see_any(closed: Flask, lead: Caller) -> None:
    grace = as_role(closed, Role.MAINTAINER, name="grace", subject=owner(closed, "maintainer", "Grace"))
    listed = {token["name"]: token for token in lead.get("/v1/tokens")["items"]}
    mine = grace.get("/v1/tokens/me")
    assert (mine["id"], mine["name"], mine["role"]) == (listed["grace"]["id"], "grace", "maintainer")
    assert "secret" not in mine
    assert grace.get(f"/v1/tokens/{mine['id']}")["id"] == mine["id"]
    assert as_role(closed, Role.AUDITOR).get(f"/v1/tokens/{mine['id']}")["id"] == mine["id"]
    hidden = [grace.get(f"/v1/tokens/{key}", status=404)["detail"] for key in (listed["lead"]["id"], "tok_none")]
    assert set(hidden) == {"There is no such thing."}
    for role in (Role.ADMINISTRATOR, Role.APPROVER, Role.ACCOUNTANT):
        told = as_role(closed, role).get(f"/v1/tokens/{listed['lead']['id']}", status=404)["detail"]
        assert told == f"There is no token {listed['lead']['id']!r}."


def test_a_token_is_shown_its_successor_and_what_it_was_when_it_is_revoked(closed: Flask, lead: Caller) -> None:
    office = as_role(closed, Role.ADMINISTRATOR)
    first = office.get("/v1/tokens/me")
    second = office.post("/v1/tokens/me/rotation", {"overlap_minutes": 5})
    assert office.get(f"/v1/tokens/{second['id']}")["revoked_at"] is None
    bearing(closed, second["secret"]).post(f"/v1/tokens/{first['id']}/revocation", status=404)
    lead.post(f"/v1/tokens/{first['id']}/revocation", status=204)
    assert lead.get(f"/v1/tokens/{first['id']}")["revoked_at"] is not None


def test_a_narrow_token_sees_itself_and_no_other(closed: Flask, lead: Caller) -> None:
    made = lead.post("/v1/principals/lead/tokens", {"label": "tiers", "scopes": ["read:tiers"]})
    narrow = bearing(closed, made["secret"])
    assert narrow.get("/v1/tokens/me")["scopes"] == ["read:tiers"]
    narrow.get(f"/v1/tokens/{lead.get('/v1/tokens/me')['id']}", status=403)
