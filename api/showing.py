"""A thing as its own route shows it to the caller, whatever route they came by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, current_app, json


def as_shown(endpoint: str, named: Mapping[str, Any]) -> Response:
    """What the route answers, read inside a transaction that is open, with its ETag. Raises what the route raises."""
    view: Callable[..., Response] = current_app.view_functions[endpoint]  # type: ignore[assignment]
    response = current_app.make_response(view(**named))
    response.add_etag()
    return response


def id_in(response: Response) -> str:
    """The id of the thing in an answer, or nothing; it begins with the thing's kind."""
    found = json.loads(response.get_data()) if response.is_json else None
    return str(found.get("id", "")) if isinstance(found, dict) else ""
