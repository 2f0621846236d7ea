"""Funded-work reports, as JSON, HTML and PDF from the same frozen figures."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api import evidence
from api.auth import current_actor, now, own
from api.blueprints import Blueprint
from api.fields import MomentField, MonthField, Schema, Text
from api.filters import ClientQuery, client_id_of
from api.paging import page, page_schema
from api.rendering import rendered
from firm.db import reading
from staffing.reports import operations as reports_
from staffing.reports import queries as reports
from staffing.reports.rules import InvalidPeriod

blueprint = Blueprint("funded_work_reports", __name__, description="A client's account of a period")


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
    until_month = MonthField(required=True, metadata={"description": "The first month not covered."})


class ReportQuery(ClientQuery):
    """Filters of the list of reports."""

    month = MonthField(load_default=None, metadata={"description": "Only those that cover this month."})


@blueprint.route("/funded-work-reports", methods=["GET"])
@blueprint.arguments(ReportQuery, location="query")
@blueprint.response(200, page_schema(ReportSchema))
def listed(query: dict[str, Any]) -> Any:
    """List funded-work reports; a client sees its own."""
    with reading() as session:
        client_id = client_id_of(session, query)
        return page(
            query,
            ReportSchema(),
            lambda part: reports.page(session, part, client_id=client_id, month=query["month"]),
        )


@blueprint.route("/funded-work-reports", methods=["POST"])
@blueprint.arguments(ReportDraft)
@blueprint.response(201, WholeReportSchema)
def issued(body: dict[str, Any]) -> Any:
    """Issue a client's report of whole months that are over."""
    if body["until_month"] <= body["from_month"]:
        sentence = "`until_month` is the first month not covered; it lies after `from_month`."
        raise InvalidPeriod(sentence, field="until_month")
    evidence.keep(now=now())
    row = reports_.issue(**body, by=current_actor(), now=now())
    return {**row._mapping, "figures": reports.figures(row)}


@blueprint.route("/funded-work-reports/<key>", methods=["GET"])
@blueprint.response(200, WholeReportSchema)
def shown(key: str) -> Any:
    """Show a report with its figures, by id or number."""
    with reading() as session:
        row = reports.find(session, key)
        own(row.client_id)
        return {**row._mapping, "figures": reports.figures(row)}


@blueprint.route("/funded-work-reports/<key>/<any(pdf, html):form>", methods=["GET"])
@blueprint.response(200, content_type="application/pdf")
@blueprint.alt_response(200, content_type="text/html", success=True)
def paper(key: str, form: str) -> Any:
    """Render a report; the same bytes each time."""
    with reading() as session:
        row = reports.find(session, key)
        own(row.client_id)
    return rendered(reports.figures(row), row.number, form)
