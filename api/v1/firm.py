"""The firm itself."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor
from api.blueprints import Blueprint
from api.fields import MonthField, Schema
from firm.actor import Role
from firm.db import reading
from firm.profile import operations as profiles

blueprint = Blueprint("firm", __name__, description="The firm, its books' currency and its time zone")


INSIDE = {"description": "Shown to those who work in the firm.", "x-withheld": True}


class FirmSchema(Schema):
    """What papers say of the firm, and how its books are kept."""

    name = ma.fields.String(required=True)
    email = ma.fields.String(required=True)
    currency = ma.fields.String(required=True)
    time_zone = ma.fields.String(required=True)
    first_month = MonthField(metadata=INSIDE)
    sole_approval = ma.fields.Boolean(metadata=INSIDE)


OUTSIDE = ("name", "email", "currency", "time_zone")
"""What maintainers and clients are shown: how the firm keeps its books is its own affair."""


@blueprint.route("/firm", methods=["GET"])
@blueprint.response(200, FirmSchema)
def show() -> Any:
    """Show the firm."""
    with reading() as session:
        profile = profiles.current(session)
    if current_actor().role in (Role.MAINTAINER, Role.CLIENT):
        return {name: getattr(profile, name) for name in OUTSIDE}
    return profile
