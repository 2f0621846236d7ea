"""Statements, as JSON, HTML and PDF from the same frozen figures."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import own, own_or_none
from api.blueprints import Blueprint
from api.fields import MomentField, MonthField, Schema
from api.paging import PageQuery, page, page_schema
from api.rendering import rendered
from firm.actor import Role
from firm.db import reading
from payouts.statements import queries as statements

blueprint = Blueprint("statements", __name__, description="A maintainer's account of a month")


class StatementSchema(Schema):
    """An issued statement; `figures` is what the paper says."""

    id = ma.fields.String()
    number = ma.fields.String()
    maintainer_id = ma.fields.String()
    month = MonthField()
    sha256 = ma.fields.String()
    issued_at = MomentField()


class WholeStatementSchema(StatementSchema):
    """A statement with its figures."""

    figures = ma.fields.Dict()


class StatementQuery(PageQuery):
    """Filters of the list of statements."""

    month = MonthField(load_default=None)


@blueprint.route("/statements", methods=["GET"])
@blueprint.arguments(StatementQuery, location="query")
@blueprint.response(200, page_schema(StatementSchema))
def listed(query: dict[str, Any]) -> Any:
    """List statements; maintainers see their own."""
    maintainer_id = own_or_none(Role.MAINTAINER)
    with reading() as session:
        return page(
            query,
            StatementSchema(),
            lambda after, limit: statements.page(
                session, maintainer_id=maintainer_id, month=query["month"], after=after, limit=limit
            ),
        )


@blueprint.route("/statements/<key>", methods=["GET"])
@blueprint.response(200, WholeStatementSchema)
def shown(key: str) -> Any:
    """Show a statement with its figures, by id or number."""
    with reading() as session:
        row = statements.find(session, key)
        own(row.maintainer_id)
        return {**row._mapping, "figures": statements.figures(row)}


@blueprint.route("/statements/<key>/<any(pdf, html):form>", methods=["GET"])
@blueprint.response(200, content_type="application/pdf")
@blueprint.alt_response(200, content_type="text/html", success=True)
def paper(key: str, form: str) -> Any:
    """Render a statement; the same bytes each time."""
    with reading() as session:
        row = statements.find(session, key)
        own(row.maintainer_id)
    return rendered(statements.figures(row), row.number, form)
