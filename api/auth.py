"""From a request to its actor: the token, the role's right to the route, and the request's id."""

from __future__ import annotations

import re
from datetime import datetime

from flask import Flask, Response, g, request
from werkzeug.exceptions import BadRequest

from api import policy
from firm import clock, ids
from firm.access.operations import NotAuthenticated, actor_of
from firm.actor import Actor, Role
from firm.db import reading
from firm.errors import NotFound

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)


def register(app: Flask) -> None:
    app.before_request(_identify)
    app.after_request(_sign)


def current_actor() -> Actor:
    """Who makes this request."""
    actor: Actor = g.actor
    return actor


def now() -> datetime:
    """The moment of this request: the clock is read once."""
    moment: datetime = g.now
    return moment


def own(subject_id: str) -> str:
    """The id, if the actor may see that maintainer's or client's things; otherwise it is not found."""
    actor = current_actor()
    if actor.role in (Role.MAINTAINER, Role.CLIENT) and actor.subject_id != subject_id:
        raise NotFound("There is no such thing.")
    return subject_id


def own_or_none(role: Role) -> str | None:
    """The id that limits a list for callers of this role, or None for those who see all."""
    actor = current_actor()
    return actor.subject_id if actor.role is role else None


def _identify() -> None:
    g.now = clock.now()
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else ids.new("req")
    endpoint = request.endpoint
    if endpoint is not None and policy.is_open(endpoint):
        return
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NotAuthenticated("Send a valid token as `Authorization: Bearer chm_…`.")
    with reading() as session:
        g.actor = actor_of(session, secret.strip(), request_id=g.request_id)
    if any("\x00" in text for text in (request.path, *request.args.values())):
        raise BadRequest("An address holds no NUL character.")
    if endpoint is not None:
        policy.refuse(g.actor, endpoint)


def _sign(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.method == "GET" and response.status_code == 200 and response.is_json:
        response.add_etag()
        response.make_conditional(request)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
