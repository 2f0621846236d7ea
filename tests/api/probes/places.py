"""Where input can be put: every operation with its address filled in, its example of a body, and its fields."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.api.described import assert_described
from tests.api.matrix import cells


@dataclass(frozen=True, slots=True)
class Place:
    """An operation of the description, at the address of something that is there."""

    endpoint: str
    method: str
    rule: str
    path: str
    operation: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"

    @property
    def body(self) -> dict[str, Any] | None:
        """The example of its body, if it takes one that is JSON."""
        content = self.operation.get("requestBody", {}).get("content", {})
        return copy.deepcopy(content["application/json"]["example"]) if "application/json" in content else None

    @property
    def schema(self) -> str:
        """The name of its body's schema."""
        return str(self.operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]).rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Prober:
    """Somebody who tries things, with the headers that a well-made client sends."""

    app: Flask
    headers: Mapping[str, str]

    def send(
        self, place: Place, path: str = "", headers: Mapping[str, str] | None = None, **options: Any
    ) -> TestResponse:
        """Ask, and hold the answer against the description. Nothing may ever be our fault."""
        ours = {"If-Match": "*", "Idempotency-Key": uuid.uuid4().hex, **self.headers, **(headers or {})}
        answer = self.app.test_client().open(path or place.path, method=place.method, headers=ours, **options)
        assert answer.status_code < 500, (str(place), options, answer.get_data(as_text=True))
        assert_described(self.app, place.method, path or place.path, answer)
        return answer


def places(app: Flask) -> list[Place]:
    """Every described operation."""
    document = app.extensions["openapi"]()
    with app.app_context():
        things = cells.things()
    found = []
    for endpoint, method, rule, kind in cells.rows(app):
        operation = document["paths"].get(_described(rule), {}).get(method.lower())
        if operation is not None and (kind in ("own", "-") or (kind == "missing" and rule in cells.ONCE)):
            found.append(Place(endpoint, method, rule, cells.address(rule, kind, things), operation))
    return found


def lists(everywhere: list[Place]) -> list[Place]:
    """Those places that are read page by page."""
    found = [
        place for place in everywhere if any(one["name"] == "cursor" for one in place.operation.get("parameters", ()))
    ]
    assert len(found) > 30
    return found


def filters(place: Place) -> list[Mapping[str, Any]]:
    """The parameters of a list that filter it."""
    parameters = [one for one in place.operation["parameters"] if one["in"] == "query"]
    return [one for one in parameters if one["name"] not in ("limit", "cursor", "order")]


def _described(rule: str) -> str:
    from api.description.document import described_path

    return described_path(rule)


def fields(schemas: Mapping[str, Any], name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The fields of a body that callers write, with their shapes."""
    for field, shape in schemas[name]["properties"].items():
        if not shape.get("readOnly"):
            yield field, shape
