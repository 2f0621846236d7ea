"""Cursor pagination: pages by id, so that no row is skipped or repeated while others write.

A cursor stands only where nothing can come before it any more (`firm.horizon`). A page that would end beyond that
place ends earlier; when nothing is left of it, the list is read again a moment later.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import marshmallow as ma
from flask import Response, current_app, jsonify, request

from api.fields import Schema, Text
from firm import clock
from firm.db import db, drop_held
from firm.errors import Busy, Invalid
from firm.horizon import is_settled

MOST = 200


PATIENCE = 40
"""How often an unsettled list is read again, soon at first, and then twenty times a second."""


class Unsettled(Busy):
    """No row of a page can be the end of it yet."""


class InvalidCursor(Invalid):
    """A cursor that this API did not give."""


class Limit(ma.fields.Integer):
    """A number of 1 to 3 ASCII digits: int() would take 1_0, +5 and the digits of other scripts."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if re.fullmatch("[0-9]{1,3}", str(value), re.ASCII) is None:
            raise ma.ValidationError(f"Write a whole number from 1 to {MOST}.")
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
    latest: Callable[[Any], datetime] | None = None,
) -> Response:
    """One page: `rows_after(after, limit)` reads rows in the order of their keys.

    `latest` says of a row numbered by the database when it can have been written at the latest. Raises `Unsettled`.
    """
    limit = query["limit"]
    rows = rows_after(decode(query["cursor"]) if query["cursor"] else "", limit + 1)
    shown = rows[:limit]
    if len(rows) > limit:
        shown = _settled(shown, key, latest)
    following = encode(key(shown[-1])) if len(rows) > limit else None
    response = jsonify({"items": schema.dump(shown, many=True), "next": following})
    if following:
        arguments = {**request.args.to_dict(), "cursor": following}
        response.headers["Link"] = f'<{request.path}?{urlencode(arguments)}>; rel="next"'
    return response


def _settled(rows: Sequence[Any], key: Callable[[Any], str], latest: Callable[[Any], datetime] | None) -> Sequence[Any]:
    """The rows up to the last one that a cursor may stand behind."""
    session, now = db.session(), clock.now()
    for number in range(len(rows), 0, -1):
        last = rows[number - 1]
        if is_settled(session, key(last), latest=latest(last) if latest else None, now=now):
            return rows[:number]
    raise Unsettled("The newest of this list is being written just now; try again in a moment.")


def read_again(error: Unsettled) -> Any:
    """Answer the request a moment later, when those who were writing have finished."""
    for turn in range(1, PATIENCE + 1):
        drop_held()
        time.sleep(min(turn * 0.01, 0.05))
        try:
            return current_app.dispatch_request()
        except Unsettled:
            continue
    return current_app.handle_user_exception(Busy(error.message))


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
