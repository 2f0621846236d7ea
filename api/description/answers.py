"""Every status an operation can answer, as shared responses with their headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.blueprints import PROBLEM_TYPE
from api.errors import TYPE

HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "X-Request-Id": ("The request's id: the caller's own if it was well formed.", {"type": "string"}),
    "RateLimit-Policy": ("How many requests a minute the token has.", {"type": "string"}),
    "RateLimit": ("How many of them are left, and for how many seconds.", {"type": "string"}),
    "ETag": ("The version of what was answered, for If-None-Match and If-Match.", {"type": "string"}),
    "Link": ("The next page, as `next` in the body says.", {"type": "string"}),
    "Idempotent-Replayed": ("That this is the first answer again; nothing was done.", {"enum": ["true"]}),
    "Content-Disposition": ("The file's name.", {"type": "string"}),
    "Retry-After": ("In how many seconds the same request may succeed.", {"type": "integer", "minimum": 1}),
    "WWW-Authenticate": ("`Bearer`.", {"type": "string"}),
    "Location": ("Where the new thing is shown (201), or the operation can be watched (202).", {"type": "string"}),
    "Preference-Applied": ("`respond-async`, when it answers 202.", {"type": "string"}),
}

ALWAYS = ("X-Request-Id", "RateLimit-Policy", "RateLimit")

PROBLEMS: dict[str, tuple[str, str, str, str]] = {
    "400": ("BadRequest", "malformed-key", "The request cannot be read", "Send an Idempotency-Key of 1 to 255 …"),
    "401": ("Unauthorized", "not-authenticated", "No valid token", "Send a valid token as `Authorization: Bearer …`."),
    "403": ("Forbidden", "forbidden", "Not this role, scope, or without presence", "The role client may not do this."),
    "404": ("NotFound", "not-found", "Not there, or not yours to see", "There is no such thing."),
    "409": (
        "Conflict",
        "month-not-over",
        "A rule of the business or the state of the books",
        "November 2026 is not over; close it when it is.",
    ),
    "412": (
        "PreconditionFailed",
        "precondition-failed",
        "Somebody else came first",
        "Somebody changed this since you read it; read it again, and decide anew.",
    ),
    "413": (
        "ContentTooLarge",
        "content-too-large",
        "The body is too large",
        "The body is too large; send at most 1 MB.",
    ),
    "414": (
        "UriTooLong",
        "uri-too-long",
        "The address is too long",
        "The address is too long; use a shorter one, and send what is large in a body.",
    ),
    "415": (
        "UnsupportedMediaType",
        "unsupported-media-type",
        "Not application/json, or compressed",
        "Send the body as application/json, not compressed.",
    ),
    "422": (
        "UnprocessableContent",
        "invalid-body",
        "A value is wrong, whatever the state of the books",
        "/fee: Amount and currency are strings.",
    ),
    "428": (
        "PreconditionRequired",
        "precondition-required",
        "No If-Match",
        "Send the ETag of what you have seen as If-Match; reading it again gives the newest.",
    ),
    "429": ("TooManyRequests", "too-many", "The allowance is spent", "Wait 20 seconds and try again."),
    "500": (
        "InternalError",
        "internal-error",
        "Our fault",
        "Something went wrong here, not with your request; quote the request id when you report it.",
    ),
    "503": (
        "ServiceUnavailable",
        "busy",
        "Somebody else is writing, or the database is away",
        "Somebody else is writing just now; try again in a moment.",
    ),
}
"""The name, an example's type, what the status means, and an example's sentence."""

PLACES = {
    "400": {"header": "Idempotency-Key"},
    "422": {"pointer": "/fee"},
    "428": {"header": "If-Match"},
}
"""Where in the request an example's fault lies."""

_HEADERS_OF = {"401": ("WWW-Authenticate",), "409": ("Retry-After",), "429": ("Retry-After",), "503": ("Retry-After",)}


def components() -> dict[str, Any]:
    """The shared headers and responses."""
    headers = {name: {"description": text, "schema": schema} for name, (text, schema) in HEADERS.items()}
    responses = {name: _problem(status, *rest) for status, (name, *rest) in PROBLEMS.items()}
    return {"headers": headers, "responses": responses | {"NotModified": _not_modified()}}


def problem(status: str) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{PROBLEMS[status][0]}"}


def not_modified() -> dict[str, str]:
    return {"$ref": "#/components/responses/NotModified"}


def headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*ALWAYS, *names)}


def _problem(status: str, slug: str, meaning: str, sentence: str) -> dict[str, Any]:
    return {
        "description": meaning,
        "headers": headers(*_HEADERS_OF.get(status, ())),
        "content": {
            PROBLEM_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": _example(int(status), slug, sentence),
            }
        },
    }


def _example(status: int, slug: str, sentence: str) -> Mapping[str, object]:
    place = PLACES.get(str(status))
    return {
        "type": TYPE + slug,
        "title": slug.replace("-", " ").capitalize(),
        "status": status,
        "detail": sentence,
        "request_id": "req_01KBXW5Z3Q9F4T2M8R6A7C1D0E",
    } | ({"errors": [place | {"detail": sentence.removeprefix("/fee: ")}]} if place else {})


def _not_modified() -> dict[str, Any]:
    return {"description": "What the caller has is current (If-None-Match)", "headers": headers("ETag")}
