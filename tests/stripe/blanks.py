"""Objects of Stripe's with nothing in them: every attribute that must be there, as empty as it may be."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from tests.stripe import contract

EMPTY: dict[str, Any] = {"integer": 0, "number": 0, "boolean": False, "string": "", "array": []}


def blank(schema_name: str, **filled: Any) -> dict[str, Any]:
    """The object by its description, with these attributes filled in."""
    return {**copy.deepcopy(_blank(schema_name)), **filled}


@cache
def _blank(schema_name: str) -> Any:
    return _empty(contract.description()["components"]["schemas"][schema_name])


def _empty(schema: dict[str, Any]) -> Any:
    if schema.get("nullable"):
        return None
    if "$ref" in schema:
        return _blank(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return _empty(schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] != "object":
        return copy.copy(EMPTY[schema["type"]])
    required = schema.get("required", ())
    properties = schema.get("properties", {})
    return {name: _empty(each) for name, each in properties.items() if name in required or each.get("nullable")}
