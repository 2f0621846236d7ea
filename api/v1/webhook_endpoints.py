"""Webhook endpoints: where events are sent."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import Flag, MomentField, Schema, Text
from api.paging import PageQuery, page, page_schema
from api.parts import parts
from firm.db import reading
from firm.webhooks import endpoints
from firm.webhooks.addresses import MOST_URL
from firm.webhooks.catalogue import CATALOGUE
from firm.webhooks.model import WebhookEndpoint

blueprint = Blueprint("webhook_endpoints", __name__, description="Where events are sent")


def _types(**options: Any) -> Any:
    known = ma.fields.String(validate=ma.validate.OneOf(list(CATALOGUE)))
    most = ma.validate.Length(max=len(CATALOGUE))
    return ma.fields.List(known, validate=most, metadata={"description": "Empty for all of them."}, **options)


class EndpointDraft(Schema):
    """A public https address, and the types of event it wants."""

    url = Text(required=True, most=MOST_URL, metadata={"examples": ["https://tools.example.com/chambers"]})
    types = _types(load_default=list)
    description = Text(least=0, most=200, load_default="")


class EndpointChange(Schema):
    """What to change; what is left out stays as it is."""

    enabled = Flag()
    types = _types()
    description = Text(least=0, most=200)


class EndpointSchema(Schema):
    """An endpoint, without its secret."""

    id = ma.fields.String()
    url = ma.fields.String()
    types = ma.fields.List(ma.fields.String(), attribute="wanted")
    description = ma.fields.String()
    state = ma.fields.String(validate=ma.validate.OneOf(["enabled", "disabled"]))
    reason = ma.fields.String(allow_none=True, metadata={"description": "Why it is disabled."})
    previous_until = MomentField(
        allow_none=True, metadata={"description": "Until when messages are signed with the secret before as well."}
    )
    created_at = MomentField()
    created_by = ma.fields.String()


class NewEndpointSchema(EndpointSchema):
    """An endpoint with its new secret, which is shown this once."""

    secret = ma.fields.String()


@blueprint.route("/webhook-endpoints", methods=["GET"])
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(EndpointSchema))
def listed(query: dict[str, Any]) -> Any:
    """List webhook endpoints."""
    with reading() as session:
        return page(
            query,
            EndpointSchema(),
            lambda part: endpoints.page(session, part),
        )


@blueprint.route("/webhook-endpoints", methods=["POST"])
@blueprint.arguments(EndpointDraft)
@blueprint.response(201, NewEndpointSchema)
def added(body: dict[str, Any]) -> Any:
    """Register a webhook endpoint. Its secret is shown this once."""
    endpoint, secret = endpoints.add(
        url=body["url"],
        types=body["types"],
        description=body["description"],
        sender=parts().sender,
        keys=parts().keys,
        by=current_actor(),
        now=now(),
    )
    return _new(endpoint, secret)


@blueprint.route("/webhook-endpoints/<key>", methods=["GET"])
@blueprint.response(200, EndpointSchema)
def shown(key: str) -> Any:
    """Show a webhook endpoint."""
    with reading() as session:
        return endpoints.find(session, key)


@blueprint.route("/webhook-endpoints/<key>", methods=["PATCH"])
@blueprint.arguments(EndpointChange)
@blueprint.response(200, EndpointSchema)
def changed(body: dict[str, Any], key: str) -> Any:
    """Change what a webhook endpoint gets, disable it, or enable it again."""
    return endpoints.change(key, **body, by=current_actor(), now=now())


@blueprint.route("/webhook-endpoints/<key>", methods=["DELETE"])
@blueprint.response(204)
def removed(key: str) -> None:
    """Remove a webhook endpoint with its secret; the log of its deliveries stays."""
    endpoints.remove(key, by=current_actor(), now=now())


@blueprint.route("/webhook-endpoints/<key>/rotation", methods=["POST"])
@blueprint.response(201, NewEndpointSchema)
def rotated(key: str) -> Any:
    """Give a webhook endpoint a new secret, shown this once; for a day messages are signed with both."""
    endpoint, secret = endpoints.rotate(key, keys=parts().keys, by=current_actor(), now=now())
    return _new(endpoint, secret)


def _new(endpoint: WebhookEndpoint, secret: str) -> dict[str, Any]:
    return {field.attribute or name: getattr(endpoint, field.attribute or name) for name, field in _FIELDS} | {
        "secret": secret
    }


_FIELDS = list(EndpointSchema().fields.items())
