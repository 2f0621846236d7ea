"""The audit log: who did what, when, through what, to what."""

from __future__ import annotations

import json
from typing import Any

import marshmallow as ma

from api.blueprints import Blueprint
from api.fields import MomentField, Schema, Text
from api.paging import PageQuery, page, page_schema
from firm import ids
from firm.actor import Role
from firm.audit import queries
from firm.db import AnyRow, reading

blueprint = Blueprint("audit_records", __name__, description="Who did what, when, through what")
PREFIX = "aud"


class AuditQuery(PageQuery):
    """`?subject=eng_…&actor=ada&verb=engagement.signed`."""

    subject = Text(most=200, load_default=None, metadata={"description": "The id of the thing."})
    actor = Text(most=200, load_default=None, metadata={"description": "The name of a principal."})
    verb = Text(most=60, load_default=None)


class AuditRecordSchema(Schema):
    """One record, in its place in the chain."""

    id = ma.fields.String(required=True)
    seq = ma.fields.Integer(required=True)
    hash = ma.fields.String(required=True, metadata={"description": "Binds the record to all before it."})
    at = MomentField(required=True)
    actor = ma.fields.String(required=True)
    role = ma.fields.String(required=True, validate=ma.validate.OneOf([str(role) for role in Role]))
    on_behalf_of = ma.fields.String(allow_none=True)
    token_id = ma.fields.String(allow_none=True)
    request_id = ma.fields.String(allow_none=True)
    verb = ma.fields.String(required=True)
    subject = ma.fields.String(required=True)
    before_sha256 = ma.fields.String(allow_none=True)
    after_sha256 = ma.fields.String(allow_none=True)
    facts = ma.fields.Dict(keys=ma.fields.String())


@blueprint.route("/audit-records", methods=["GET"])
@blueprint.arguments(AuditQuery, location="query")
@blueprint.response(200, page_schema(AuditRecordSchema))
def listed(query: dict[str, Any]) -> Any:
    """List audit records in the order of the chain: of everything, or of one thing, actor or verb.

    A record appears when the sequencer has given it its number, moments after its commit.
    """
    filters = {name: query[name] for name in ("subject", "actor", "verb")}

    def rows_after(after: str, limit: int) -> list[dict[str, Any]]:
        number = ids.number_of(PREFIX, after) or 0
        return [shown(row) for row in queries.page(session, **filters, after=number, limit=limit)]

    with reading() as session:
        return page(query, AuditRecordSchema(), rows_after, key=lambda row: str(row["id"]))


def shown(row: AnyRow) -> dict[str, Any]:
    """A row of the chain as callers see it: its id is its number there."""
    values = dict(row._mapping)
    return values | {"id": ids.numbered(PREFIX, row.seq), "facts": json.loads(row.facts)}


@blueprint.route("/audit-records/<record_id>", methods=["GET"])
@blueprint.response(200, AuditRecordSchema)
def record_shown(record_id: str) -> Any:
    """Show an audit record. It never changes."""
    with reading() as session:
        return shown(queries.find(session, ids.number_of(PREFIX, record_id) or 0))
