"""Location and ETag of a 201: whoever made a thing goes on with it at once, also when the answer was lost."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from api import creations
from api.description.document import described_path
from api.permissions.routes import POLICY
from api.preconditions import CHANGES
from firm.actor import Role
from tests.api.callers import Caller, anonymous, as_role, money


@pytest.fixture
def office(closed: Flask) -> Caller:
    return as_role(closed, Role.ADMINISTRATOR)


def making(app: Flask) -> dict[str, dict[str, Any]]:
    """The description of each answer 201, by its route."""
    paths = anonymous(app).get("/openapi.json")["paths"]
    found = {}
    for rule in app.url_map.iter_rules():
        for method in ("post", "put"):
            operation = paths.get(described_path(rule.rule), {}).get(method, {})
            if method.upper() in (rule.methods or ()) and "201" in operation.get("responses", {}):
                found[rule.endpoint] = operation["responses"]["201"]
    return found


def test_every_201_points_at_what_it_made_or_says_why_not(closed: Flask) -> None:
    made = making(closed)
    assert set(made) - set(CHANGES) - set(creations.SHOWS) == set(creations.NOTHING_TO_SHOW)
    assert set(creations.SHOWS) <= set(made)
    assert not set(creations.BY_ID) & set(creations.AT_ITS_ADDRESS)
    for endpoint, answer in made.items():
        assert ({"Location", "ETag"} <= set(answer["headers"])) == (endpoint not in creations.NOTHING_TO_SHOW)


def test_what_shows_a_thing_has_the_place_for_it_and_lets_its_maker_in(closed: Flask) -> None:
    rules = {rule.endpoint: rule for rule in closed.url_map.iter_rules()}
    for maker, shown in creations.SHOWS.items():
        assert "GET" in (rules[shown].methods or ())
        assert POLICY[maker] <= POLICY[shown], maker
        if maker in creations.BY_ID:
            assert len(rules[shown].arguments) == 1, maker
        else:
            assert rules[shown].arguments == rules[maker].arguments, maker


def test_a_receipt_is_not_read_again_for_its_version(office: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(creations, "as_shown")
    invoice = office.get("/v1/invoices")["items"][0]["id"]
    body = {"invoice": invoice, "amount": money("1.00"), "received_on": "2026-11-01", "reference": "b-1"}
    answer = office.send("POST", "/v1/receipts", json=body)
    assert answer.headers["Location"] == f"/v1/receipts/{answer.get_json()['id']}"


def test_a_replay_points_at_the_same_thing_in_the_version_it_had(office: Caller) -> None:
    body, key = {"name": "Initech", "country": "US"}, {"Idempotency-Key": "once"}
    first = office.send("POST", "/v1/clients", json=body, headers=key)
    path = first.headers["Location"]
    office.send("PATCH", path, json={"requires_po": True}, headers={"If-Match": first.headers["ETag"]})
    again = office.send("POST", "/v1/clients", json=body, headers=key)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert (again.headers["Location"], again.headers["ETag"]) == (path, first.headers["ETag"])
    assert office.send("GET", path).headers["ETag"] != first.headers["ETag"]


def test_a_thing_with_a_name_is_found_under_its_id(office: Caller) -> None:
    made = office.send("POST", "/v1/packages", json={"name": "golang.org/x/mod", "ecosystem": "Go"})
    assert made.headers["Location"] == f"/v1/packages/{made.get_json()['id']}"
    seen = {"If-Match": made.headers["ETag"]}
    assert office.send("PATCH", made.headers["Location"], json={"folder": "mod"}, headers=seen).status_code == 200


def test_a_refusal_points_at_nothing(office: Caller) -> None:
    for status, body in ((201, {"name": "Initech", "country": "US"}), (409, {"name": "Acme", "country": "US"})):
        answer = office.send("POST", "/v1/clients", json=body)
        assert (answer.status_code, "Location" in answer.headers) == (status, status == 201)
