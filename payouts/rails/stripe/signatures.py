"""Whether a delivery was signed with a secret that we share with Stripe, and signed just now.

Judged on the raw bytes, before anything reads them. The header is `t=<seconds>,v1=<hex>[,v1=<hex>]`; each v1 is the
HMAC-SHA-256 of `<seconds>.<body>` under one secret (docs.stripe.com/webhooks, "Verify manually"). The SDK's own check
takes a moment that lies in the future, however far; this one does not.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from firm.errors import Invalid

TOLERANCE = timedelta(seconds=300)
"""How far the signed moment may lie from ours, on either side."""

MOST_HEADER = 4000
_MOMENT = re.compile(r"[1-9][0-9]{0,10}", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)


class NotVerified(Invalid):
    """A delivery that Stripe has not signed, or not now. What it says is not even read."""


def verify(raw: bytes, header: str, *, secrets: Sequence[str], now: datetime) -> None:
    """Raises `NotVerified` unless one of the secrets signed these bytes within the tolerance."""
    moment, given = _read(header)
    signed = moment.encode() + b"." + raw
    expected = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets if secret]
    # Every pair is compared, so that the time it takes does not say which of them came close.
    fits = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in given]
    if not any(fits):
        raise NotVerified("The signature is none of ours: check the endpoint's signing secret.")
    _refuse_other_time(datetime.fromtimestamp(int(moment), UTC), now)


def _read(header: str) -> tuple[str, list[str]]:
    """The moment as it is written, and the signatures of the scheme v1; other schemes are none."""
    parts = [part.strip().partition("=") for part in header.split(",")] if len(header) <= MOST_HEADER else []
    moments = [value for name, _, value in parts if name == "t"]
    given = [value for name, _, value in parts if name == "v1" and _SIGNATURE.fullmatch(value)]
    if len(moments) != 1 or _MOMENT.fullmatch(moments[0]) is None or not given:
        raise NotVerified("Send the header Stripe-Signature as Stripe writes it: one moment, and a v1 signature.")
    return moments[0], given


def _refuse_other_time(signed_at: datetime, now: datetime) -> None:
    """Only a holder of the secret comes this far, so the sentence may say what is wrong."""
    if signed_at < now - TOLERANCE:
        raise NotVerified("The delivery was signed more than 300 seconds ago; the sweep will find what it tells of.")
    if signed_at > now + TOLERANCE:
        raise NotVerified("The delivery was signed in the future; set this machine's clock, or the sender's.")
