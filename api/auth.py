"""From a request to its actor: the token, its allowance, the role's right to the route, and the request's id."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import BadRequest, RequestURITooLarge

from api import policy
from api.errors import AnothersThing
from api.parts import parts
from firm import clock, envelope, ids
from firm.access import denials
from firm.access.limits import Limit, Shares, Standing
from firm.access.tokens import Admission, NotAuthenticated, admit
from firm.actor import Actor, Role
from firm.db import hold_view, reading

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
MOST_ADDRESS = 4000
_CONDITIONS = ("REQUEST_METHOD", "HTTP_IF_NONE_MATCH")
_MINUTE = timedelta(minutes=1)


def register(app: Flask) -> None:
    settings = parts(app).settings
    app.extensions["allowances"] = _shares("requests", settings.requests_per_minute)
    app.extensions["strangers"] = _shares("strangers", settings.strangers_per_minute)
    app.before_request(_identify)
    app.after_request(_sign)


def _shares(name: str, most: int) -> Shares:
    # A share of a twentieth: one small write for so many requests, and at most so much lost to an idle worker.
    return Shares(Limit(name, most, _MINUTE), share=max(1, most // 20))


def current_actor() -> Actor:
    """Who makes this request."""
    actor: Actor = g.actor
    return actor


def admission() -> Admission:
    """Who makes this request, and what the token allows."""
    found: Admission = g.admission
    return found


def now() -> datetime:
    """The moment of this request: the clock is read once."""
    moment: datetime = g.now
    return moment


def is_in_hand(key: str) -> bool:
    """Whether this is the id of the token that makes this request, or stands for it ("me")."""
    return key in ("me", current_actor().token_id)


def own(subject_id: str) -> str:
    """The id, if the actor may see that maintainer's or client's things; otherwise it is not found."""
    actor = current_actor()
    if actor.role in (Role.MAINTAINER, Role.CLIENT) and actor.subject_id != subject_id:
        raise AnothersThing("There is no such thing.")
    return subject_id


def own_or_none(role: Role) -> str | None:
    """The id that limits a list for callers of this role, or None for those who see all."""
    actor = current_actor()
    return actor.subject_id if actor.role is role else None


def _identify() -> None:
    envelope.put(None)
    g.now = clock.now()
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else ids.new("req")
    endpoint = request.endpoint
    if len(request.full_path) > MOST_ADDRESS:
        raise RequestURITooLarge
    if endpoint is not None and policy.needs_no_token(endpoint):
        return
    g.admission = _admitted()
    g.actor = g.admission.actor
    token_id = g.actor.token_id
    g.standing = current_app.extensions["allowances"].spend(token_id, now=g.now, token_id=token_id)
    if any("\x00" in text for text in (request.path, *request.args.values())):
        raise BadRequest("An address holds no NUL character.")
    if endpoint is not None:
        _permit(endpoint)


def _permit(endpoint: str) -> None:
    writing = request.method not in ("GET", "HEAD", "OPTIONS")
    policy.refuse(g.admission, endpoint, writing=writing, now=g.now, itself=_names_itself())


def _names_itself() -> bool:
    """Whether the address names the token in hand."""
    return is_in_hand(str((request.view_args or {}).get("key", "")))


def _admitted() -> Admission:
    """Whose token this is. Those without one have an allowance too, by address, so that guessing is slow."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise NotAuthenticated("Send a valid token as `Authorization: Bearer chm_…`.")
        if request.method in ("GET", "HEAD"):
            # What follows reads in the same view; a request that writes needs a transaction that may.
            hold_view()
        with reading() as session:
            return admit(session, secret.strip(), now=g.now, request_id=g.request_id)
    except NotAuthenticated:
        spend_as_stranger()
        route = f"{request.method} {request.endpoint}"
        denials.note_dead_token(secret.strip(), route, request_id=g.request_id, now=g.now)
        raise


def spend_as_stranger() -> None:
    """Count a failure against the allowance of the caller's address. Raises `TooMany` when it is spent."""
    address = hashlib.sha256((request.remote_addr or "").encode()).hexdigest()[:32]
    current_app.extensions["strangers"].spend(address, now=g.now)


def _sign(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.method in ("GET", "HEAD") and response.status_code == 200 and not response.is_streamed:
        response.add_etag()
        # Only If-None-Match: another condition would be answered with a 412 that is no problem document.
        asked = {name: request.environ[name] for name in _CONDITIONS if name in request.environ}
        response.make_conditional(asked)
    response.headers["Referrer-Policy"] = "no-referrer"
    standing: Standing | None = g.get("standing")
    if standing is not None:
        window = int(standing.limit.window.total_seconds())
        response.headers["RateLimit-Policy"] = f'"{standing.limit.name}";q={standing.limit.most};w={window}'
        response.headers["RateLimit"] = f'"{standing.limit.name}";r={standing.left};t={standing.seconds}'
    return response
