"""Clients and their contacts."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import Country, Flag, Lines, MomentField, Schema, Text
from api.paging import PageQuery, page, page_schema
from api.shapes import with_parts
from firm.clients import operations, queries
from firm.clients.model import CONTACT_ROLES
from firm.db import reading

blueprint = Blueprint("clients", __name__, description="Companies that pay or may pay a retainer")


class ClientSchema(Schema):
    """A client company."""

    id = ma.fields.String(dump_only=True)
    name = Text(required=True)
    country = Country(required=True)
    address = Lines(dump_only=True)
    requires_po = Flag(load_default=False)
    created_at = MomentField(dump_only=True)


class ClientDraft(Schema):
    """A client to register."""

    name = Text(required=True)
    country = Country(required=True)
    address = ma.fields.List(Text(), load_default=list, validate=ma.validate.Length(max=8))
    requires_po = Flag(load_default=False)


class ClientChange(Schema):
    """What is to change; what is not named stays."""

    name = Text(least=1)
    country = Country()
    address = ma.fields.List(Text(), validate=ma.validate.Length(max=8))
    requires_po = Flag()


class ContactSchema(Schema):
    """A person at a client."""

    id = ma.fields.String(dump_only=True)
    name = Text(required=True)
    email = Text(required=True)
    role = ma.fields.String(required=True, validate=ma.validate.OneOf(CONTACT_ROLES))


class WholeClientSchema(ClientSchema):
    """A client company with its contacts."""

    contacts = ma.fields.List(ma.fields.Nested(ContactSchema), dump_only=True)


@blueprint.route("/clients", methods=["GET"])
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(ClientSchema))
def listed(query: dict[str, Any]) -> Any:
    """List clients."""
    with reading() as session:
        return page(
            query,
            ClientSchema(),
            lambda part: queries.page(session, part),
        )


@blueprint.route("/clients", methods=["POST"])
@blueprint.arguments(ClientDraft)
@blueprint.response(201, ClientSchema)
def registered(body: dict[str, Any]) -> Any:
    """Register a client."""
    return operations.register(**body, by=current_actor(), now=now())


@blueprint.route("/clients/<key>", methods=["GET"])
@blueprint.response(200, WholeClientSchema)
def shown(key: str) -> Any:
    """Show a client with its contacts, by id or name."""
    with reading() as session:
        client = queries.find(session, key)
        contacts = queries.contacts_of(session, client.id)
    return with_parts(client, contacts=contacts)


@blueprint.route("/clients/<key>", methods=["PATCH"])
@blueprint.arguments(ClientChange)
@blueprint.response(200, ClientSchema)
def changed(body: dict[str, Any], key: str) -> Any:
    """Correct what is known of a client. Papers that were issued keep what they say."""
    return operations.change(key, operations.Change(**body), by=current_actor(), now=now())


@blueprint.route("/clients/<key>/contacts", methods=["POST"])
@blueprint.arguments(ContactSchema)
@blueprint.response(201, ContactSchema)
def contact_added(body: dict[str, Any], key: str) -> Any:
    """Add a contact."""
    return operations.add_contact(key, **body, by=current_actor(), now=now())
