"""Problems that a program can act on: a type for each situation, and the place in the request that is to blame."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.routing import Rule

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


ENGAGEMENT: dict[str, Any] = {
    "client": "Acme",
    "tier": "gold",
    "fee": money("100.00"),
    "cycle": "monthly",
    "starts_on": "2026-11-01",
    "interests": [{"package": "ssh", "may_stop": False, "months_to_replace": 24}],
}
TERMS: dict[str, Any] = {"maintainer": "Ada", "from_month": "2027-01", "guarantee": money("1.00")}
LETTER: dict[str, Any] = {
    "company": "Acme",
    "amount": money("100.00"),
    "term_months": 12,
    "signed_on": "2026-11-01",
    "expires_on": "2027-11-01",
}
PLAN: dict[str, Any] = {"from_month": "2027-01", "overhead_bp": 1000, "reserves": {}, "weights": {"ssh": 1}}
RATE = {"rate": "1.0850", "source": "ECB"}


@pytest.mark.parametrize(
    ("address", "body", "kind", "pointer"),
    [
        ("engagements", ENGAGEMENT | {"fee": money("0.00")}, "invalid-engagement", "/fee"),
        ("engagements", ENGAGEMENT | {"ends_on": "2026-11-01"}, "invalid-engagement", "/ends_on"),
        (
            "engagements",
            ENGAGEMENT | {"interests": ENGAGEMENT["interests"] * 2},
            "interest-twice",
            "/interests/1/package",
        ),
        ("pay-terms", TERMS | {"cap": money("1.00", "EUR")}, "invalid-terms", "/cap"),
        ("pay-terms", TERMS | {"fixed_fees": {"ssh": money("0.00")}}, "invalid-terms", "/fixed_fees"),
        ("maintainers/Ada/on-ramp/letters", LETTER | {"expires_on": "2026-10-01"}, "invalid-letter", "/expires_on"),
        ("maintainers/Ada/on-ramp/letters", LETTER | {"amount": money("0.00")}, "invalid-letter", "/amount"),
        ("allocation-plans", PLAN | {"weights": {"ssh": 0}}, "invalid-plan", "/weights"),
    ],
)
def test_a_rule_of_the_business_names_the_field(
    lead: Caller, address: str, body: dict[str, Any], kind: str, pointer: str
) -> None:
    problem = lead.post(f"/v1/{address}", body, status=422)
    assert (kind_of(problem), places_of(problem)) == (kind, [{"pointer": pointer}])


@pytest.mark.parametrize(
    ("currency", "rate", "kind", "where"),
    [
        ("USD", "1.0850", "rate-not-needed", {"parameter": "currency"}),
        ("ABC", "1.0850", "invalid-money", {"parameter": "currency"}),
        ("EUR", "0", "invalid-rate", {"pointer": "/rate"}),
    ],
)
def test_a_rule_names_the_part_of_the_address(
    lead: Caller, currency: str, rate: str, kind: str, where: dict[str, str]
) -> None:
    answer = lead.send("PUT", f"/v1/months/2026-11/exchange-rates/{currency}", json=RATE | {"rate": rate})
    problem = answer.get_json()
    assert (answer.status_code, kind_of(problem), places_of(problem)) == (422, kind, [where])


def test_ends_are_told_apart(lead: Caller) -> None:
    """Three reasons why an engagement is not ended on a day, each of which a program would deal with differently."""
    draft = lead.post("/v1/engagements", ENGAGEMENT)["id"]
    ending = f"/v1/engagements/{draft}/ending"
    assert kind_of(lead.post(ending, {"on": "2026-12-01"}, status=409)) == "engagement-not-signed"
    lead.post(f"/v1/engagements/{draft}/signature")
    assert kind_of(lead.post(ending, {"on": "2026-11-01"}, status=409)) == "end-too-early"
    lead.post(ending, {"on": "2026-12-01"})
    assert kind_of(lead.post(ending, {"on": "2027-12-01"}, status=409)) == "ends-already"


SAID_AT_THE_SHELL = {"color", "document", "hours", "time_zone", "vat_id"}
"""Fields of what no request says yet."""


def test_the_business_calls_fields_by_the_names_that_callers_use(closed: Flask) -> None:
    assert fields_blamed() - fields_taken(closed) <= SAID_AT_THE_SHELL


def fields_blamed() -> set[str]:
    """Every `field="..."` of the code; where the fault is nowhere in particular, it is empty."""
    return {
        str(keyword.value.value)
        for layer in ("firm", "staffing", "payouts", "api")
        for path in (ROOT / layer).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "field" and isinstance(keyword.value, ast.Constant) and keyword.value.value
    }


def fields_taken(app: Flask) -> set[str]:
    """The names in all bodies and queries, with those one level below, and in all paths."""
    found = {name for rule in app.url_map.iter_rules() for name in rule.arguments}
    for endpoint in app.view_functions:
        with app.test_request_context():
            request.url_rule = Rule("/", endpoint=endpoint)
            schemas = [places.schema_of("json"), places.schema_of("query")]
        for schema in schemas:
            fields = {} if schema is None else (schema() if isinstance(schema, type) else schema).load_fields
            found |= set(fields)
            inner = [getattr(getattr(field, "inner", field), "schema", None) for field in fields.values()]
            found |= {name for one in inner if one is not None for name in one.load_fields}
    return found


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


def test_who_may_know_is_told_what_is_not_there(closed: Flask, lead: Caller) -> None:
    """A client or a maintainer is told of all that is not theirs in the same words, whether it is there or not."""
    grace = as_role(closed, Role.MAINTAINER, name="grace", subject=lead.get("/v1/maintainers/Grace")["id"])
    given = {"month": "2026-10", "form": "pdf", "rail": "sepa"}
    for rule in closed.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or not rule.arguments - set(given) or not rule.rule.startswith("/v1"):
            continue
        address = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", lambda found: given.get(found[1], "nothing"), rule.rule)
        problem = lead.get(address, status=404)
        assert kind_of(problem) != "not-found", address
        assert "nothing" in problem["detail"] or "kind of file" in problem["detail"], (address, problem["detail"])
        hidden = problem_of(grace.send("GET", address))
        assert hidden["status"] == 403 or (kind_of(hidden), hidden["detail"]) == (
            "not-found",
            "There is no such thing.",
        ), address


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
