"""From audit records to deliveries: each note of the outbox becomes an event, and a job for each endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor, Role
from firm.audit.model import audit_record
from firm.db import AnyRow, reading, transaction, use_case
from firm.jobs.operations import enqueue
from firm.webhooks.catalogue import CATALOGUE, body
from firm.webhooks.model import WebhookDelivery, WebhookEndpoint, WebhookEvent, webhook_outbox

DELIVER = "webhooks.deliver"
DISPATCHER = Actor("webhooks", Role.SYSTEM)
AT_ONCE = 200
"""How many notes are worked off in one transaction."""


def dispatch(*, now: datetime) -> int:
    """Work off what is in the outbox; says how many notes there were. May be repeated, also by several workers."""
    with reading() as session:
        if session.execute(select(webhook_outbox.c.audit_id).limit(1)).first() is None:
            return 0
    done = 0
    while noted := _dispatch_some(now):
        done += noted
    return done


@use_case
def _dispatch_some(now: datetime) -> int:
    with transaction() as session:
        query = (
            select(webhook_outbox.c.audit_id, audit_record.c.verb, audit_record.c.subject, audit_record.c.at)
            .join(audit_record, audit_record.c.id == webhook_outbox.c.audit_id)
            .order_by(webhook_outbox.c.audit_id)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True, of=webhook_outbox)
        )
        notes = session.execute(query).all()
        enabled = session.scalars(
            select(WebhookEndpoint).where(WebhookEndpoint.state == "enabled").order_by(WebhookEndpoint.id)
        ).all()
        for note in notes:
            _tell(session, note, [one for one in enabled if one.wants(note.verb)], now)
        session.execute(delete(webhook_outbox).where(webhook_outbox.c.audit_id.in_([note.audit_id for note in notes])))
        return len(notes)


def _tell(session: Session, note: AnyRow, endpoints: Sequence[WebhookEndpoint], now: datetime) -> None:
    if note.verb not in CATALOGUE or not endpoints:
        return
    event = WebhookEvent(
        id=ids.new("evt"),
        audit_id=note.audit_id,
        type=note.verb,
        body=body(note.verb, note.subject, note.at),
        happened_at=note.at,
    )
    session.add(event)
    session.flush()
    for endpoint in endpoints:
        delivery = WebhookDelivery(
            id=ids.new("whd"), event_id=event.id, endpoint_id=endpoint.id, state="waiting", round=1, created_at=now
        )
        session.add(delivery)
        session.flush()
        set_going(session, delivery, by=DISPATCHER, now=now)


def set_going(session: Session, delivery: WebhookDelivery, *, by: Actor, now: datetime) -> None:
    """Promise the job of a delivery's present round."""
    key = f"webhook:{delivery.id}:{delivery.round}"
    enqueue(session, DELIVER, {"delivery_id": delivery.id}, key=key, by=by, now=now)
