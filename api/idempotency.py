"""Idempotency keys: a POST sent again under its key is answered as the first time, and done once."""

from __future__ import annotations

import hashlib
import re

from flask import Flask, Response, g, request

from firm.access import answers
from firm.access.answers import Answer, Key
from firm.errors import ChambersError

_FORM = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


class MalformedKey(ChambersError):
    """A key of a form that this API does not take."""


def register(app: Flask) -> None:
    """After authentication: a replay is authorized afresh."""
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> Response | None:
    text = request.headers.get("Idempotency-Key")
    if text is None or request.method != "POST" or request.endpoint is None:
        return None
    if _FORM.fullmatch(text) is None:
        raise MalformedKey("An Idempotency-Key is 1 to 255 visible ASCII characters.")
    key = Key(g.actor.name, request.path[:300], text, hashlib.sha256(request.get_data()).hexdigest())
    found = answers.begin(key, now=g.now)
    if found is None:
        g.idempotency_key = key
        return None
    response = Response(found.body, status=found.status, content_type=found.content_type)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _finish(response: Response) -> Response:
    key: Key | None = g.pop("idempotency_key", None)
    if key is None:
        return response
    if response.status_code >= 500:
        answers.forget(key)
    else:
        answers.finish(key, Answer(response.status_code, response.content_type or "", response.get_data()))
    return response
