"""Every field of every body: another type than the description asks for is a 422 that names the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask

from tests.api.callers import problem_of
from tests.api.probes.places import Place, Prober, fields

NO_INTEGER = (True, "12", 1.0, 1e3, "١٢٣", "1_000", [], {}, 2**63 - 1)
NO_BOOLEAN = ("true", "false", 0, 1, "", [], {})
NO_STRING = (1, 1.5, True, ["x"], {"x": 1})
NO_DATE = ("2026-02-30", "2026-W45-1", "20261101", "2026-11-01T00:00:00Z", "٢٠٢٦-١١-٠١", 20261101, "", "0000-00-00")
NO_MONTH = ("2026-13", "2026-1", "202610", "2026-10-01", "٢٠٢٦-١٠", 202610, "", "2026-10\n")
NO_MONEY = (
    *(
        {"amount": amount, "currency": "USD"}
        for amount in ("1e300000", "1" * 5_000, "1,00", "", "NaN", "+1.00", "1.000")
    ),
    *({"amount": amount, "currency": "USD"} for amount in (1, 1.5, True, None, [])),
    *({"amount": "1.00", "currency": currency} for currency in ("usd", "XXZ", "", "U" * 5_000, 840, None)),
    {"amount": "1.00"},
    {"currency": "USD"},
    {"amount": "1.00", "currency": "USD", "minor": 100},
    "1.00 USD",
    1,
    [],
)
NO_LIST = ("x", 1, {}, True)
NO_OBJECT = ("x", 1, [], True)
NO_BODIES = ((b"", 400), (b"{", 400), (b'{"a":1,"a":2}', 400), (b"[]", 422), (b"null", 422), (b'"x"', 422))
_TYPES = {"integer": NO_INTEGER, "boolean": NO_BOOLEAN, "array": NO_LIST, "object": NO_OBJECT, "string": NO_STRING}


def wrong(shape: Mapping[str, Any]) -> tuple[object, ...]:
    """Values that a field of this shape may not take."""
    if "/Money" in str(shape.get("$ref") or shape.get("anyOf", "")):
        return NO_MONEY
    if shape.get("format") == "date":
        return NO_DATE
    if "[0-9]{4}" in shape.get("pattern", ""):
        return NO_MONTH
    kind = shape.get("type", "object")
    values = _TYPES[kind if isinstance(kind, str) else kind[0]]
    if "enum" in shape:
        values += ("emperor", "", shape["enum"][0].swapcase())
    return values if kind == "object" or "null" in str(kind) or "anyOf" in shape else (*values, None)


def try_field(lead: Prober, place: Place, field: str, value: object) -> None:
    answer = lead.send(place, json={**(place.body or {}), field: value})
    assert answer.status_code == 422, (str(place), field, value, answer.get_data(as_text=True))
    [first, *_] = problem_of(answer)["errors"]
    assert first["pointer"].startswith(f"/{field}"), (str(place), field, value, first)


def test_every_field_refuses_what_it_is_not(firm: Flask, lead: Prober, everywhere: list[Place]) -> None:
    schemas = firm.extensions["openapi"]()["components"]["schemas"]
    tried = 0
    for place in everywhere:
        if place.body is None:
            continue
        for field, shape in fields(schemas, place.schema):
            for value in wrong(shape):
                try_field(lead, place, field, value)
                tried += 1
    assert tried > 500


def test_every_body_refuses_fields_that_it_does_not_know(lead: Prober, everywhere: list[Place]) -> None:
    """Mass assignment: what the API writes itself is not taken from callers either."""
    for place in everywhere:
        if place.body is not None:
            for field in ("id", "state", "created_by", "is_admin", "__class__", "$ref"):
                if field not in place.body:
                    try_field(lead, place, field, "x")


def test_every_body_must_be_there_and_be_an_object(lead: Prober, everywhere: list[Place]) -> None:
    for place in everywhere:
        if place.body is None:
            continue
        headers = {"Content-Type": "application/json"}
        for raw, status in NO_BODIES:
            answer = lead.send(place, data=raw, headers=headers)
            assert answer.status_code == status, (str(place), raw, answer.get_data(as_text=True))
        for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            assert lead.send(place, data=b"{}", headers={"Content-Type": content_type}).status_code == 415, str(place)
