"""Problems that a program can act on: a type for each situation, and the place in the request that is to blame."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from api import places
from firm.actor import Role
from tests.api.callers import Caller, as_role, money, problem_of
from tests.api.test_preconditions import CONTACT, plain


@pytest.fixture
def lead(closed: Flask) -> Caller:
    return as_role(closed, Role.LEAD)


def kind_of(problem: dict[str, Any]) -> str:
    return str(problem["type"].rpartition("/")[2])


def places_of(problem: dict[str, Any]) -> list[dict[str, str]]:
    return [{name: text for name, text in place.items() if name != "detail"} for place in problem["errors"]]


@pytest.mark.parametrize(
    ("address", "parameter"),
    [
        ("/v1/clients?limit=0", "limit"),
        ("/v1/clients?limit=1&limit=2", "limit"),
        ("/v1/clients?colour=red", "colour"),
        ("/v1/firm?x=1", "x"),
        ("/v1/months/2026-13", "month"),
    ],
)
def test_a_wrong_parameter_is_named_and_no_body_is_blamed(lead: Caller, address: str, parameter: str) -> None:
    problem = lead.get(address, status=422)
    assert (kind_of(problem), places_of(problem)) == ("invalid-parameter", [{"parameter": parameter}])
    assert problem["detail"] == f"{parameter}: {problem['errors'][0]['detail']}"


def test_a_cursor_is_a_parameter_with_a_type_of_its_own(lead: Caller) -> None:
    problem = lead.get("/v1/clients?cursor=never", status=422)
    assert (kind_of(problem), places_of(problem)) == ("invalid-cursor", [{"parameter": "cursor"}])


def test_a_parameter_is_wrong_also_where_a_body_is_taken(lead: Caller) -> None:
    answer = lead.send("POST", "/v1/clients?dry=1", json={"name": "Hooli", "country": "US"})
    assert (kind_of(problem_of(answer)), places_of(answer.get_json())) == ("invalid-parameter", [{"parameter": "dry"}])


def test_a_body_s_places_are_pointers(lead: Caller) -> None:
    body = {"name": "Hooli", "country": "us", "query": {"limit": 1}}
    problem = lead.post("/v1/clients", body, status=422)
    assert (kind_of(problem), places_of(problem)) == ("invalid-body", [{"pointer": "/country"}, {"pointer": "/query"}])


def test_what_the_business_says_of_a_body_s_field_points_into_the_body(lead: Caller) -> None:
    problem = lead.post("/v1/receipts", receipt("0.00"), status=422)
    assert places_of(problem) == [{"pointer": "/amount"}]
    problem = lead.post("/v1/receipts", receipt("1.00", "EUR"), status=422)
    assert (kind_of(problem), places_of(problem)) == ("currency-mismatch", [{"pointer": "/amount"}])


def receipt(amount: str, currency: str = "USD") -> dict[str, Any]:
    return {
        "invoice": "INV-2026-0001",
        "amount": money(amount, currency),
        "received_on": "2026-11-01",
        "reference": "bank-1",
    }


def test_a_missing_header_is_named(lead: Caller) -> None:
    unkeyed = plain(lead, "POST", "/v1/receipts", receipt("1.00"), **{"Idempotency-Key": ""})
    assert places_of(problem_of(unkeyed)) == [{"header": "Idempotency-Key"}]
    unseen = plain(lead, "POST", "/v1/clients/Acme/contacts", CONTACT)
    assert places_of(problem_of(unseen)) == [{"header": "If-Match"}]


@pytest.mark.parametrize(
    ("method", "address", "field", "named"),
    [
        ("POST", "/v1/receipts", "amount", {"pointer": "/amount"}),
        ("POST", "/v1/engagements", "interests/0/package", {"pointer": "/interests/0/package"}),
        ("GET", "/v1/statements", "month", {"parameter": "month"}),
        ("POST", "/v1/months/2026-11/close", "month", {"parameter": "month"}),
        ("GET", "/v1/statements", "amount", None),
        ("POST", "/v1/bank-files", "amount", None),
    ],
)
def test_the_route_decides_where_a_field_of_the_business_is(
    closed: Flask, method: str, address: str, field: str, named: dict[str, str] | None
) -> None:
    closed.test_client().get("/openapi.json")
    with closed.test_request_context(address, method=method):
        assert places.of_field(field, "No.") == (named and named | {"detail": "No."})


def test_the_description_knows_the_three_places(closed: Flask) -> None:
    shape = closed.test_client().get("/openapi.json").get_json()["components"]["schemas"]["Place"]
    assert {"pointer", "parameter", "header"} <= set(shape["properties"])
    assert shape["oneOf"] == [{"required": ["pointer"]}, {"required": ["parameter"]}, {"required": ["header"]}]
