"""Finding the example of a schema. `OMITTED` stay out of examples of requests: most callers leave them out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.description.examples import firm, interface, papers, payouts, people
from api.description.examples.values import MOMENT, ULID

_SUBJECTS = (firm, people, payouts, papers, interface)
FIELDS: Mapping[str, object] = {name: value for subject in _SUBJECTS for name, value in subject.FIELDS.items()}
PREFIXES: Mapping[str, str] = {name: prefix for subject in _SUBJECTS for name, prefix in subject.PREFIXES.items()}

_TYPES = {str: "string", int: "integer", bool: "boolean", list: "array", dict: "object", type(None): "null"}

OMITTED = frozenset(
    {"on", "recovery", "ends_on", "renews_on", "until_on", "until_month", "cap", "override_reason", "subject_id"}
    | {"country", "account", "duplicate_of", "expires_at"}
)


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], *, sent: bool, name: str = "") -> Any:
    """An example of a schema; `sent` leaves out what only the API writes, else what only callers write."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return example_of(schemas[name], schemas, sent=sent, name=name)
    for branch in (*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        if branch.get("type") != "null":
            return example_of(branch, schemas, sent=sent, name=name)
    if "properties" in schema and "examples" not in schema:
        return {
            field: _of_field(name, field, shape, schemas, sent=sent)
            for field, shape in schema["properties"].items()
            if not _left_out(field, shape, schema, sent=sent)
        }
    return _of_shape(schema, schemas, sent=sent)


def _left_out(field: str, shape: Mapping[str, Any], schema: Mapping[str, Any], *, sent: bool) -> bool:
    if shape.get("readOnly" if sent else "writeOnly"):
        return True
    return sent and field in OMITTED and field not in schema.get("required", ())


def _of_field(name: str, field: str, shape: Mapping[str, Any], schemas: Mapping[str, Any], *, sent: bool) -> Any:
    if f"{name}.{field}" in FIELDS:
        return FIELDS[f"{name}.{field}"]
    if field == "id":
        return f"{PREFIXES.get(name, 'xyz')}_{ULID}"
    if "/Money" in str(shape.get("$ref") or shape.get("anyOf", "")) and field in FIELDS:
        return FIELDS[field]
    shaped = {"$ref", "enum", "format", "allOf", "anyOf", "oneOf"} & set(shape) or _holds_things(shape)
    if field in FIELDS and not shaped and _is_of(FIELDS[field], shape):
        return FIELDS[field]
    return _of_shape(shape, schemas, sent=sent)


def _is_of(value: object, shape: Mapping[str, Any]) -> bool:
    """Whether the value is of the shape's type: two resources may mean different things by one word."""
    kinds = shape.get("type", "object")
    return _TYPES[type(value)] in ([kinds] if isinstance(kinds, str) else kinds)


def _holds_things(shape: Mapping[str, Any]) -> bool:
    return "$ref" in shape.get("items", {})


_BY_FORMAT = {"date": "2026-11-01", "date-time": MOMENT, "uri": "https://chambers.invalid/problems/not-found"}
_BY_TYPE: Mapping[str, object] = {"string": "…", "integer": 1, "number": 1, "boolean": False, "object": {}}


def _of_shape(shape: Mapping[str, Any], schemas: Mapping[str, Any], *, sent: bool) -> Any:
    if {"$ref", "allOf", "anyOf", "oneOf"} & set(shape):
        return example_of(shape, schemas, sent=sent)
    if "examples" in shape:
        return shape["examples"][0]
    if "enum" in shape:
        return shape["enum"][0]
    if shape.get("format") in _BY_FORMAT:
        return _BY_FORMAT[shape["format"]]
    if "items" in shape:
        return [example_of(shape["items"], schemas, sent=sent)]
    kind = shape.get("type", "")
    return _BY_TYPE.get(kind[0] if isinstance(kind, list) else kind)
