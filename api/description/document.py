"""Finishing the OpenAPI document: names, headers that stand above all routes, every status, and examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask

from api import creations, idempotency, preconditions
from api.blueprints import MONEY
from api.description import answers
from api.description.examples.finding import example_of
from api.description.names import operation_id
from api.description.problems import problem_types
from api.paging import PageQuery
from api.permissions.roles import OPEN, SIGNED
from api.permissions.routes import POLICY, UNSCOPED
from api.permissions.scopes import resource_of
from firm.webhooks.catalogue import CATALOGUE, example, schema

JSON = "application/json"
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
IF_MATCH_IF_THERE = IF_MATCH | {
    "required": False,
    "description": "The ETag of the thing as the caller has seen it, where it is there already.",
}
IF_NONE_MATCH_STAR = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"enum": ["*"]},
    "description": "`*`: make it only, and refuse (412) where it is there already.",
}
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "The ETag of what the caller has: 304 when that is current.",
}
PARAMETERS = {
    "currency": "A currency of ISO 4217, such as EUR.",
    "key": "The thing's id, or its name or number where it has one.",
    "month": "A month, such as 2026-10.",
    "form": "The form of the paper, such as pdf; of an export: hledger, beancount or csv.",
    "rail": "The rail whose file it is, such as sepa.",
    "kind": "Only those of this kind.",
    "payout_id": "The payout's id.",
    "state": "Only those in this state.",
}
FILES = {
    "payout_runs.file": ("application/xml",),
    "imports.template": ("text/csv",),
    "ledger_exports.shown": ("text/plain", "text/csv"),
    "payment_proofs.document": ("application/pdf", "image/png", "image/jpeg"),
    "statements.paper": ("application/pdf", "text/html"),
    "remittance_advices.paper": ("application/pdf", "text/html"),
    "self_billed_invoices.paper": ("application/pdf", "text/html"),
    "funded_work_reports.paper": ("application/pdf", "text/html"),
}
"""What is answered with something other than JSON."""


def finished(document: dict[str, Any], app: Flask) -> dict[str, Any]:
    """Every operation gets its id, its headers, and all that it may answer."""
    endpoints = {(described_path(rule.rule), method.lower()): rule.endpoint for rule, method in _routes(app)}
    _share(document)
    for path, methods in document["paths"].items():
        for parameter in methods.get("parameters", ()):
            _describe(parameter)
        for method in [name for name in methods if name != "parameters"]:
            _finish(methods[method], endpoints[path, method], method, path, document["components"]["schemas"])
    document["webhooks"] = {name: _told(name) for name in CATALOGUE}
    document["x-problem-types"] = problem_types()
    found: dict[str, Any] = _portable(document)
    return found


def _told(name: str) -> dict[str, Any]:
    """A message that goes out, as OpenAPI describes it."""
    content = {JSON: {"schema": schema(name), "example": example(name)}}
    operation = {
        "operationId": "on" + "".join(part.capitalize() for part in re.split("[.-]", name)),
        "summary": CATALOGUE[name].sentence,
        "requestBody": {"required": True, "content": content},
        "responses": {"2XX": {"description": "The message was taken."}},
        "security": [],
    }
    return {"post": operation}


def _share(document: dict[str, Any]) -> None:
    components = document["components"]
    components.update(answers.components())
    components["schemas"].pop("PaginationMetadata", None)
    components["schemas"] = {"Money": {"type": "object", **MONEY}} | _with_money(components["schemas"])
    components["schemas"]["Place"]["oneOf"] = [{"required": [name]} for name in ("pointer", "parameter", "header")]
    sent = {name for item in document["paths"].values() for name in _sent(item, components["schemas"])}
    for name in set(components["schemas"]) - sent - {"Problem", "Place"}:
        # What only the API writes always has all its fields, but for those that some roles are not shown.
        written = components["schemas"][name]
        fields = written.get("properties", {})
        written["required"] = [field for field, shape in fields.items() if not shape.get("x-withheld")]
        # Callers pass over fields they do not know: an answer may gain one without a new version of the API.
        written.pop("additionalProperties", None)


def _with_money(part: Any) -> Any:
    """Money by reference, so that a generated client has one type for it."""
    if isinstance(part, list):
        return [_with_money(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    if part.get("properties") != MONEY["properties"]:
        return {name: _with_money(inner) for name, inner in part.items()}
    rest = {name: value for name, value in part.items() if name not in {"type", *MONEY}}
    money = {"$ref": "#/components/schemas/Money"}
    return rest | ({"anyOf": [money, {"type": "null"}]} if "null" in part["type"] else money)


def _sent(item: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    """The names of the schemas that callers send, with those inside of them."""
    for operation in item.values():
        if isinstance(operation, dict) and "requestBody" in operation:
            seen: set[str] = set()
            waiting = set(_references(operation["requestBody"]))
            while waiting:
                name = waiting.pop()
                seen.add(name)
                waiting |= set(_references(schemas[name])) - seen
            yield from seen


def _portable(part: Any) -> Any:
    """Patterns as JSON Schema writes them (ECMA-262), which knows no \\A and \\Z.

    Ours are written with these because Python's `$` also stands before a last line break.
    """
    if isinstance(part, list):
        return [_portable(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    pattern = part.get("pattern")
    found = {name: _portable(inner) for name, inner in part.items()}
    return found | {"pattern": pattern.replace("\\A", "^").replace("\\Z", "$")} if isinstance(pattern, str) else found


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"].rpartition("/")[2]] if "$ref" in part else []
        return own + [name for inner in part.values() for name in _references(inner)]
    return [name for inner in part for name in _references(inner)] if isinstance(part, list) else []


def _finish(operation: dict[str, Any], endpoint: str, method: str, path: str, schemas: dict[str, Any]) -> None:
    operation["operationId"] = operation_id(endpoint, method, path)
    operation["x-roles"] = sorted(str(role) for role in POLICY[endpoint])
    if POLICY[endpoint] not in (OPEN, SIGNED) and endpoint not in UNSCOPED:
        operation["x-scope"] = f"{'read' if method in ('get', 'head') else 'write'}:{resource_of(endpoint)}"
    operation.setdefault("parameters", []).extend(_headers(endpoint, method))
    for parameter in operation["parameters"]:
        _describe(parameter)
    for body in operation.get("requestBody", {}).get("content", {}).values():
        if body["schema"].get("format") != "binary":
            body["example"] = example_of(body["schema"], schemas, sent=True)
    operation["responses"] = dict(sorted(_answers(operation, endpoint, method, path, schemas).items()))


def _describe(parameter: dict[str, Any]) -> None:
    name = parameter["name"]
    parameter.setdefault("description", PARAMETERS.get(name, f"The {name.replace('_id', '').replace('_', ' ')}'s id."))


def _answers(operation: dict[str, Any], endpoint: str, method: str, path: str, schemas: dict[str, Any]) -> Any:
    found = {str(status): answer for status, answer in operation["responses"].items() if str(status).startswith("2")}
    for status, answer in found.items():
        _finish_answer(answer, endpoint, method, status, schemas)
    if method == "get":
        found["304"] = answers.not_modified()
    return found | {status: answers.problem(status) for status in _statuses(endpoint, method, path, operation)}


def _finish_answer(answer: dict[str, Any], endpoint: str, method: str, status: str, schemas: dict[str, Any]) -> None:
    if endpoint in FILES:
        answer["content"] = {kind: {"schema": _file(kind)} for kind in FILES[endpoint]}
    for body in answer.get("content", {}).values():
        if "$ref" in body["schema"]:
            body["example"] = example_of(body["schema"], schemas, sent=False)
    names = ["Content-Disposition"] if endpoint in FILES else []
    if method == "get":
        names.append("ETag")
    if method == "get" and "Page" in str(answer.get("content", "")):
        names.append("Link")
    if method == "post":
        names.append("Idempotent-Replayed")
    if status == "201" and (endpoint in creations.SHOWS or endpoint in preconditions.CHANGES):
        names += ["Location", "ETag"]
    elif endpoint in preconditions.CHANGES or endpoint in preconditions.PUTS:
        names.append("ETag")
    if "Operation" in str(answer.get("content", "")):
        names += ["Location", "Preference-Applied", "Retry-After"]
    answer["headers"] = answers.headers(*names) | answer.get("headers", {})


def _file(kind: str) -> dict[str, str]:
    return {"type": "string"} if kind.startswith("text/") else {"type": "string", "format": "binary"}


def _routes(app: Flask) -> Iterator[tuple[Any, str]]:
    for rule in app.url_map.iter_rules():
        for method in rule.methods or ():
            yield rule, method


def described_path(rule: str) -> str:
    """A rule of the URL map as the document writes it."""
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule)


def _headers(endpoint: str, method: str) -> list[dict[str, Any]]:
    if method == "get":
        return [dict(IF_NONE_MATCH)]
    found: list[dict[str, Any]] = []
    if method == "post":
        found.append(IDEMPOTENCY_KEY | {"required": endpoint in idempotency.NEEDED})
    if endpoint in preconditions.CHANGES:
        found.append(dict(IF_MATCH))
    if endpoint in preconditions.PUTS:
        found += [dict(IF_MATCH_IF_THERE), dict(IF_NONE_MATCH_STAR)]
    return found


def _statuses(endpoint: str, method: str, path: str, operation: dict[str, Any]) -> list[str]:
    # 409 also where nothing is written: a firm that is not set up yet says so. 422 everywhere: what a route does not
    # look at is refused.
    found = ["400", "401", "403", "409", "413", "414", "415", "422", "429", "500", "503"]
    queries = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query"}
    if "{" in path or queries - set(PageQuery().fields):
        found.append("404")
    if method != "get":
        found.append("404")
    if endpoint in preconditions.CHANGES or endpoint in preconditions.PUTS:
        found += ["412", "428"]
    return sorted(set(found))
