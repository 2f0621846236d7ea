"""Every id that somebody is shown, replayed by another in every place of the description: as if it did not exist.

Places are the parameters in paths and queries, the fields of bodies and the headers that we read. Ids and numbers are
those of Ada's and Globex's own answers; Grace and Acme send them, and then one of the same kind that nobody has.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from firm.actor import Role
from tests.api.callers import as_role
from tests.api.matrix import cells
from tests.api.matrix.test_crawl import text_of

KEY = re.compile(r"\b[a-z]{2,4}_[0-9A-HJKMNP-TV-Z]{13,26}\b|\b[A-Z]{2,3}-(?:2026|[A-Z]{2})-[0-9]{4}\b")
HEADERS = ("If-Match", "If-None-Match", "Idempotency-Key", "X-Request-Id", "Prefer")
PAIRS = {"maintainer": "Ada", "client": "Globex"}
"""Who replays, and whose ids."""
FIXED = {"month": "2026-10", "rail": "sepa", "form": "html", "kind": "clients"}


@dataclass
class Replay:
    """Requests of one caller, each compared with the same one about something that is not there."""

    app: Flask
    headers: Mapping[str, str]
    compared: int = 0
    hidden: int = 0
    """Of those compared, the ones answered 404: the caller may ask, and finds nothing."""
    _nobodys: dict[tuple[str, str], tuple[int, str, str]] = field(default_factory=dict)
    _barred: set[tuple[str, str]] = field(default_factory=set)

    def compare(self, place: str, key: str, method: str, path: str, **options: Any) -> None:
        """`path` and `options` hold `{key}` where the id goes. A route that bars the whole role is asked once."""
        if (method, path) in self._barred:
            return
        kind = missing(key)
        nobodys = self._nobodys.get((place, kind)) or self._asked(method, path, options, kind)
        self._nobodys[place, kind] = nobodys
        assert self._asked(method, path, options, key) == nobodys, (place, key)
        if nobodys[0] == 403:
            self._barred.add((method, path))
        self.compared += 1
        self.hidden += nobodys[0] == 404

    def _asked(self, method: str, path: str, options: dict[str, Any], key: str) -> tuple[int, str, str]:
        """Status, type and text of the answer, without the id that was sent."""
        filled = _filled(options, key)
        headers = {**self.headers, "Idempotency-Key": uuid.uuid4().hex, **filled.pop("headers", {})}
        answer = self.app.test_client().open(path.replace("{key}", key), method=method, headers=headers, **filled)
        assert answer.status_code < 500, (method, path, key)
        return answer.status_code, answer.content_type, _told(answer, key)


def missing(key: str) -> str:
    """An id or a number of the same kind that nobody has."""
    prefix, separator, rest = key.partition("_")
    return f"{prefix}_{'0' * len(rest)}" if separator else f"{key.rpartition('-')[0]}-9999"


def _filled(value: Any, key: str) -> Any:
    if isinstance(value, str):
        return value.replace("{key}", key)
    if isinstance(value, dict):
        return {name: _filled(item, key) for name, item in value.items()}
    return [_filled(item, key) for item in value] if isinstance(value, list) else value


def _told(answer: TestResponse, key: str) -> str:
    request_id = answer.headers["X-Request-Id"]
    return text_of(answer).replace(key, "…").replace(request_id, "…")


@pytest.fixture(scope="module")
def bearers(app: Flask) -> dict[str, dict[str, str]]:
    return cells.callers(app)


@pytest.fixture(params=PAIRS)
def replay(request: pytest.FixtureRequest, app: Flask, bearers: dict[str, dict[str, str]]) -> Replay:
    return Replay(app, bearers[request.param])


@pytest.fixture
def foreign(replay: Replay, app: Flask, bearers: dict[str, dict[str, str]]) -> list[str]:
    """What the other one is shown and the replaying one is not."""
    role = next(name for name in PAIRS if bearers[name] is replay.headers)
    with app.app_context():
        things = cells.things()
    table = f"{role}s"
    subject = things.other[table]
    other = as_role(app, Role(role), name=f"other-{role}-{len(_counted)}", subject=subject)
    _counted.append(subject)
    found = shown(app, other.headers, "other") - shown(app, replay.headers, "own")
    assert len(found) > 5
    return sorted(found)


_counted: list[str] = []


def shown(app: Flask, headers: Mapping[str, str], kind: str) -> set[str]:
    """Every id and number in what somebody reads of their own."""
    with app.app_context():
        things = cells.things()
    client, keys = app.test_client(), set()
    for _, method, rule, each in cells.rows(app):
        if method == "GET" and each in (kind, "-"):
            answer = client.get(cells.address(rule, each, things), headers=dict(headers))
            if answer.status_code == 200:
                request_id = answer.headers["X-Request-Id"]
                keys |= set(KEY.findall(text_of(answer))) - {request_id}
    return keys


def operations(app: Flask) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Method, path and description of each operation below /v1."""
    for path, described in app.extensions["openapi"]()["paths"].items():
        for method, operation in described.items():
            if path.startswith("/v1") and method in ("get", "post", "patch", "put", "delete"):
                yield method.upper(), path, operation


def places_in(path: str) -> list[str]:
    """The path with the id in each of its places in turn."""
    names = [name for name in re.findall(r"{(\w+)}", path) if name not in FIXED]
    for name, value in FIXED.items():
        path = path.replace(f"{{{name}}}", value)
    return [re.sub(r"{(?!key})\w+}", "nobody", path.replace(f"{{{name}}}", "{key}")) for name in names]


def test_in_every_path(replay: Replay, app: Flask, foreign: list[str]) -> None:
    for method, path, _ in operations(app):
        for place in places_in(path):
            for key in foreign:
                body = {"headers": {"If-Match": "*"}, "json": {}} if method != "GET" else {}
                replay.compare(f"{method} {place}", key, method, place, **body)
    assert replay.hidden > 50


def test_in_every_query(replay: Replay, app: Flask, foreign: list[str]) -> None:
    for method, path, operation in operations(app):
        names = [one["name"] for one in operation.get("parameters", []) if one.get("in") == "query"]
        for name in names if method == "GET" and "{" not in path else []:
            for key in foreign:
                replay.compare(f"{path}?{name}", key, method, path, query_string={name: "{key}"})
    assert replay.compared > 100


def test_in_every_field_of_every_body(replay: Replay, app: Flask, foreign: list[str]) -> None:
    schemas = app.extensions["openapi"]()["components"]["schemas"]
    for method, path, operation in operations(app):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        address = re.sub(r"{\w+}", lambda found: FIXED.get(found[0][1:-1], "me"), path)
        for body in bodies(content.get("schema", {}), schemas):
            for key in foreign:
                replay.compare(f"{method} {path} {body}", key, method, address, json=body, headers={"If-Match": "*"})
    assert replay.compared > 50


def bodies(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[Any]:
    """For each text in a body, a body that holds the id there and nothing else."""
    schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    for each in schema.get("allOf", []) + schema.get("anyOf", []) + schema.get("oneOf", []):
        yield from bodies(each, schemas)
    for name, described in schema.get("properties", {}).items():
        for inner in bodies(described, schemas):
            yield {name: inner}
    if "items" in schema:
        for inner in bodies(schema["items"], schemas):
            yield [inner]
    if "string" in (schema.get("type"), *(schema["type"] if isinstance(schema.get("type"), list) else ())):
        yield "{key}"


def test_in_every_header(replay: Replay, app: Flask, foreign: list[str]) -> None:
    for method, path, _ in operations(app):
        if method == "GET" and "{" not in path:
            for name in HEADERS:
                for key in foreign[:5]:
                    replay.compare(f"{path} {name}", key, method, path, headers={name: '"{key}"'})
    assert replay.compared > 100


def test_a_key_for_repeating_is_worth_nothing_to_another(
    replay: Replay, app: Flask, bearers: dict[str, dict[str, str]]
) -> None:
    """Neither the first answer nor that there was one."""
    draft = {"name": f"Initech-{len(_counted)}", "country": "US"}
    _counted.append("key")
    sent = {"Idempotency-Key": draft["name"]}
    first = app.test_client().post("/v1/clients", json=draft, headers={**bearers["lead"], **sent})
    again = app.test_client().post("/v1/clients", json=draft, headers={**replay.headers, **sent})
    fresh = app.test_client().post("/v1/clients", json=draft, headers={**replay.headers, "Idempotency-Key": "new"})
    assert first.status_code == 201, first.get_data(as_text=True)
    assert "Idempotent-Replayed" not in again.headers
    assert (again.status_code, _told(again, "\0")) == (fresh.status_code, _told(fresh, "\0"))


def test_an_etag_of_anothers_thing_opens_nothing(
    replay: Replay, app: Flask, bearers: dict[str, dict[str, str]]
) -> None:
    with app.app_context():
        things = cells.things()
    client, asked = app.test_client(), 0
    for _, method, rule, kind in cells.rows(app):
        path = cells.address(rule, kind, things)
        seen = client.get(path, headers=bearers["lead"]) if (method, kind) == ("GET", "other") else None
        if seen is None or "ETag" not in seen.headers or client.get(path, headers=replay.headers).status_code != 404:
            continue
        answer = client.get(path, headers={**replay.headers, "If-None-Match": seen.headers["ETag"]})
        assert (answer.status_code, answer.headers.get("ETag")) == (404, None), path
        asked += 1
    assert asked > 0
