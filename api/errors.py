"""Every error as a problem document (RFC 9457): a sentence, a stable type, the place, and nothing of the inside."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, g, json, request
from marshmallow import ValidationError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from api import places
from api.idempotency import MalformedKey, replay_after
from api.paging import Unsettled, read_again
from api.places import Place, UnreadableParameter
from api.strict import InvalidJson
from firm import envelope
from firm.access import denials
from firm.access.answers import KeyTaken, KeyUsedForOtherContent, StillRunning
from firm.access.limits import TooMany
from firm.access.presence import PresenceNeeded, WrongCode
from firm.access.tokens import BeyondOwnScopes, NotAuthenticated
from firm.actor import Role
from firm.db import drop_held
from firm.driver_errors import is_lock_wait, may_be_retried
from firm.errors import Busy, ChambersError, Invalid, InvariantBroken, Misconfigured, NotFound, Refused
from payouts.provider_events.notices import OtherMode, UnreadableEvent
from payouts.rails.stripe.signatures import NotVerified

log = logging.getLogger("chambers.api")

TYPE = "https://chambers.invalid/problems/"


class Forbidden(ChambersError):
    """The token is good, and its role may not do this."""


class AnothersThing(NotFound):
    """What the caller may not see is answered as what is not there, and put on record."""

    @classmethod
    def slug(cls) -> str:
        return "not-found"


DENIED = (Forbidden, PresenceNeeded, BeyondOwnScopes, AnothersThing)
"""What is put on record as a denied attempt."""

STATUS: tuple[tuple[type[ChambersError], int], ...] = (
    (InvalidJson, 400),
    (NotVerified, 400),
    (UnreadableEvent, 400),
    (OtherMode, 400),
    (MalformedKey, 400),
    (NotAuthenticated, 401),
    (Forbidden, 403),
    (PresenceNeeded, 403),
    (BeyondOwnScopes, 403),
    (WrongCode, 403),
    (NotFound, 404),
    (Refused, 409),
    (StillRunning, 409),
    (KeyTaken, 409),
    (Invalid, 422),
    (TooMany, 429),
    (Busy, 503),
    (Misconfigured, 503),
    (InvariantBroken, 500),
)


OF_HEADERS: dict[type[ChambersError], str] = {
    MalformedKey: "Idempotency-Key",
    KeyUsedForOtherContent: "Idempotency-Key",
    NotVerified: "Stripe-Signature",
}
"""What is wrong with a header, and with which."""

SENTENCES = {
    404: "There is nothing at this address; /openapi.json lists what there is.",
    405: "This address does not take this method; the Allow header names those it takes.",
    414: "The address is too long; use a shorter one, and send what is large in a body.",
}
"""What we say instead of the framework's words."""

NAMES = {413: "Content Too Large", 414: "URI Too Long", 422: "Unprocessable Content"}
"""What the standard calls these by now, as the server and the proxy in front of us do (RFC 9110)."""


def problem(
    status: int, slug: str, detail: str, *, title: str | None = None, errors: list[Place] | None = None
) -> Response:
    """A problem document as a response."""
    body = document(status, slug, detail, title=title)
    if errors:
        body["errors"] = errors
    g.problem = slug
    return Response(json.dumps(body), status=status, content_type="application/problem+json")


def document(status: int, slug: str, detail: str, *, title: str | None = None) -> dict[str, Any]:
    """A problem document; its request id is the one of the request, or of who asked for the work."""
    return {
        "type": TYPE + slug,
        "title": title or slug.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "request_id": g.get("request_id", ""),
    }


def register(app: Flask) -> None:
    app.register_error_handler(KeyTaken, replay_after)
    app.register_error_handler(Unsettled, read_again)
    app.register_error_handler(ChambersError, _of_ours)
    app.register_error_handler(ValidationError, _of_schema)
    app.register_error_handler(UnreadableParameter, _of_parameter)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(DBAPIError, _of_database)
    app.register_error_handler(Exception, _of_anything)


def status_of(error: ChambersError) -> int:
    return status_of_kind(type(error))


def status_of_kind(found: type[ChambersError]) -> int:
    return next((status for kind, status in STATUS if issubclass(found, kind)), 500)


def _of_ours(error: ChambersError) -> Response:
    hidden = isinstance(error, NotFound) and _sees_only_own()
    if hidden or isinstance(error, DENIED):
        # What is another's and what is not there cost the same, so that nobody tells them apart by the time they take.
        _put_on_record(error)
    if hidden:
        return problem(404, "not-found", "There is no such thing.")
    status = status_of(error)
    if status == 500:
        log.error("invariant broken: %s", error.message, exc_info=error)
        return _internal()
    response = problem(status, error.slug(), error.message, errors=_places(error))
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Busy):
        response.headers["Retry-After"] = "1"
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _places(error: ChambersError) -> list[Place]:
    """Where in the request the fault lies, if in one place of it."""
    header = next((name for kind, name in OF_HEADERS.items() if isinstance(error, kind)), None)
    if header is not None:
        return [places.of_header(header, error.message)]
    field = getattr(error, "field", None)
    found = places.of_field(field, error.message) if field else None
    return [] if found is None else [found]


def _put_on_record(error: ChambersError) -> None:
    """Note the denied attempt, in a transaction of its own: what the request held back comes to nothing anyway."""
    actor = g.get("actor")
    if actor is None:
        return
    drop_held()
    try:
        with envelope.wrapping(envelope.Envelope()):
            route = f"{request.method} {request.endpoint}"
            denials.note(actor, route, error.message, address=request.path, now=g.now)
    except (ChambersError, DBAPIError) as failure:
        log.error("a denied attempt was not put on record", exc_info=failure)


def _sees_only_own() -> bool:
    actor = g.get("actor")
    return actor is not None and actor.role in (Role.MAINTAINER, Role.CLIENT)


def _of_schema(error: ValidationError) -> Response:
    """A parameter is of another type than a body: which of the two a program has to mend, it knows by that."""
    found = places.of_messages(error.messages) or [{"pointer": "", "detail": "it is not valid."}]
    detail = f"{places.named(found[0])}: {found[0]['detail']}"
    if "parameter" in found[0]:
        return problem(422, "invalid-parameter", detail, title="A parameter is not valid", errors=found)
    return problem(422, "invalid-body", detail, title="The body is not valid", errors=found)


def _of_parameter(error: UnreadableParameter) -> Response:
    return _of_schema(ValidationError({"query": {error.parameter: [error.description]}}))


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    detail = _too_large() if status == 413 else SENTENCES.get(status) or error.description or error.name
    found = [places.of_header("If-Match", detail)] if status == 428 else None
    name = NAMES.get(status, error.name)
    response = problem(status, name.lower().replace(" ", "-"), detail, title=name, errors=found)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _too_large() -> str:
    """JSON may be of 1 MB, a file of as much as its route takes."""
    most = (request.max_content_length or 1_000_000) // 1_000_000
    return f"The body is too large; send at most {most} MB."


def _of_database(error: DBAPIError) -> Response:
    if may_be_retried(error) or is_lock_wait(error):
        # Five times in a row it fell to other writers; each time it was undone.
        return _of_ours(Busy("Many are writing to the books just now; nothing was changed, try again in a moment."))
    log.error("database error: %s", type(error.orig).__name__, exc_info=error)
    if error.connection_invalidated or error.statement is None:
        response = problem(503, "database-away", "The database is not reachable; try again in a moment.")
        response.headers["Retry-After"] = "2"
        return response
    return _internal()


def _of_anything(error: Exception) -> Response:
    log.error("unexpected: %s", type(error).__name__, exc_info=error)
    return _internal()


def _internal() -> Response:
    detail = "Something went wrong here, not with your request; quote the request id when you report it."
    return problem(500, "internal-error", detail, title="Internal error")
