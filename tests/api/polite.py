"""What a well-made client does by itself: a key for each request, the version it has seen, a proof when asked."""

from __future__ import annotations

import uuid
from typing import Any

import pyotp
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from firm import clock
from firm.access import presence
from firm.access.tokens import Issued
from firm.actor import Actor
from tests import lovelace
from tests.databases import SECRET_KEYS


def authenticator(app: Flask, issued: Issued, by: Actor) -> str:
    """The secret of a new authenticator of the token's principal."""
    with app.app_context():
        found = presence.set_authenticator(
            issued.principal.id, issuer="Lovelace", keys=SECRET_KEYS, by=by, now=lovelace.BEFORE
        )
    return found.secret


def send(
    client: FlaskClient, method: str, path: str, headers: dict[str, str], *, secret: str = "", **options: Any
) -> TestResponse:
    """One request, sent again with what the first answer asked for: a version (428), a proof of presence (403)."""
    if method == "POST":
        headers.setdefault("Idempotency-Key", uuid.uuid4().hex)
    answer = client.open(path, method=method, headers=headers, **options)
    if answer.status_code == 403 and secret and b"/presence-needed" in answer.get_data():
        code = pyotp.TOTP(secret).at(clock.now())
        assert client.post("/v1/step-ups", json={"code": code}, headers=headers).status_code in (201, 403)
        answer = client.open(path, method=method, headers=headers, **options)
    if answer.status_code == 428 and "If-Match" not in headers:
        thing = path.rpartition("/")[0] if method == "POST" else path
        seen = client.get(thing, headers=headers)
        return send(
            client, method, path, headers | {"If-Match": seen.headers.get("ETag", "*")}, secret=secret, **options
        )
    return answer
