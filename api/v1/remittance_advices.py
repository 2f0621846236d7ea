"""Remittance advices, as JSON, HTML and PDF from the same frozen figures."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now, own
from api.blueprints import Blueprint
from api.fields import MomentField, MoneyField, Schema
from api.filters import MaintainerQuery, maintainer_id_of
from api.paging import page, page_schema
from api.rendering import rendered
from firm.db import AnyRow, reading
from firm.money import Money
from payouts.remittance import operations, queries

blueprint = Blueprint("remittance_advices", __name__, description="What one payout paid for")


class AdviceSchema(Schema):
    """An issued remittance advice."""

    id = ma.fields.String()
    number = ma.fields.String()
    payout_id = ma.fields.String()
    maintainer_id = ma.fields.String()
    amount = MoneyField()
    sha256 = ma.fields.String()
    issued_at = MomentField()


class WholeAdviceSchema(AdviceSchema):
    """An advice with its figures: what the paper says."""

    figures = ma.fields.Dict()


@blueprint.route("/remittance-advices", methods=["GET"])
@blueprint.arguments(MaintainerQuery, location="query")
@blueprint.response(200, page_schema(AdviceSchema))
def listed(query: dict[str, Any]) -> Any:
    """List remittance advices; maintainers see their own."""
    with reading() as session:
        maintainer_id = maintainer_id_of(session, query)
        return page(
            query,
            AdviceSchema(),
            lambda part: [Row(row) for row in queries.page(session, part, maintainer_id=maintainer_id)],
        )


@blueprint.route("/payouts/<payout_id>/remittance-advice", methods=["POST"])
@blueprint.response(201, WholeAdviceSchema)
def issued(payout_id: str) -> Any:
    """Issue the advice of a payout that was sent; asked for again, it is the same one."""
    return Row(operations.issue(payout_id, by=current_actor(), now=now()))


@blueprint.route("/remittance-advices/<key>", methods=["GET"])
@blueprint.response(200, WholeAdviceSchema)
def shown(key: str) -> Any:
    """Show a remittance advice with its figures, by id or number."""
    return Row(_found(key))


@blueprint.route("/remittance-advices/<key>/<any(pdf, html):form>", methods=["GET"])
@blueprint.response(200, content_type="application/pdf")
@blueprint.alt_response(200, content_type="text/html", success=True)
def paper(key: str, form: str) -> Any:
    """Render a remittance advice; the same bytes each time."""
    row = _found(key)
    return rendered(queries.figures(row), row.number, form)


class Row:
    """An advice with its amount as money."""

    def __init__(self, row: AnyRow) -> None:
        for name in ("id", "number", "payout_id", "maintainer_id", "sha256", "issued_at"):
            setattr(self, name, getattr(row, name))
        self.amount = Money(row.amount_minor, row.currency)
        self.figures = queries.figures(row)


def _found(key: str) -> AnyRow:
    with reading() as session:
        row = queries.find(session, key)
        own(row.maintainer_id)
    return row
