"""Maintainers and their aliases."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now, own
from api.blueprints import Blueprint
from api.fields import Country, Lines, MomentField, Schema, Text
from api.paging import PageQuery, page, page_schema
from api.shapes import shown_destination, with_parts
from firm.actor import Role
from firm.db import reading
from payouts.destinations import queries as destinations
from payouts.destinations.model import SHOWN_STATES
from staffing.maintainers import operations, queries
from staffing.maintainers.model import GRADES, WORKS_AS

blueprint = Blueprint("maintainers", __name__, description="The people who maintain packages")


class Person(Schema):
    """What is said of a maintainer when they are added, and ever after."""

    name = Text(required=True)
    email = Text(required=True)
    country = Country(required=True)
    grade = ma.fields.String(required=True, validate=ma.validate.OneOf(GRADES))
    works_as = ma.fields.String(required=True, validate=ma.validate.OneOf(WORKS_AS))


class MaintainerSchema(Person):
    """A maintainer."""

    id = ma.fields.String(dump_only=True)
    address = Lines(dump_only=True)


class MaintainerDraft(Person):
    """A maintainer to add."""

    address = ma.fields.List(Text(), load_default=list, validate=ma.validate.Length(max=8))


class MaintainerChange(Schema):
    """What is to change; what is not named stays. A new name or e-mail address becomes an alias beside the old ones."""

    name = Text(least=1)
    email = Text(least=1)
    country = Country()
    grade = ma.fields.String(validate=ma.validate.OneOf(GRADES))
    works_as = ma.fields.String(validate=ma.validate.OneOf(WORKS_AS))
    address = ma.fields.List(Text(), validate=ma.validate.Length(max=8))


class AliasDraft(Schema):
    """A name or an address under which a maintainer appears."""

    name = Text(load_default=None)
    email = Text(load_default=None)


class AliasSchema(Schema):
    """One alias."""

    kind = ma.fields.String(validate=ma.validate.OneOf(["name", "email"]))
    value = ma.fields.String()


class AliasesSchema(Schema):
    """All aliases of a maintainer."""

    aliases = ma.fields.List(ma.fields.Nested(AliasSchema))


class DestinationInForceSchema(Schema):
    """Where pay goes; of an account only the last four characters are ever shown."""

    id = ma.fields.String()
    rail = ma.fields.String()
    holder = ma.fields.String()
    country = ma.fields.String()
    iban_last4 = ma.fields.String(allow_none=True)
    created_at = MomentField()
    state = ma.fields.String(validate=ma.validate.OneOf(SHOWN_STATES))
    usable_from = MomentField(allow_none=True)


class WholeMaintainerSchema(MaintainerSchema):
    """A maintainer with the aliases, the destination in force, and the one that is proposed."""

    aliases = ma.fields.List(ma.fields.Nested(AliasSchema))
    destination = ma.fields.Nested(DestinationInForceSchema, allow_none=True)
    proposed_destination = ma.fields.Nested(DestinationInForceSchema, allow_none=True)


@blueprint.route("/maintainers", methods=["GET"])
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(MaintainerSchema))
def listed(query: dict[str, Any]) -> Any:
    """List maintainers."""
    with reading() as session:
        return page(
            query,
            MaintainerSchema(),
            lambda part: queries.page(session, part),
        )


@blueprint.route("/maintainers", methods=["POST"])
@blueprint.arguments(MaintainerDraft)
@blueprint.response(201, MaintainerSchema)
def added(body: dict[str, Any]) -> Any:
    """Add a maintainer."""
    return operations.add(**body, by=current_actor(), now=now())


@blueprint.route("/maintainers/<key>", methods=["GET"])
@blueprint.response(200, WholeMaintainerSchema)
def shown(key: str) -> Any:
    """Show a maintainer with aliases and destination, by id or name; maintainers see themselves."""
    with reading() as session:
        maintainer = queries.find(session, visible(key))
        own(maintainer.id)
        aliases = queries.aliases_of(session, maintainer.id)
        found = destinations.in_force(session, maintainer.id)
        waiting = destinations.pending(session, maintainer.id, now=now())
    return with_parts(
        maintainer,
        aliases=aliases,
        destination=shown_destination(found, now()),
        proposed_destination=shown_destination(waiting, now()),
    )


@blueprint.route("/maintainers/<key>", methods=["PATCH"])
@blueprint.arguments(MaintainerChange)
@blueprint.response(200, MaintainerSchema)
def changed(body: dict[str, Any], key: str) -> Any:
    """Correct what is known of a maintainer. Papers that were issued keep what they say."""
    return operations.change(key, operations.Change(**body), by=current_actor(), now=now())


@blueprint.route("/maintainers/<key>/aliases", methods=["POST"])
@blueprint.arguments(AliasDraft)
@blueprint.response(201, AliasesSchema)
def alias_added(body: dict[str, Any], key: str) -> Any:
    """Add a name or an address under which a maintainer appears."""
    return {"aliases": operations.add_alias(key, **body, by=current_actor(), now=now())}


def visible(key: str) -> str:
    """Maintainers reach themselves by id only, so that a name tells them nothing about who else is there."""
    actor = current_actor()
    return own(key) if actor.role is Role.MAINTAINER else key
