"""What is parsed on the way in over HTTP: headers, cursors, query strings, and what Stripe delivers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from api import operations, paging
from firm import clock
from firm.access.rules import scopes_text, well_formed
from firm.access.tokens import issue_token
from firm.actor import Role
from payouts.provider_events import notices
from payouts.rails.stripe import signatures
from tests.api.deliveries import PLATFORM, SECRETS, signed
from tests.fuzz.inputs import blobs, events, signature_headers, texts, values
from tests.fuzz.target import Target
from tests.lovelace import BEFORE, LEAD

ON_READING = (
    "Accept",
    "If-None-Match",
    "X-Request-Id",
    "Accept-Encoding",
    "Range",
    "Host",
    "X-Forwarded-For",
    "Cookie",
)
ON_WRITING = ("Idempotency-Key", "If-Match", "Content-Type", "Content-Length", "Content-Encoding")


def targets(app: Flask) -> list[Target]:
    return [*_headers(app), *_queries(app), *_stripe(app)]


def _headers(app: Flask) -> Sequence[Target]:
    lead = _lead(app)

    def sent(method: str, path: str, name: str) -> Callable[[str], object]:
        # An empty body is refused behind the header's door: nothing changes.
        body = {"json": {}} if method != "GET" else {}
        headers = {} if name == "Authorization" else lead
        return lambda value: _held(
            app.test_client().open(path, method=method, headers=headers | {name: _line(value)}, **body)
        )

    def wish(value: str) -> object:
        with app.test_request_context(headers={"Prefer": _line(value)}):
            return operations.is_preferred()

    return (
        Target("headers", "token", texts, well_formed),
        Target("headers", "scopes", st.lists(texts, max_size=4), scopes_text),
        Target("headers", "Prefer", texts, wish, 0.3),
        Target("headers", "Authorization", texts, sent("POST", "/v1/receipts", "Authorization"), 0.3),
        *(Target("headers", name, texts, sent("PATCH", "/v1/clients/Acme", name), 0.3) for name in ON_WRITING),
        *(Target("headers", name, texts, sent("GET", "/v1/clients", name), 0.3) for name in ON_READING),
    )


def _queries(app: Flask) -> Sequence[Target]:
    lead, asked = _lead(app), _asked(app)

    def cursor(text: str) -> object:
        with app.test_request_context("/v1/clients"):
            return paging.decode(text, mark="")

    def named(question: tuple[tuple[str, str], str]) -> object:
        (path, name), value = question
        return _held(app.test_client().get(path, query_string={name: value}, headers=lead))

    def raw(question: tuple[tuple[str, str], str]) -> object:
        (path, name), tail = question
        target = f"{path}?{name}={tail}".encode("utf-8", "replace").decode("latin-1")
        return _held(app.test_client().get(path, headers=lead, environ_overrides={"QUERY_STRING": target}))

    return (
        Target("cursors and queries", "cursor", texts, cursor),
        Target("cursors and queries", "a parameter", st.tuples(st.sampled_from(asked), texts), named, 0.3),
        Target("cursors and queries", "a query string", st.tuples(st.sampled_from(asked), texts), raw, 0.3),
    )


def _asked(app: Flask) -> list[tuple[str, str]]:
    """Every list with each parameter that its description names."""
    paths: dict[str, Any] = app.extensions["openapi"]()["paths"]
    return sorted(
        (path, parameter["name"])
        for path, operations_of in paths.items()
        if "{" not in path and path.startswith("/v1") and "get" in operations_of
        for parameter in operations_of["get"].get("parameters", [])
        if parameter.get("in") == "query"
    )


def _stripe(app: Flask) -> Sequence[Target]:
    def verified(parts: tuple[bytes, str]) -> None:
        raw, header = parts
        signatures.verify(raw, header, secrets=[PLATFORM], now=clock.now())

    def delivered(parts: tuple[str, bytes, str | None]) -> object:
        path, raw, header = parts
        said = signed(raw, SECRETS[path]) if header is None else _line(header)
        headers = {"Stripe-Signature": said}
        return _held(app.test_client().post(path, data=raw, content_type="application/json", headers=headers))

    bodies = st.one_of(blobs, events.map(lambda event: json.dumps(event).encode()))
    paths = st.sampled_from(sorted(SECRETS))
    return (
        Target("Stripe", "signature", st.tuples(blobs, signature_headers), verified),
        Target("Stripe", "event", bodies, notices.read),
        Target("Stripe", "event of anything", values.map(lambda v: json.dumps(v).encode()), notices.read),
        Target("Stripe", "delivery, signed", st.tuples(paths, bodies, st.none()), delivered, 0.3),
        Target(
            "Stripe",
            "delivery, signed by nobody",
            st.tuples(paths, bodies, signature_headers),
            delivered,
            0.3,
        ),
    )


def _held(answer: TestResponse) -> TestResponse:
    if answer.status_code >= 500:
        raise AssertionError(answer.get_data(as_text=True))
    return answer


def _line(value: str) -> str:
    """As a server could hand it on: Latin-1, one line."""
    return value.encode("latin-1", "replace").decode("latin-1").replace("\r", " ").replace("\n", " ")


def _lead(app: Flask) -> dict[str, str]:
    name = f"fuzz-{len(app.extensions.setdefault('fuzz', []))}"
    app.extensions["fuzz"].append(name)
    issued = issue_token(name=name, role=Role.LEAD, by=LEAD, now=BEFORE)
    return {"Authorization": f"Bearer {issued.secret}"}
