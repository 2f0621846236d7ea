"""Whether a delivery was signed, judged against the generator of Stripe's own library, and more strictly than it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from payouts.provider_events import notices
from payouts.provider_events.notices import UnreadableEvent
from payouts.rails.stripe.signatures import NotVerified, verify
from tests.lovelace import AFTER

BODY = b'{"id": "evt_1", "object": "event"}'
OLD, NEW = "whsec_old", "whsec_new"


def header(body: bytes = BODY, secret: str = NEW, *, seconds: int = 0) -> str:
    """The header as Stripe's library writes it."""
    at = int((AFTER + timedelta(seconds=seconds)).timestamp())
    made: Any = stripe.WebhookSignature
    return str(made.generate_signature_header(body.decode(), secret, at))


def test_what_the_library_signs_is_verified() -> None:
    verify(BODY, header(), secrets=[NEW], now=AFTER)


@given(st.text(max_size=200), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_whatever_the_body_and_the_secret(text: str, secret: str) -> None:
    body = text.encode("utf-8", "replace")
    verify(body, header(body, secret), secrets=[secret], now=AFTER)
    with pytest.raises(NotVerified):
        verify(body + b" ", header(body, secret), secrets=[secret], now=AFTER)


@pytest.mark.parametrize("signed_with", [OLD, NEW])
def test_during_a_rotation_either_secret_is_taken(signed_with: str) -> None:
    verify(BODY, header(secret=signed_with), secrets=[NEW, OLD], now=AFTER)


def test_of_two_signatures_one_is_enough() -> None:
    """Stripe signs with both secrets while it rotates one of its own."""
    moment, good = header().split(",")
    verify(BODY, f"{moment},v1={'0' * 64},{good},v0={'1' * 64}", secrets=[NEW], now=AFTER)


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_within_five_minutes_on_either_side_it_is_taken(seconds: int) -> None:
    verify(BODY, header(seconds=seconds), secrets=[NEW], now=AFTER)


@pytest.mark.parametrize("seconds", [-301, -86_400, 301, 3600])
def test_what_is_stale_or_of_the_future_is_refused(seconds: int) -> None:
    with pytest.raises(NotVerified, match="signed"):
        verify(BODY, header(seconds=seconds), secrets=[NEW], now=AFTER)


def test_the_moment_is_part_of_what_is_signed() -> None:
    stale = header(seconds=-400)
    fresh = header().split(",")[0] + "," + stale.split(",")[1]
    with pytest.raises(NotVerified, match="none of ours"):
        verify(BODY, fresh, secrets=[NEW], now=AFTER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "t=,v1=",
        f"v1={'0' * 64}",
        header().split(",")[0],
        header() + f",t={int(AFTER.timestamp())}",
        header().replace("t=", "t=-"),
        header().replace("t=", "t=0"),
        header().replace("v1=", "v0="),
        header().upper(),
        header().replace("v1=", "v1=é"),
        "t=99999999999999999999," + header().split(",")[1],
        header() + ",v1=" + "0" * 5000,
    ],
)
def test_a_header_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(NotVerified):
        verify(BODY, text, secrets=[NEW], now=AFTER)


@pytest.mark.parametrize("secrets", [[], [""], [OLD], ["", OLD]])
def test_without_the_secret_nothing_is_verified(secrets: list[str]) -> None:
    with pytest.raises(NotVerified):
        verify(BODY, header(), secrets=secrets, now=AFTER)


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(NotVerified):
        verify(BODY, header(secret=""), secrets=[""], now=AFTER)


@given(st.binary(max_size=300))
def test_what_is_signed_and_no_event_is_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadableEvent):
        notices.read(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b"null",
        b"1" * 5000,
        b"[" * 100_000,
        b'{"object": "event"}',
        b'{"object": "charge", "id": "evt_1"}',
        b'{"object": "event", "id": "evt 1", "type": "transfer.created", "livemode": false, "created": 1}',
        b'{"object": "event", "id": "evt_1", "type": "T\xc3\xa4", "livemode": false, "created": 1}',
        b'{"object": "event", "id": "evt_1", "type": "transfer.created", "livemode": 0, "created": 1}',
        b'{"object": "event", "id": "evt_1", "type": "transfer.created", "livemode": false, "created": true}',
        b'{"object": "event", "id": "evt_1", "type": "transfer.created", "livemode": false, "created": 1e300}',
        b'{"object": "event", "id": "evt_1", "type": "transfer.created", "livemode": false, "created": 99999999999999}',
        b'{"object": "event", "id": "evt_1", "type": "transfer.created", "livemode": false, "created": "2026-11-01"}',
    ],
)
def test_poisoned_events_are_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadableEvent):
        notices.read(raw)
