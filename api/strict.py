"""The one parser of JSON bodies: it refuses whatever two readers could understand differently.

Python's own reader keeps the last of duplicate keys, takes NaN and numbers beyond any range, and recurses as deep
as the text does. What each probe returns is in `docs/api.md`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import Request
from marshmallow import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from firm.errors import ChambersError

MOST_BYTES = 1_000_000
MOST_DEPTH = 32
LARGEST_INTEGER = 2**63 - 1


class InvalidJson(ChambersError):
    """The body is no JSON, or JSON that readers disagree about."""


def body_of(request: Request) -> dict[str, Any]:
    """The request's body as an object. Raises `InvalidJson`, and HTTP 413 or 415."""
    if request.content_length is not None and request.content_length > MOST_BYTES:
        raise RequestEntityTooLarge
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset != "utf-8" or request.headers.get("Content-Encoding"):
        raise UnsupportedMediaType("Send the body as application/json in UTF-8, not compressed.")
    raw = request.get_data(cache=True)
    if len(raw) > MOST_BYTES:
        raise RequestEntityTooLarge
    return parse(raw)


def parse(raw: bytes) -> dict[str, Any]:
    """Read one JSON object. Raises `InvalidJson`, and marshmallow's error for JSON of another kind."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidJson("The body is not UTF-8 text.") from None
    if _depth(text) > MOST_DEPTH:
        raise InvalidJson(f"The body is nested deeper than {MOST_DEPTH} levels.")
    try:
        value = json.loads(
            text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_float, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        raise InvalidJson(f"The body is not valid JSON: {error.msg} at line {error.lineno}.") from None
    if not isinstance(value, dict):
        raise ValidationError("The body must be a JSON object.")
    return value


def _depth(text: str) -> int:
    """How deep brackets nest outside of strings, without building anything."""
    depth = deepest = 0
    in_string = escaped = False
    for char in text:
        if in_string:
            in_string = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidJson("The body names a field twice.")
    for text in _texts(found):
        _refuse_unstorable(text)
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield key
            if not isinstance(part, dict):
                yield from _texts(part)


def _refuse_unstorable(text: str) -> None:
    """NUL and lone surrogates: one database stores the first and the other does not; no encoder takes the second."""
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidJson("The body holds a character that cannot be stored (NUL or half of a pair).")


def _no_constant(name: str) -> Any:
    raise InvalidJson(f"{name} is no JSON number.")


def _float(text: str) -> float:
    if len(text) > 40:
        raise InvalidJson("The body holds a number with too many digits.")
    value = float(text)  # kept only so that schemas can refuse it by name: no field of ours takes one
    if value in (float("inf"), float("-inf")):
        raise InvalidJson("The body holds a number beyond any range.")
    return value


def _integer(text: str) -> int:
    if len(text) > 20 or abs(int(text)) > LARGEST_INTEGER:
        raise InvalidJson("The body holds an integer beyond 64 bits; write amounts as decimal strings.")
    return int(text)
