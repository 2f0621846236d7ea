"""The firm itself."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.blueprints import Blueprint
from api.fields import MonthField, Schema
from firm.db import reading
from firm.profile import operations as profiles

blueprint = Blueprint("firm", __name__, description="The firm, its books' currency and its time zone")


class FirmSchema(Schema):
    """What papers say of the firm, and how its books are kept."""

    name = ma.fields.String(required=True)
    email = ma.fields.String(required=True)
    currency = ma.fields.String(required=True)
    time_zone = ma.fields.String(required=True)
    first_month = MonthField(required=True)
    sole_approval = ma.fields.Boolean(required=True)


@blueprint.route("/firm", methods=["GET"])
@blueprint.response(200, FirmSchema)
def show() -> Any:
    """Show the firm."""
    with reading() as session:
        return profiles.current(session)
