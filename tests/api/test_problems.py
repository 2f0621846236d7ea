"""Problems that a program can act on: a type for each situation, and the place in the request that is to blame."""

from __future__ import annotations

import inspect
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api import http_worker, places
from api.description.problems import page, problem_types
from api.errors import TYPE, status_of_kind
from firm.actor import Role
from firm.errors import ChambersError
from tests.api.callers import Caller, as_role, money, problem_of
from tests.api.test_preconditions import CONTACT, plain

ROOT = Path(__file__).parents[2]


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


def test_the_page_of_problems_is_the_one_checked_in() -> None:
    assert (ROOT / "docs" / "problems.md").read_text(encoding="utf-8") == page()


def listed() -> dict[str, object]:
    return {str(one["type"]).removeprefix(TYPE): one["status"] for one in problem_types()}


def test_the_server_and_the_proxy_say_the_same_words() -> None:
    proxy = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    slugs = re.search(r"map \$refusal \$slug \{(.*?)\}", proxy, re.DOTALL)
    assert slugs is not None
    said = dict(re.findall(r"(\d+|default) ([a-z-]+);", slugs[1]))
    assert {slug: status for status, slug in said.items() if status != "default"}.items() <= {
        slug: str(status) for slug, status in listed().items()
    }.items()
    assert said["default"] in listed()
    for status, reason, detail in [http_worker.OURS, *(refusal[1:] for refusal in http_worker.REFUSALS)]:
        body = http_worker.problem_bytes(status, reason, detail, "req_1").partition(b"\r\n\r\n")[2]
        assert listed()[kind_of(json.loads(body))] == status


def test_a_type_means_one_thing_wherever_it_is_raised() -> None:
    meanings = defaultdict(set)
    for kind in kinds():
        if kind.__module__.partition(".")[0] in ("firm", "staffing", "payouts") and kind.slug() != "not-found":
            meanings[kind.slug()].add((status_of_kind(kind), inspect.getdoc(kind)))
    assert {slug for slug, found in meanings.items() if len(found) > 1} == set()


def kinds() -> Iterator[type[ChambersError]]:
    problem_types()
    waiting = ChambersError.__subclasses__()
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        yield kind


def test_nothing_is_called_by_its_kind_alone() -> None:
    assert {"refused", "invalid", "chambers-error"} & set(listed()) == set()
