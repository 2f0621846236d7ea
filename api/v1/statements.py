"""Statements, as JSON, HTML and PDF from the same frozen figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from api import operations
from api.auth import current_actor, now, own
from api.blueprints import Blueprint
from api.fields import MomentField, MonthField, Schema, Text, Whole
from api.filters import MaintainerQuery, maintainer_id_of
from api.paging import page, page_schema
from api.rendering import rendered
from api.v1.operations import OperationSchema
from firm.db import AnyRow, reading
from firm.month import Month
from payouts.statements import operations as issuing
from payouts.statements import queries as statements

blueprint = Blueprint("statements", __name__, description="A maintainer's account of a month")


class StatementSchema(Schema):
    """An issued statement; `figures` is what the paper says."""

    id = ma.fields.String()
    number = ma.fields.String()
    maintainer_id = ma.fields.String()
    month = MonthField()
    version = ma.fields.Integer(metadata={"description": "1, or higher for one that corrects the first."})
    corrects_id = ma.fields.String(allow_none=True)
    corrected_by_id = ma.fields.String(
        allow_none=True, metadata={"description": "The statement that was issued in its place."}
    )
    reason = ma.fields.String(allow_none=True, metadata={"description": "Why it was issued again."})
    sha256 = ma.fields.String()
    issued_at = MomentField()


class WholeStatementSchema(StatementSchema):
    """A statement with its figures."""

    figures = ma.fields.Dict()


class LineExplanation(Schema):
    """Another explanation of a line of earnings; the first line is 1."""

    line = Whole(required=True, least=1, most=10_000)
    explanation = Text(required=True, most=500)


class StatementCorrection(Schema):
    """Why a statement is issued again, and what its lines of earnings should say."""

    reason = Text(required=True, most=400)
    explanations = ma.fields.List(ma.fields.Nested(LineExplanation), load_default=list)


class StatementQuery(MaintainerQuery):
    """Filters of the list of statements."""

    month = MonthField(load_default=None)


@blueprint.route("/statements", methods=["GET"])
@blueprint.arguments(StatementQuery, location="query")
@blueprint.response(200, page_schema(StatementSchema))
def listed(query: dict[str, Any]) -> Any:
    """List statements; maintainers see their own."""
    with reading() as session:
        maintainer_id = maintainer_id_of(session, query)
        return page(
            query,
            StatementSchema(),
            lambda part: _shapes(
                session, statements.page(session, part, maintainer_id=maintainer_id, month=query["month"])
            ),
            key=lambda shape: str(shape["id"]),
        )


@blueprint.route("/statements/<key>", methods=["GET"])
@blueprint.response(200, WholeStatementSchema)
def shown(key: str) -> Any:
    """Show a statement with its figures, by id or number."""
    with reading() as session:
        row = statements.find(session, key)
        own(row.maintainer_id)
        [shape] = _shapes(session, [row])
    return shape | {"figures": statements.figures(row)}


@blueprint.route("/statements/<key>/<any(pdf, html):form>", methods=["GET"])
@blueprint.response(200, content_type="application/pdf")
@blueprint.alt_response(200, content_type="text/html", success=True)
def paper(key: str, form: str) -> Any:
    """Render a statement; the same bytes each time."""
    with reading() as session:
        row = statements.find(session, key)
        own(row.maintainer_id)
    return rendered(statements.figures(row), row.number, form)


@blueprint.route("/statements/<key>/correction", methods=["POST"])
@blueprint.arguments(StatementCorrection)
@blueprint.response(201, WholeStatementSchema)
def corrected(body: dict[str, Any], key: str) -> Any:
    """Issue a statement again with today's names, addresses and references; the first stays as it is."""
    explanations = {one["line"]: one["explanation"] for one in body["explanations"]}
    row = issuing.correct(key, reason=body["reason"], explanations=explanations, by=current_actor(), now=now())
    return {**row._mapping, "corrected_by_id": None, "figures": statements.figures(row)}


@blueprint.route("/months/<month:month>/statements/papers", methods=["POST"])
@blueprint.response(202, OperationSchema)
def papers_made(month: Month) -> Any:
    """Have the worker write every statement of the month as PDF into the folder of its settings."""
    with reading() as session:
        statements.refuse_none(session, month)
    return operations.accept("statements.render", {"month": str(month)})


def _shapes(session: Session, rows: Sequence[AnyRow]) -> list[dict[str, Any]]:
    corrected = statements.corrections_of(session, [row.id for row in rows])
    return [{**row._mapping, "corrected_by_id": corrected.get(row.id)} for row in rows]
