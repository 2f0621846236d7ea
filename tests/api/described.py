"""Holding each answer of a test against the description: status, type of content, fields and problem types."""

from __future__ import annotations

from typing import Any

import jsonschema
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from api.description.document import described_path


def assert_described(app: Flask, method: str, path: str, answer: TestResponse) -> None:
    """Fails when the API answers what its description does not say. What no route answers is not described."""
    document = _document(app)
    operation = _operation(app, document, method, path)
    if operation is None:
        return
    where = f"{method} {path} answered {answer.status_code}, which the description does not know"
    described = operation["responses"].get(str(answer.status_code))
    assert described is not None, where
    described = _resolved(described, document)
    kind = (answer.content_type or "").partition(";")[0]
    if not answer.get_data():
        return
    assert kind in described.get("content", {}), f"{where} as {kind}"
    if "json" in kind:
        faults = [
            error.message
            for error in _validator(document, described["content"][kind]["schema"]).iter_errors(answer.json)
        ]
        assert faults == [], (where, faults)
    if kind == "application/problem+json":
        assert answer.json["type"] in _types(document), answer.json["type"]


def _operation(app: Flask, document: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    try:
        rule, _ = app.url_map.bind("localhost").match(path.partition("?")[0], method=method, return_rule=True)
    except (HTTPException, UnicodeError):
        return None
    found: dict[str, Any] | None = document["paths"].get(described_path(rule.rule), {}).get(method.lower())
    return found


def _resolved(part: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    name = part.get("$ref", "").rpartition("/")[2]
    return document["components"]["responses"][name] if name else part


_kept: dict[str, Any] = {}
"""The document, which is the same for every application, and a validator for each of its schemas."""


def _document(app: Flask) -> dict[str, Any]:
    if "" not in _kept:
        _kept[""] = app.extensions["openapi"]()
    found: dict[str, Any] = _kept[""]
    return found


def _validator(document: dict[str, Any], schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """Finding references anew for each answer would take longer than the answer."""
    name = str(schema)
    if name not in _kept:
        known = {**schema, "components": _closed(document["components"])}
        _kept[name] = jsonschema.Draft202012Validator(known)
    found: jsonschema.Draft202012Validator = _kept[name]
    return found


def _closed(part: Any) -> Any:
    """Schemas that take no field they do not name: callers must put up with new ones, and we must describe them."""
    if isinstance(part, list):
        return [_closed(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    shut = {"additionalProperties": False} if isinstance(part.get("properties"), dict) else {}
    return shut | {name: _closed(inner) for name, inner in part.items()}


def _types(document: dict[str, Any]) -> set[str]:
    return {one["type"] for one in document["x-problem-types"]}
