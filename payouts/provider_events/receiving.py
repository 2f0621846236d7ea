"""Storing what was told: quickly, once, and with the promise to apply it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from firm import ids
from firm.actor import Actor, Role
from firm.audit import operations as audit
from firm.db import transaction, use_case
from firm.faults import point, reached
from firm.jobs.operations import enqueue
from payouts.provider_events import rows
from payouts.provider_events.model import ProviderEvent
from payouts.rails.stripe.values import Event

APPLY = "provider-events.apply"
DOOR = Actor("stripe-webhook", Role.SYSTEM)
"""Who stores what came in: nobody of the firm, but a signature."""

STORED = point("provider-event.stored", "An event is committed with the job that applies it, and not answered yet.")


def store(
    told: Event, *, provider: str, endpoint: str, body_sha256: str | None = None, by: Actor, now: datetime
) -> bool:
    """Keep what an event is about, and promise to apply it. False if it was here already, which is no error."""
    stored = _store(told, provider, endpoint, body_sha256, by=by, now=now)
    if stored:
        reached(STORED)
    return stored


@use_case
def _store(told: Event, provider: str, endpoint: str, body_sha256: str | None, *, by: Actor, now: datetime) -> bool:
    with transaction() as session:
        row = _row(told, provider, endpoint, body_sha256, now)
        if not rows.insert_new(session, ProviderEvent, row, ("provider", "event_id")):
            return False
        event = session.get_one(ProviderEvent, row["id"])
        facts = {"event": event.event_id, "type": event.type, "endpoint": endpoint}
        audit.record(session, "provider-event.stored", event.id, facts, after=event, by=by, now=now)
        enqueue(session, APPLY, {"event_id": event.id}, key=f"provider-event:{event.id}", by=by, now=now)
        return True


def _row(told: Event, provider: str, endpoint: str, body_sha256: str | None, now: datetime) -> dict[str, Any]:
    return {
        "id": ids.new("pve"),
        "provider": provider,
        "event_id": told.id,
        "endpoint": endpoint,
        "type": told.kind,
        "account": told.account,
        "object_id": told.object_id,
        "object_kind": told.object_kind,
        "api_version": told.api_version,
        "livemode": told.live,
        "body_sha256": body_sha256,
        "happened_at": told.created_at,
        "received_at": now,
        "state": "stored",
        "alarm": False,
    }
