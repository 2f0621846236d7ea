"""Webhook deliveries: what was sent where, each try, and sending it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import MomentField, Schema, Text
from api.paging import PageQuery, page, page_schema
from firm.db import AnyRow, reading
from firm.listing import Slice
from firm.webhooks import deliveries
from firm.webhooks.model import DELIVERY_STATES

blueprint = Blueprint("webhook_deliveries", __name__, description="What was sent to webhook endpoints")


class DeliveryQuery(PageQuery):
    """Filters of the list of deliveries."""

    endpoint = Text(most=34, load_default=None, metadata={"description": "Its id, also of one that was removed."})
    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(DELIVERY_STATES))


class AttemptSchema(Schema):
    """One try. No status: no answer came, whatever the reason."""

    number = ma.fields.Integer()
    at = MomentField()
    status = ma.fields.Integer(allow_none=True)
    duration_ms = ma.fields.Integer()
    answer = ma.fields.String(metadata={"description": "The beginning of what came back, at most 1 kB."})


class DeliverySchema(Schema):
    """An event for an endpoint, and how often it was tried."""

    id = ma.fields.String()
    endpoint_id = ma.fields.String()
    event_id = ma.fields.String(metadata={"description": "The `webhook-id` of the message."})
    type = ma.fields.String()
    body = ma.fields.String(metadata={"description": "The message, as it is signed and sent."})
    state = ma.fields.String(validate=ma.validate.OneOf(DELIVERY_STATES))
    created_at = MomentField()
    finished_at = MomentField(allow_none=True)
    attempts = ma.fields.List(ma.fields.Nested(AttemptSchema))


@blueprint.route("/webhook-deliveries", methods=["GET"])
@blueprint.arguments(DeliveryQuery, location="query")
@blueprint.response(200, page_schema(DeliverySchema))
def listed(query: dict[str, Any]) -> Any:
    """List deliveries with their tries; those that ended are kept for ninety days."""
    with reading() as session:

        def rows_of(part: Slice) -> list[dict[str, Any]]:
            rows = deliveries.page(session, part, endpoint=query["endpoint"], state=query["state"])
            return _shapes(session, rows)

        return page(query, DeliverySchema(), rows_of, key=lambda shape: str(shape["id"]))


@blueprint.route("/webhook-deliveries/<key>", methods=["GET"])
@blueprint.response(200, DeliverySchema)
def shown(key: str) -> Any:
    """Show a delivery with its tries."""
    with reading() as session:
        return _shapes(session, [deliveries.with_event(session, key)])[0]


@blueprint.route("/webhook-deliveries/<key>/replay", methods=["POST"])
@blueprint.response(201, DeliverySchema)
def replayed(key: str) -> Any:
    """Send a message again at once, under the id it had. Receivers tell by it that they know it."""
    deliveries.replay(key, by=current_actor(), now=now())
    with reading() as session:
        return _shapes(session, [deliveries.with_event(session, key)])[0]


def _shapes(session: Session, rows: Sequence[AnyRow]) -> list[dict[str, Any]]:
    tried = deliveries.attempts(session, [row.WebhookDelivery.id for row in rows])
    return [
        {name: getattr(row.WebhookDelivery, name) for name in _OF_DELIVERY}
        | {"type": row.WebhookEvent.type, "body": row.WebhookEvent.body}
        | {"attempts": [attempt for attempt in tried if attempt.delivery_id == row.WebhookDelivery.id]}
        for row in rows
    ]


_OF_DELIVERY = ("id", "endpoint_id", "event_id", "state", "created_at", "finished_at")
