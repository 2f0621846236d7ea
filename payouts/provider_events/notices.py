"""Reading a verified delivery: what it is about, and nothing else of it.

A thin event is of Stripe's second API; its `context` is the account that it happened in.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

from firm.errors import Invalid
from payouts.rails.stripe.values import Event

MOST_BYTES = 256_000
"""Stripe's bodies are a few kB; what is larger is refused before anything is computed from it."""

_NAME = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_TYPE = re.compile(r"[a-z0-9_.\[\]-]{1,120}", re.ASCII)


class UnreadableEvent(Invalid):
    """Signed, and still no event."""


class OtherMode(Invalid):
    """A live event where test keys are set, or a test's event where real money moves."""


def refuse_other_mode(event: Event, *, live: bool) -> None:
    """Raises `OtherMode`."""
    if event.live != live:
        raise OtherMode("This event is of Stripe's other mode; register the endpoint and set the key in one mode.")


def read(raw: bytes) -> Event:
    """A snapshot event (`"object": "event"`) or a thin one (`"object": "v2.core.event"`). Raises `UnreadableEvent`."""
    body = _object(raw)
    thin = body.get("object") == "v2.core.event"
    if not thin and body.get("object") != "event":
        raise UnreadableEvent("The body is no event.")
    about = _about(body, thin=thin)
    return Event(
        id=_text(body, "id", _NAME),
        kind=_text(body, "type", _TYPE),
        created_at=_moment(body.get("created")),
        account=_optional(body.get("context" if thin else "account")),
        live=_flag(body.get("livemode")),
        object_id=_optional(about.get("id")),
        object_kind=_optional(about.get("type" if thin else "object")),
        api_version=_optional(body.get("api_version")),
    )


def digest(raw: bytes) -> str:
    """What proves later which bytes came."""
    return hashlib.sha256(raw).hexdigest()


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError, ValueError):
        # ValueError: Python refuses integers of thousands of digits.
        raise UnreadableEvent("The body is no JSON text.") from None
    if not isinstance(body, dict):
        raise UnreadableEvent("The body is no JSON object.")
    return body


def _about(body: dict[str, Any], *, thin: bool) -> dict[str, Any]:
    """The thing it is about: a thin event names a related object, a snapshot carries the thing as it was."""
    if thin:
        found = body.get("related_object")
    else:
        data = body.get("data")
        found = data.get("object") if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def _text(body: dict[str, Any], name: str, form: re.Pattern[str]) -> str:
    value = body.get(name)
    if not isinstance(value, str) or form.fullmatch(value) is None:
        raise UnreadableEvent(f"The event's {name} has no form that an event's {name} has.")
    return value


def _optional(value: object) -> str | None:
    """A name, or nothing: what a stranger wrote there is not kept."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise UnreadableEvent("The event does not say whether it is live.")
    return value


def _moment(value: object) -> datetime:
    """Seconds since 1970 in a snapshot, RFC 3339 in a thin event."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value, UTC)
        else:
            raise ValueError(value)
        if moment.tzinfo is None:
            raise ValueError(value)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise UnreadableEvent("The event does not say when it happened.") from None
