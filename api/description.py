"""Finishing the OpenAPI document: ids of operations, headers that stand above all routes, and every status."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask

from api import idempotency, preconditions
from firm.webhooks.catalogue import CATALOGUE, example, schema

IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "The same request sent again under its key is done once and answered as the first time.",
}
IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "schema": {"type": "string"},
    "description": "The ETag of the thing as the caller has seen it; `*` for whatever it is now.",
}


def finished(document: dict[str, Any], app: Flask) -> dict[str, Any]:
    """Every operation gets its id, its headers, and the problems that it may answer."""
    endpoints = {(_path(rule.rule), method.lower()): rule.endpoint for rule, method in _routes(app)}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method == "parameters":
                continue
            endpoint = endpoints[path, method]
            operation.setdefault("operationId", f"{method}{_camel(path)}")
            operation.setdefault("parameters", []).extend(_headers(endpoint, method))
            for status in _statuses(endpoint, method, path, operation):
                operation["responses"].setdefault(status, {"$ref": "#/components/responses/DEFAULT_ERROR"})
    document["webhooks"] = {name: _told(name) for name in CATALOGUE}
    return document


def _told(name: str) -> dict[str, Any]:
    """A message that goes out, as OpenAPI describes it."""
    content = {"application/json": {"schema": schema(name), "example": example(name)}}
    operation = {
        "operationId": "on" + _camel(name.replace(".", "-")),
        "summary": CATALOGUE[name].sentence,
        "requestBody": {"required": True, "content": content},
        "responses": {"2XX": {"description": "The message was taken."}},
        "security": [],
    }
    return {"post": operation}


def _routes(app: Flask) -> Iterator[tuple[Any, str]]:
    for rule in app.url_map.iter_rules():
        for method in rule.methods or ():
            yield rule, method


def _path(rule: str) -> str:
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule)


def _headers(endpoint: str, method: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if method == "post":
        found.append(IDEMPOTENCY_KEY | {"required": endpoint in idempotency.NEEDED})
    if endpoint in preconditions.CHANGES:
        found.append(IF_MATCH)
    return found


def _statuses(endpoint: str, method: str, path: str, operation: dict[str, Any]) -> list[str]:
    found = ["401", "403", "414", "429", "503"]
    if "{" in path:
        found.append("404")
    if method == "post":
        found += ["400", "404", "409", "422"]
    if "requestBody" in operation:
        found += ["400", "404", "409", "413", "415", "422"]
    if endpoint in preconditions.CHANGES:
        found += ["412", "428"]
    if operation["parameters"]:
        found.append("422")
    return found


def _camel(path: str) -> str:
    parts = [part for piece in path.removeprefix("/v1").split("/") for part in piece.strip("{}").split("-") if part]
    return "".join(part[:1].upper() + part[1:] for part in parts)
