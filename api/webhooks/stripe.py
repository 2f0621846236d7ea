"""The two addresses that Stripe delivers to: the firm's own account, and the accounts of payees."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from api.auth import now, spend_as_stranger
from api.logs import told
from api.parts import parts
from firm.errors import Misconfigured
from payouts.provider_events import notices, receiving
from payouts.provider_events.notices import MOST_BYTES
from payouts.rails.stripe import signatures
from payouts.rails.stripe.signatures import NotVerified
from payouts.rails.stripe.values import Event

log = logging.getLogger("chambers.webhooks")

blueprint = Blueprint("provider_events", __name__)


class WebhookNotSetUp(Misconfigured):
    """A delivery came to an address whose signing secrets are not set."""


@blueprint.post("/webhooks/stripe")
def platform() -> Any:
    """What happens on the firm's own account: transfers, top-ups, payouts to the firm's bank."""
    secrets = parts().settings.stripe_signing_secrets
    return _taken("platform", secrets, setting="STRIPE_WEBHOOK_SECRETS")


@blueprint.post("/webhooks/stripe-connect")
def connect() -> Any:
    """What happens on the accounts of payees: their payouts to their banks, what Stripe still needs of them."""
    secrets = parts().settings.stripe_connect_signing_secrets
    return _taken("connect", secrets, setting="STRIPE_CONNECT_WEBHOOK_SECRETS")


def _taken(endpoint: str, secrets: Sequence[str], *, setting: str) -> Any:
    if not secrets:
        log.error("a webhook came to %s, and %s is not set: nothing can be verified", request.path, setting)
        raise WebhookNotSetUp(f"Set {setting} to the signing secret of this endpoint; until then nothing is taken.")
    raw = _raw()
    event = _verified(raw, secrets)
    stored = receiving.store(
        event,
        provider="stripe",
        endpoint=endpoint,
        body_sha256=notices.digest(raw),
        by=receiving.DOOR,
        now=now(),
    )
    outcome = "stored" if stored else "known already"
    log.info("a webhook was %s", outcome, extra=told("webhook", type=event.kind, endpoint=endpoint, outcome=outcome))
    return jsonify({"received": True})


def _raw() -> bytes:
    """The bytes as they came; what is too large or compressed is refused before anything is computed from it."""
    if request.headers.get("Content-Encoding"):
        raise UnsupportedMediaType("Send the body as it is, not compressed.")
    if request.content_length is not None and request.content_length > MOST_BYTES:
        raise RequestEntityTooLarge
    raw = request.get_data(cache=False, parse_form_data=False)
    if len(raw) > MOST_BYTES:
        raise RequestEntityTooLarge
    return raw


def _verified(raw: bytes, secrets: Sequence[str]) -> Event:
    """Raises `NotVerified`, `UnreadableEvent`, `OtherMode`; whoever cannot sign has an allowance of failures."""
    try:
        signatures.verify(raw, request.headers.get("Stripe-Signature", ""), secrets=secrets, now=now())
    except NotVerified as error:
        log.warning("a webhook was refused: %s", error.message)
        spend_as_stranger()
        raise
    event = notices.read(raw)
    notices.refuse_other_mode(event, live=parts().settings.stripe_is_live)
    return event
