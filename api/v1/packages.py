"""The portfolio."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import Schema, Text
from api.paging import PageQuery, page, page_schema
from firm.db import reading
from firm.portfolio import operations, queries
from firm.portfolio.model import STATES

blueprint = Blueprint("packages", __name__, description="Packages the firm maintains")


class PackageChange(Schema):
    """Where a package lives; what is not named stays."""

    ecosystem = Text(most=40, metadata={"description": "By it an advisory knows the package from another of its name."})
    repository = Text(most=300, least=0, metadata={"description": "Its public address."})
    folder = Text(least=0, metadata={"description": "Where it lives inside its repository."})


class PackageSchema(Schema):
    """A package, named as its ecosystem names it."""

    id = ma.fields.String(dump_only=True)
    name = Text(required=True, metadata={"examples": ["golang.org/x/crypto/ssh"]})
    ecosystem = Text(required=True, most=40)
    repository = Text(most=300, least=0, load_default="", metadata={"description": "Its public address."})
    folder = Text(least=0, load_default="", metadata={"description": "Where it lives inside its repository."})
    state = ma.fields.String(dump_only=True, validate=ma.validate.OneOf(STATES))


class PackageQuery(PageQuery):
    """Filters of the list of packages."""

    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(STATES))


@blueprint.route("/packages", methods=["GET"])
@blueprint.arguments(PackageQuery, location="query")
@blueprint.response(200, page_schema(PackageSchema))
def listed(query: dict[str, Any]) -> Any:
    """List packages."""
    with reading() as session:
        return page(
            query,
            PackageSchema(),
            lambda part: queries.page(session, part, state=query["state"]),
        )


@blueprint.route("/packages", methods=["POST"])
@blueprint.arguments(PackageSchema)
@blueprint.response(201, PackageSchema)
def adopted(body: dict[str, Any]) -> Any:
    """Adopt a package."""
    return operations.adopt(**body, by=current_actor(), now=now())


@blueprint.route("/packages/<path:key>", methods=["GET"])
@blueprint.response(200, PackageSchema)
def shown(key: str) -> Any:
    """Show a package, by id or name."""
    with reading() as session:
        return queries.find(session, key)


@blueprint.route("/packages/<path:key>", methods=["PATCH"])
@blueprint.arguments(PackageChange)
@blueprint.response(200, PackageSchema)
def changed(body: dict[str, Any], key: str) -> Any:
    """Correct where a package lives."""
    return operations.change(key, **body, by=current_actor(), now=now())
