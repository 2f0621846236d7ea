"""Importing the firm's own lists from CSV."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response

from api import policy
from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.errors import problem
from api.fields import Flag, Schema
from firm.intake.report import ImportRefused, Report
from payouts import imports

blueprint = Blueprint("imports", __name__, description="Many things at once, from a CSV file")


class ImportDraft(Schema):
    """A file to import or, with `dry_run`, to check. docs/importing.md names the columns of each kind."""

    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(list(imports.KINDS)))
    content = ma.fields.String(
        required=True,
        metadata={
            "description": "The file's text: a header, and a line for each thing.",
            "examples": ["name,country\r\nAcme,US\r\n"],
        },
    )
    dry_run = Flag(load_default=False)


class RefusalSchema(Schema):
    """Why a line was refused."""

    line = ma.fields.Integer(metadata={"description": "Of the file; its header is line 1."})
    column = ma.fields.String(metadata={"description": "Empty where the whole line is meant."})
    text = ma.fields.String(metadata={"description": "What stands there, cut when it is long."})
    sentence = ma.fields.String(metadata={"description": "What to do."})


class ImportReportSchema(Schema):
    """What a file comes to, line by line."""

    id = ma.fields.String(allow_none=True, metadata={"description": "Of the import; null when nothing was written."})
    kind = ma.fields.String(validate=ma.validate.OneOf(list(imports.KINDS)))
    sha256 = ma.fields.String(metadata={"description": "The file's digest, as the audit record keeps it."})
    total = ma.fields.Integer()
    new = ma.fields.Integer()
    known = ma.fields.Integer()
    refused = ma.fields.Integer(attribute="refused_lines")
    refusals = ma.fields.List(ma.fields.Nested(RefusalSchema), attribute="refused")


@blueprint.route("/imports", methods=["POST"])
@blueprint.arguments(ImportDraft)
@blueprint.response(201, ImportReportSchema)
@blueprint.alt_response(200, schema=ImportReportSchema)
def taken_in(body: dict[str, Any]) -> Any:
    """Import a CSV file, all of its lines or none; 200 and a report of every line for a dry run.

    A file with refused lines is answered with 422, and each of them is among the errors.
    """
    kind, raw = body["kind"], body["content"].encode()
    policy.refuse_import(current_actor(), kind)
    if body["dry_run"]:
        return imports.check(kind, raw, by=current_actor(), now=now()), 200
    try:
        return imports.import_file(kind, raw, by=current_actor(), now=now())
    except ImportRefused as error:
        return problem(422, error.slug(), error.message, errors=_errors(error.report))


@blueprint.route("/imports/templates/<kind>", methods=["GET"])
@blueprint.response(200, content_type="text/csv")
def template(kind: str) -> Any:
    """Download the header of a kind's file with one made-up line."""
    response = Response(imports.template(kind), content_type="text/csv; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=f"{kind}.csv")
    return response


def _errors(report: Report) -> list[dict[str, str]]:
    return [
        {
            "pointer": "/content",
            "line": str(refusal.line),
            "column": refusal.column,
            "text": refusal.text,
            "detail": refusal.sentence,
        }
        for refusal in report.refused
    ]
