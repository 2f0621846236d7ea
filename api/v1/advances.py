"""Advances: what is outstanding of them."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.blueprints import Blueprint
from api.fields import MoneyField, Schema
from api.filters import MaintainerQuery, maintainer_id_of
from api.paging import page, page_schema
from firm.db import reading
from firm.profile import operations as profiles
from payouts.adjustments import queries

blueprint = Blueprint("advances", __name__, description="What maintainers were advanced")


class AdvanceSchema(Schema):
    """What one maintainer was advanced and months have not recovered yet."""

    maintainer_id = ma.fields.String()
    outstanding = MoneyField()


@blueprint.route("/advances", methods=["GET"])
@blueprint.arguments(MaintainerQuery, location="query")
@blueprint.response(200, page_schema(AdvanceSchema))
def listed(query: dict[str, Any]) -> Any:
    """List what is outstanding of advances; maintainers see their own."""
    with reading() as session:
        wanted = maintainer_id_of(session, query)
        outstanding = queries.outstanding(session, profiles.current(session).currency)
        rows = [
            {"maintainer_id": maintainer_id, "outstanding": amount}
            for maintainer_id, amount in outstanding.items()
            if wanted in (None, maintainer_id)
        ]
        return page(
            query,
            AdvanceSchema(),
            lambda part: part.among(rows, key=lambda row: str(row["maintainer_id"])),
            key=lambda row: str(row["maintainer_id"]),
            resumable=False,
        )
