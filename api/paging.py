"""Cursor pagination: pages by id, so that no row is skipped or repeated while others write.

Oldest first, a cursor stands only where nothing can come before it any more (`firm.horizon`). A page that would end
beyond that place ends earlier; when nothing is left of it, the list is read again a moment later. `resume` is such a
cursor on every page, also on the last: whoever goes on from it later misses nothing that was written since.

Newest first, what is written meanwhile lies behind the reader, and every cursor is good.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import marshmallow as ma
from flask import Response, current_app, jsonify, request

from api.fields import Schema, Text
from firm import clock, ids
from firm.db import db, drop_held
from firm.errors import Busy, Invalid
from firm.horizon import Horizon, drawn
from firm.listing import Slice

MOST = 200
ORDERS = ("oldest", "newest")

PATIENCE = 40
"""How often an unsettled list is read again, soon at first, and then twenty times a second."""


NOT_OURS = "This cursor is not one of this list; take `next` or `resume` of a page before, or begin without one."


class Unsettled(Busy):
    """No row of a page can be the end of it yet."""


class InvalidCursor(Invalid):
    """A cursor that this API did not give, or gave for another list, order or filter."""


class Limit(ma.fields.Integer):
    """A number of 1 to 3 ASCII digits: int() would take 1_0, +5 and the digits of other scripts."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if re.fullmatch("[0-9]{1,3}", str(value), re.ASCII) is None:
            raise ma.ValidationError(f"Write a whole number from 1 to {MOST}.")
        return super()._deserialize(value, attr, data, **kwargs)


class PageQuery(Schema):
    """`?limit=50&order=newest&cursor=…`."""

    limit = Limit(
        load_default=50,
        validate=ma.validate.Range(min=1, max=MOST),
        metadata={"description": f"How many, at most {MOST}."},
    )
    order = ma.fields.String(
        load_default="oldest",
        validate=ma.validate.OneOf(ORDERS),
        metadata={"description": "What comes first: the list runs by id, which rises with time."},
    )
    cursor = Text(
        most=200,
        load_default=None,
        metadata={"description": "`next` or `resume` of a page of the same list, order and filters."},
    )


def page_schema(schema: type[Schema]) -> type[Schema]:
    """The envelope of a list: its items, the cursor of the next page, and the one to go on from at a later time."""
    return Schema.from_dict(  # type: ignore[return-value]
        {
            "items": ma.fields.List(ma.fields.Nested(schema), required=True),
            "next": ma.fields.String(
                allow_none=True,
                required=True,
                metadata={"description": "The cursor of the next page, or null on the last."},
            ),
            "resume": ma.fields.String(
                allow_none=True,
                required=True,
                metadata={
                    "description": "The cursor to come back with for what is written from now on. While others write"
                    " it may stand before the last items of the page, which are then shown again. Null newest first,"
                    " and for lists that do not grow at their end."
                },
            ),
        },
        name=schema.__name__.removesuffix("Schema") + "Page",
    )


def page(
    query: dict[str, Any],
    schema: Schema,
    rows_of: Callable[[Slice], Sequence[Any]],
    *,
    key: Callable[[Any], str] = lambda row: str(row.id),
    latest: Callable[[Any], datetime] | None = None,
    resumable: bool = True,
) -> Response:
    """One page: `rows_of(part)` reads that part of a list, which is in the order of its keys.

    `latest` says of a row numbered by the database when it can have been written at the latest. A list that is not
    `resumable` may grow in its middle. Raises `Unsettled`.
    """
    limit, newest_first = query["limit"], query["order"] == "newest"
    start = decode(query["cursor"], mark=mark_of(query)) if query["cursor"] else ""
    horizon = None if newest_first else drawn(db.session(), now=clock.now())
    rows = rows_of(Slice((start,) if start else (), limit + 1, newest_first))
    shown, more = rows[:limit], len(rows) > limit
    settled = len(shown) if horizon is None else _settled(shown, horizon, key, latest)
    if more:
        shown = shown[:settled]
        if not shown:
            raise Unsettled("The newest of this list is being written just now; try again in a moment.")
    following = encode(key(shown[-1]), mark=mark_of(query)) if more else None
    place = key(shown[settled - 1]) if settled else start
    resume = encode(place, mark=mark_of(query)) if resumable and not newest_first else None
    response = jsonify({"items": schema.dump(shown, many=True), "next": following, "resume": resume})
    if following:
        arguments = {**request.args.to_dict(), "cursor": following}
        response.headers["Link"] = f'<{request.path}?{urlencode(arguments)}>; rel="next"'
    return response


def _settled(
    rows: Sequence[Any], horizon: Horizon, key: Callable[[Any], str], latest: Callable[[Any], datetime] | None
) -> int:
    """How many rows there are up to the last one that a cursor may stand behind."""
    for number in range(len(rows), 0, -1):
        last = rows[number - 1]
        if horizon.is_behind(key(last), latest=latest(last) if latest else None):
            return number
    return 0


def numbered(part: Slice, prefix: str) -> Slice:
    """The same part of a list that runs by the numbers behind its ids. Raises `InvalidCursor`."""
    numbers = [ids.number_of(prefix, str(key)) for key in part.after]
    if None in numbers:
        raise InvalidCursor(NOT_OURS, field="cursor")
    return replace(part, after=tuple(number for number in numbers if number is not None))


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


def mark_of(query: Mapping[str, Any]) -> str:
    """What a cursor is bound to besides its list: the order and the filters, in short."""
    asked = {name: str(value) for name, value in query.items() if name not in ("limit", "cursor")}
    within = {name: str(value) for name, value in (request.view_args or {}).items()}
    return hashlib.sha256(repr((sorted(within.items()), sorted(asked.items()))).encode()).hexdigest()[:12]


def encode(key: str, *, mark: str) -> str:
    return base64.urlsafe_b64encode(f"{request.endpoint} {mark} {key}".encode()).decode().rstrip("=")


def decode(cursor: str, *, mark: str) -> str:
    """The key that a cursor stands behind; empty at the beginning of the list. Raises `InvalidCursor`."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        endpoint, given, key = text.split(" ")
        if endpoint != request.endpoint or not key.isprintable():
            raise ValueError(cursor)
    except (binascii.Error, ValueError):
        raise InvalidCursor(NOT_OURS, field="cursor") from None
    if given != mark:
        raise InvalidCursor(
            "This cursor was given for another order or other filters; repeat those, or begin without a cursor.",
            field="cursor",
        )
    return key
