"""Cursor pagination: pages by id, so that no row is skipped or repeated while others write."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import marshmallow as ma
from flask import Response, jsonify, request

from api.fields import Schema, Text
from firm.errors import Invalid

MOST = 200


class InvalidCursor(Invalid):
    """A cursor that this API did not give."""


class Limit(ma.fields.Integer):
    """A number of 1 to 3 ASCII digits: int() would take 1_0, +5 and the digits of other scripts."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if re.fullmatch("[0-9]{1,3}", str(value), re.ASCII) is None:
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class PageQuery(Schema):
    """`?limit=50&cursor=…`."""

    limit = Limit(
        load_default=50,
        validate=ma.validate.Range(min=1, max=MOST),
        metadata={"description": f"How many, at most {MOST}."},
    )
    cursor = Text(most=200, load_default=None, metadata={"description": "`next` of the page before."})


def page_schema(schema: type[Schema]) -> type[Schema]:
    """The envelope of a list: its items, and the cursor of the next page or null."""
    return Schema.from_dict(  # type: ignore[return-value]
        {
            "items": ma.fields.List(ma.fields.Nested(schema), required=True),
            "next": ma.fields.String(allow_none=True, required=True),
        },
        name=schema.__name__.removesuffix("Schema") + "Page",
    )


def page(
    query: dict[str, Any],
    schema: Schema,
    rows_after: Callable[[str, int], Sequence[Any]],
    *,
    key: Callable[[Any], str] = lambda row: str(row.id),
) -> Response:
    """One page: `rows_after(after, limit)` reads rows in the order of their keys."""
    limit = query["limit"]
    rows = rows_after(decode(query["cursor"]) if query["cursor"] else "", limit + 1)
    following = encode(key(rows[limit - 1])) if len(rows) > limit else None
    response = jsonify({"items": schema.dump(rows[:limit], many=True), "next": following})
    if following:
        arguments = {**request.args.to_dict(), "cursor": following}
        response.headers["Link"] = f'<{request.path}?{urlencode(arguments)}>; rel="next"'
    return response


def encode(key: str) -> str:
    return base64.urlsafe_b64encode(f"{request.endpoint} {key}".encode()).decode().rstrip("=")


def decode(cursor: str) -> str:
    """Raises `InvalidCursor`."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        endpoint, _, key = text.partition(" ")
        if endpoint != request.endpoint or not key.isprintable():
            raise ValueError(cursor)
        return key
    except (binascii.Error, ValueError):
        raise InvalidCursor("This cursor is not one of ours; take `next` of the page before.", field="cursor") from None
