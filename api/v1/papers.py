"""Papers: statements and funded-work reports, as JSON, HTML and PDF from the same frozen figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from api.auth import current_actor, now, own, own_or_none
from api.blueprints import Blueprint
from api.fields import MomentField, MonthField, Schema, Text
from api.paging import PageQuery, page, page_schema
from firm.actor import Role
from firm.db import reading
from firm.documents import papers
from firm.errors import Invalid
from payouts.statements import queries as statements
from staffing.reports import operations as reports_
from staffing.reports import queries as reports

blueprint = Blueprint("papers", __name__, description="Statements and funded-work reports")

FORMATS = {"pdf": "application/pdf", "html": "text/html; charset=utf-8"}


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


class ReportSchema(Schema):
    """An issued funded-work report."""

    id = ma.fields.String()
    number = ma.fields.String()
    client_id = ma.fields.String()
    from_month = MonthField()
    until_month = MonthField(metadata={"description": "The first month not covered."})
    sha256 = ma.fields.String()
    issued_at = MomentField()


class WholeReportSchema(ReportSchema):
    """A report with its figures."""

    figures = ma.fields.Dict()


class ReportDraft(Schema):
    """A report to issue: the client by id or name, and whole months."""

    client = Text(required=True)
    from_month = MonthField(required=True)
    until_month = MonthField(required=True)


class StatementQuery(PageQuery):
    """Filters of the list of statements."""

    month = MonthField(load_default=None)


@blueprint.route("/statements", methods=["GET"])
@blueprint.arguments(StatementQuery, location="query")
@blueprint.response(200, page_schema(StatementSchema))
def statements_listed(query: dict[str, Any]) -> Any:
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
def statement_shown(key: str) -> Any:
    """Show a statement with its figures, by id or number."""
    with reading() as session:
        row = statements.find(session, key)
        own(row.maintainer_id)
        return {**row._mapping, "figures": statements.figures(row)}


@blueprint.route("/statements/<key>/<any(pdf, html):form>", methods=["GET"])
@blueprint.response(200, content_type="application/pdf")
@blueprint.alt_response(200, content_type="text/html", success=True)
def statement_paper(key: str, form: str) -> Any:
    """Render a statement; the same bytes each time."""
    with reading() as session:
        row = statements.find(session, key)
        own(row.maintainer_id)
    return _paper(statements.figures(row), row.number, form)


@blueprint.route("/funded-work-reports", methods=["GET"])
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(ReportSchema))
def reports_listed(query: dict[str, Any]) -> Any:
    """List funded-work reports; a client sees its own."""
    client_id = own_or_none(Role.CLIENT)
    with reading() as session:
        return page(
            query,
            ReportSchema(),
            lambda after, limit: reports.page(session, client_id=client_id, after=after, limit=limit),
        )


@blueprint.route("/funded-work-reports", methods=["POST"])
@blueprint.arguments(ReportDraft)
@blueprint.response(201, WholeReportSchema)
def report_issued(body: dict[str, Any]) -> Any:
    """Issue a client's report of whole months that are over."""
    if body["until_month"] <= body["from_month"]:
        raise Invalid("`until_month` is the first month not covered; it lies after `from_month`.", field="until_month")
    row = reports_.issue(**body, by=current_actor(), now=now())
    return {**row._mapping, "figures": reports.figures(row)}


@blueprint.route("/funded-work-reports/<key>", methods=["GET"])
@blueprint.response(200, WholeReportSchema)
def report_shown(key: str) -> Any:
    """Show a report with its figures, by id or number."""
    with reading() as session:
        row = reports.find(session, key)
        own(row.client_id)
        return {**row._mapping, "figures": reports.figures(row)}


@blueprint.route("/funded-work-reports/<key>/<any(pdf, html):form>", methods=["GET"])
@blueprint.response(200, content_type="application/pdf")
@blueprint.alt_response(200, content_type="text/html", success=True)
def report_paper(key: str, form: str) -> Any:
    """Render a report; the same bytes each time."""
    with reading() as session:
        row = reports.find(session, key)
        own(row.client_id)
    return _paper(reports.figures(row), row.number, form)


def _paper(figures: Mapping[str, object], number: str, form: str) -> Response:
    content = papers.pdf(figures) if form == "pdf" else papers.html(figures)
    response = Response(content, content_type=FORMATS[form])
    response.headers["Content-Disposition"] = f'inline; filename="{number}.{form}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response
