"""Where in a request something is wrong: a place of its body, a parameter of its address, or a header."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import marshmallow as ma
from flask import current_app, request
from werkzeug.exceptions import UnprocessableEntity

Place = dict[str, str]
"""`detail`, and one of `pointer` (RFC 6901, into the body), `parameter` (of the query or the path) and `header`."""


class UnreadableParameter(UnprocessableEntity):
    """A part of the path that a converter cannot read: an HTTP error, since any other would be a 404 without a word."""

    def __init__(self, parameter: str, sentence: str) -> None:
        super().__init__(sentence)
        self.parameter = parameter


def of_messages(messages: Any) -> list[Place]:
    """The places of what a schema refused: marshmallow's messages, under webargs' name for the part of the request."""
    parts = messages if isinstance(messages, dict) else {"json": messages}
    return [_of_part(part, *found) for part, inside in parts.items() for found in _pointers(inside)]


def of_field(field: str, detail: str) -> Place | None:
    """The place of what the domain calls `field`, nested as "shares/0/percent"; None if the request has no such place.

    The domain does not know whether a month came in a body or in the address; what the route takes decides.
    """
    name, _, rest = field.partition("/")
    taken = _taken(schema_of("json"), name)
    if taken is not None:
        return {"pointer": f"/{taken}/{rest}" if rest else f"/{taken}", "detail": detail}
    taken = _taken(schema_of("query"), name) or (name if name in (request.view_args or {}) else None)
    return None if taken is None else {"parameter": taken, "detail": detail}


def of_header(header: str, detail: str) -> Place:
    return {"header": header, "detail": detail}


def named(place: Place) -> str:
    """The place in a sentence."""
    return place.get("parameter") or place.get("header") or place.get("pointer") or "The body"


def schema_of(part: str) -> ma.Schema | type[ma.Schema] | None:
    """What the requested route takes in this part of a request, `json` or `query`, if anything."""
    view = current_app.view_functions.get(request.endpoint or "")
    described: dict[str, Any] = getattr(view, "_apidoc", {})
    parameters = described.get("arguments", {}).get("parameters", ())
    return next((one["schema"] for one in parameters if one.get("in") == part), None)


def step(name: object) -> str:
    """A name as one step of a JSON pointer."""
    return str(name).replace("~", "~0").replace("/", "~1")


def _of_part(part: str, pointer: str, detail: str) -> Place:
    if part == "query":
        return {"parameter": pointer.split("/")[1] if pointer else "", "detail": detail}
    return {"pointer": pointer, "detail": detail}


def _pointers(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Nested messages with their JSON pointers; marshmallow's name for the whole object is dropped."""
    if isinstance(messages, dict):
        for key, inside in messages.items():
            yield from _pointers(_of_entry(inside), path if key == "_schema" else f"{path}/{step(key)}")
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            yield path, str(message)


def _of_entry(inside: Any) -> Any:
    """marshmallow tells an entry's key and value apart; in the body they are one place."""
    if isinstance(inside, dict) and inside and set(inside) <= {"key", "value"}:
        return [message for messages in inside.values() for message in messages]
    return inside


def _taken(schema: ma.Schema | type[ma.Schema] | None, name: str) -> str | None:
    """The name under which a caller sends this field, if the schema takes it."""
    if schema is None:
        return None
    fields = (schema() if isinstance(schema, type) else schema).load_fields
    return next((key for key, field in fields.items() if name in (key, field.attribute)), None)
