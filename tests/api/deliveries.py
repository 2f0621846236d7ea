"""Stripe at our door: events signed by its own library, and delivered."""

from __future__ import annotations

import json
from typing import Any

import stripe
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from firm import clock
from firm.db import reading

PLATFORM, CONNECT = "whsec_platform", "whsec_connect"
SECRETS = {"/webhooks/stripe": PLATFORM, "/webhooks/stripe-connect": CONNECT}


def snapshot(event_id: str = "evt_1", kind: str = "transfer.created", **more: Any) -> dict[str, Any]:
    """An event with the thing as it was, as the first API sends them."""
    return {
        "id": event_id,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(clock.now().timestamp()),
        "livemode": False,
        "type": kind,
        "data": {"object": {"id": "tr_1", "object": "transfer", "amount": 430000}},
    } | more


def thin(event_id: str = "evt_2", account: str = "acct_grace", **more: Any) -> dict[str, Any]:
    """An event that only names the thing, as the second API sends them."""
    return {
        "id": event_id,
        "object": "v2.core.event",
        "type": "v2.core.account[requirements].updated",
        "livemode": False,
        "created": clock.now().isoformat().replace("+00:00", "Z"),
        "context": None,
        "related_object": {"id": account, "type": "v2.core.account", "url": f"/v2/core/accounts/{account}"},
    } | more


def signed(body: bytes, secret: str, *, seconds: int = 0) -> str:
    made: Any = stripe.WebhookSignature
    return str(made.generate_signature_header(body.decode("latin-1"), secret, int(clock.now().timestamp()) + seconds))


def deliver(app: Flask, event: object, path: str = "/webhooks/stripe", **options: Any) -> TestResponse:
    """Deliver an event as Stripe would, or as the options say."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    header = options.pop("header", None) or signed(body, options.pop("secret", SECRETS[path]))
    headers = {"Stripe-Signature": header, **options.pop("headers", {})}
    return app.test_client().post(path, data=body, content_type="application/json", headers=headers, **options)


def rows(app: Flask, query: str) -> list[Any]:
    with app.app_context(), reading() as session:
        return [tuple(row) for row in session.execute(text(query))]
