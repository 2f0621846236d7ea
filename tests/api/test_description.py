"""The API's own description, and the page that shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.api.callers import anonymous, problem_of

CHECKED_IN = Path(__file__).parents[2] / "docs" / "openapi.json"
METHODS = {"get", "post", "put", "patch", "delete", "head", "options"}


@pytest.fixture
def document(sqlite_served: Flask) -> dict[str, Any]:
    found: dict[str, Any] = anonymous(sqlite_served).get("/openapi.json")
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_the_description_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_the_description_is_the_one_checked_in(document: dict[str, Any]) -> None:
    assert json.loads(CHECKED_IN.read_text(encoding="utf-8")) == document


def test_asking_twice_changes_nothing_in_the_description(sqlite_served: Flask, document: dict[str, Any]) -> None:
    assert anonymous(sqlite_served).get("/openapi.json") == document


def test_every_operation_has_a_summary_and_an_id_of_its_own(document: dict[str, Any]) -> None:
    found = operations(document)
    assert len(found) > 50
    assert [path for path, _, operation in found if not operation.get("summary", "").strip()] == []
    ids = [operation["operationId"] for _, _, operation in found]
    assert sorted(ids) == sorted(set(ids))


def test_the_description_names_every_route_and_no_other(sqlite_served: Flask, document: dict[str, Any]) -> None:
    routes = {
        (re.sub(r"<(?:[^:<>]+(?:\([^)]*\))?:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in sqlite_served.url_map.iter_rules()
        for method in rule.methods or ()
        if rule.rule.startswith("/v1/") and method not in ("HEAD", "OPTIONS")
    }
    assert {(path, method) for path, method, _ in operations(document)} == routes


def test_every_operation_says_what_it_refuses(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        assert {"401", "403"} <= set(operation["responses"]), (method, path)
        if "requestBody" in operation:
            assert {"400", "413", "415", "422"} <= set(operation["responses"]), (method, path)


def test_the_page_refers_to_nothing_outside(sqlite_served: Flask) -> None:
    caller = anonymous(sqlite_served)
    page = caller.get("/docs").decode()
    start = caller.get("/docs/start.js").decode()
    assert "//" not in page.replace("<!doctype html>", "")
    assert "http" not in start
    references = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(references) == 3
    for reference in references:
        answer = caller.send("GET", reference)
        assert answer.status_code == 200, reference
        assert answer.get_data()
        assert answer.content_type.startswith("text/")
        answer.close()


@pytest.mark.parametrize("name", ["nothing.css", "../__init__.py", "%2e%2e/__init__.py", "..%2f__init__.py", "%00"])
def test_only_the_assets_are_served(sqlite_served: Flask, name: str) -> None:
    answer = anonymous(sqlite_served).send("GET", f"/docs/assets/{name}")
    assert answer.status_code in (401, 404), answer.get_data(as_text=True)
    problem_of(answer)
