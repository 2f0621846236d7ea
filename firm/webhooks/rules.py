"""Secrets and signatures, as Standard Webhooks has them (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from datetime import datetime, timedelta

PREFIX = "whsec_"
OVERLAP = timedelta(hours=24)
"""For how long after a rotation messages are signed with the old secret as well."""

DELAYS = tuple(
    timedelta(seconds=seconds)
    for seconds in (10, 60, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 18 * 3600, 24 * 3600)
)
"""Between the tries of one delivery: eleven tries over three days."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(os.urandom(32)).decode()


def headers(message_id: str, body: str, secrets: Sequence[str], *, now: datetime) -> dict[str, str]:
    """The headers of a message, with one signature for each secret that is good now."""
    seconds = int(now.timestamp())
    signatures = " ".join(f"v1,{_signature(secret, f'{message_id}.{seconds}.{body}')}" for secret in secrets)
    return {"webhook-id": message_id, "webhook-timestamp": str(seconds), "webhook-signature": signatures}


def _signature(secret: str, text: str) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
