"""The journal as a file for another program of accounting."""

from __future__ import annotations

from typing import Any

from flask import Response, stream_with_context

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import MonthField, Schema
from firm.ledger import exports

blueprint = Blueprint("ledger_exports", __name__, description="The journal as a file")

KINDS = {"hledger": ("text/plain", "journal"), "beancount": ("text/plain", "beancount"), "csv": ("text/csv", "csv")}
"""For each format the type of its content, and how its file's name ends."""


class ExportQuery(Schema):
    """The months that are exported; all unless given."""

    from_month = MonthField(load_default=None, metadata={"description": "The first month covered."})
    until_month = MonthField(load_default=None, metadata={"description": "The first month not covered."})


@blueprint.route("/ledger-exports/<form>", methods=["GET"])
@blueprint.arguments(ExportQuery, location="query")
@blueprint.response(200, content_type="text/plain")
@blueprint.alt_response(200, content_type="text/csv", success=True)
def shown(query: dict[str, Any], form: str) -> Any:
    """Export the journal as a file for hledger, for beancount, or as csv; each export is audited."""
    months = {"first": query["from_month"], "until": query["until_month"]}
    exports.note_export(form, **months, by=current_actor(), now=now())
    content_type, ending = KINDS[form]
    pieces = stream_with_context(exports.written(form, **months))
    response = Response(pieces, content_type=f"{content_type}; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=f"ledger.{ending}")
    return response
