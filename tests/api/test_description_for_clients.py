"""What a generated client needs of the description: names, examples, enumerations, headers, and every status."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jsonschema
import pytest
from flask import Flask

from api.app import create_app
from api.description.names import ACTIONS, operation_id
from api.description.problems import problem_types
from api.permissions.roles import EVERYBODY
from tests.api.callers import anonymous
from tests.api.test_description import CHECKED_IN, operations
from tests.databases import settings_for

VERBS = {
    *ACTIONS.values(),
    *("get", "list", "add", "set", "change", "enroll", "issue", "prove", "register", "draft", "adopt", "assign"),
    *("enter", "record", "render", "download", "replace", "remove", "replay", "import", "export", "validate", "start"),
    "resolve",
}
CODES = {"state", "kind", "role", "cycle", "grade", "works_as", "stage"}


@pytest.fixture
def document(sqlite_served: Flask) -> dict[str, Any]:
    found: dict[str, Any] = anonymous(sqlite_served).get("/openapi.json")
    return found


def bodies(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each body that is described, with where it is."""
    for path, method, operation in operations(document):
        for body in operation.get("requestBody", {}).get("content", {}).values():
            # A file is no text that could be shown here.
            if body["schema"].get("format") != "binary":
                yield f"{method} {path}", body
        for status, answer in operation["responses"].items():
            for kind, body in resolved(answer, document).get("content", {}).items():
                if "json" in kind:
                    yield f"{method} {path} {status}", body


def resolved(part: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    found: Any = document
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def faults(body: dict[str, Any], value: object, document: dict[str, Any]) -> list[str]:
    schema = {**body["schema"], "components": document["components"]}
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(value)]


def test_every_body_has_an_example_that_fits_it(document: dict[str, Any]) -> None:
    found = list(bodies(document))
    assert [place for place, body in found if "example" not in body] == []
    wrong = {place: faults(body, body["example"], document) for place, body in found}
    assert {place: messages for place, messages in wrong.items() if messages} == {}


def test_examples_of_requests_say_what_is_required(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        for body in operation.get("requestBody", {}).get("content", {}).values():
            schema = resolved(body["schema"], document)
            if schema.get("format") == "binary":
                continue
            assert set(schema.get("required", ())) <= set(body["example"]), path
            assert "…" not in body["example"].values(), path


def test_names_of_operations_are_a_verb_and_a_noun(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        verb = re.match("[a-z]+", operation["operationId"])
        assert verb is not None, (method, path)
        assert verb[0] in VERBS, operation["operationId"]
        assert re.fullmatch("[a-z]+([A-Z][a-z]+)+", operation["operationId"]), operation["operationId"]


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("get", "/v1/webhook-endpoints", "listWebhookEndpoints"),
        ("get", "/v1/webhook-endpoints/{key}", "getWebhookEndpoint"),
        ("post", "/v1/webhook-endpoints", "addWebhookEndpoint"),
        ("delete", "/v1/webhook-endpoints/{key}", "removeWebhookEndpoint"),
        ("patch", "/v1/webhook-endpoints/{key}", "changeWebhookEndpoint"),
        ("put", "/v1/clients/{key}/logo", "replaceClientLogo"),
        ("post", "/v1/clients/{key}/logo", "setClientLogo"),
        ("get", "/v1/clients/{key}/entries", "listClientEntries"),
        ("post", "/v1/months/{month}/close", "closeMonth"),
        ("get", "/v1/months/{month}/preview", "previewMonth"),
        ("get", "/v1/trial-balance", "getTrialBalance"),
    ],
)
def test_a_route_without_a_word_of_its_own_is_named_by_rule(method: str, path: str, name: str) -> None:
    assert operation_id("new.route", method, path) == name


def test_fields_have_types_and_codes_are_enumerations(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for field, shape in schema.get("properties", {}).items():
            assert {"type", "$ref", "anyOf", "allOf", "enum"} & set(shape), (name, field)
            if field in CODES:
                assert "enum" in shape, (name, field)


def test_what_the_api_writes_has_all_its_fields(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in ("Client", "Engagement", "Invoice", "WholeRun", "Closing", "StatementPage"):
        assert set(schemas[name]["required"]) == set(schemas[name]["properties"]), name


def test_every_parameter_says_what_it_is(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for operation in item.values():
            parameters = operation if isinstance(operation, list) else operation.get("parameters", [])
            for parameter in parameters:
                assert parameter.get("description", "").endswith("."), (path, parameter)


def test_statuses_are_named_one_by_one_with_their_headers(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        assert "default" not in operation["responses"], path
        for status, answer in operation["responses"].items():
            headers = resolved(answer, document)["headers"]
            assert {"X-Request-Id", "RateLimit"} <= set(headers), (method, path, status)
            assert "Retry-After" in headers or status not in ("409", "429", "503"), (method, path, status)
            if method == "get" and "application/json" in answer.get("content", {}):
                assert "ETag" in headers, path


def test_what_needs_a_key_or_a_version_says_so(document: dict[str, Any]) -> None:
    by_name = {operation["operationId"]: operation for _, _, operation in operations(document)}
    required = {one["name"] for one in by_name["approvePayoutRun"]["parameters"] if one.get("required")}
    assert required == {"Idempotency-Key", "If-Match"}
    assert {"409", "412", "422", "428"} <= set(by_name["approvePayoutRun"]["responses"])


def test_every_operation_names_the_roles_of_the_policy(sqlite_served: Flask, document: dict[str, Any]) -> None:
    assert document["security"] == [{"bearer": []}]
    for path, _, operation in operations(document):
        assert operation["x-roles"], path
        assert set(operation["x-roles"]) <= {str(role) for role in EVERYBODY}


def test_tags_are_described_and_used(document: dict[str, Any]) -> None:
    described = {tag["name"] for tag in document["tags"] if tag["description"].strip()}
    assert {tag for _, _, operation in operations(document) for tag in operation["tags"]} == described


def test_types_of_problems_are_listed_once_each_with_status_and_sentence(document: dict[str, Any]) -> None:
    listed = document["x-problem-types"]
    assert listed == problem_types()
    names = [one["type"] for one in listed]
    assert sorted(names) == sorted(set(names))
    assert [one for one in listed if not 400 <= one["status"] <= 505 or not one["description"].endswith(".")] == []
    named = {one["type"].rpartition("/")[2]: one["status"] for one in listed}
    assert (named["month-not-over"], named["key-used-for-other-content"], named["forbidden"]) == (409, 422, 403)


def test_examples_of_problems_are_of_listed_types(document: dict[str, Any]) -> None:
    listed = {one["type"]: one["status"] for one in document["x-problem-types"]}
    for name, answer in document["components"]["responses"].items():
        for body in answer.get("content", {}).values():
            assert listed[body["example"]["type"]] == body["example"]["status"], name


def test_those_who_ask_first_at_the_same_time_get_the_same_description(sqlite_url: str) -> None:
    app = create_app(settings_for(sqlite_url))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: anonymous(app).send("GET", "/openapi.json").get_data(), range(8)))
    assert len(set(found)) == 1
    assert json.loads(found[0]) == json.loads(CHECKED_IN.read_text(encoding="utf-8"))


def test_every_operation_names_the_scope_it_takes(document: dict[str, Any]) -> None:
    scopes = {
        (method, path): operation.get("x-scope")
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }
    assert scopes["post", "/v1/webhook-endpoints"] == "write:webhook-endpoints"
    assert scopes["get", "/v1/payout-runs/{key}"] == "read:payout-runs"
    assert {path for (_, path), scope in scopes.items() if scope is None} == {"/v1/me", "/v1/step-ups"}


def test_patterns_are_those_of_json_schema(document: dict[str, Any]) -> None:
    assert not re.search(r'"pattern": "[^"]*\\\\[AZz]', json.dumps(document))
