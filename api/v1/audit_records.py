"""The audit log: who did what, when, through what, to what."""

from __future__ import annotations

import json
from typing import Any

import marshmallow as ma

from api.blueprints import Blueprint
from api.fields import MomentField, MomentInput, Schema, Text
from api.histories.resolving import trace_of
from api.paging import PageQuery, numbered, page, page_schema
from firm import ids
from firm.actor import Role
from firm.audit import queries
from firm.audit.search import Search
from firm.db import AnyRow, reading
from firm.listing import Slice

blueprint = Blueprint("audit_records", __name__, description="Who did what, when, through what")
NARROWING = ("actor", "on_behalf_of", "token_id", "request_id", "verb", "since", "until")


class AuditQuery(PageQuery):
    """`?subject=INV-2026-0001&since=2026-11-01T00:00:00Z`: each filter that is given narrows the list."""

    subject = Text(
        most=300,
        load_default=None,
        metadata={
            "description": "The thing whose history is wanted: its id, its name, the number of a paper, a month,"
            " `firm`, or an address of this API such as `packages/ssh`. Its history holds its own records and those of"
            " acts on something wider that made or changed it, such as a month's `invoices.issued` for an invoice."
        },
    )
    actor = Text(most=200, load_default=None, metadata={"description": "The name of a principal."})
    on_behalf_of = Text(most=200, load_default=None, metadata={"description": "For whom the actor did it."})
    token_id = Text(most=34, load_default=None, metadata={"description": "The token it came through."})
    request_id = Text(most=100, load_default=None, metadata={"description": "The `X-Request-Id` it came through."})
    verb = Text(most=60, load_default=None, metadata={"description": "What was done, such as `engagement.signed`."})
    since = MomentInput(load_default=None, metadata={"description": "From this moment on."})
    until = MomentInput(load_default=None, metadata={"description": "Before this moment."})


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
    """List audit records in the order of the chain: of everything, or what the filters leave of it.

    With `subject` this is the history of one thing, and its first record is the one that made it. A record appears
    when the sequencer has given it its number, moments after its commit.
    """

    def rows_of(part: Slice) -> list[dict[str, Any]]:
        return [shown(row) for row in queries.page(session, numbered(part, queries.PREFIX), search)]

    with reading() as session:
        trace = None if query["subject"] is None else trace_of(session, query["subject"])
        search = Search(trace, **{name: query[name] for name in NARROWING})
        return page(query, AuditRecordSchema(), rows_of, key=lambda row: str(row["id"]))


def shown(row: AnyRow) -> dict[str, Any]:
    """A row of the chain as callers see it: its id is its number there."""
    values = dict(row._mapping)
    return values | {"id": ids.numbered(queries.PREFIX, row.seq), "facts": json.loads(row.facts)}


@blueprint.route("/audit-records/<record_id>", methods=["GET"])
@blueprint.response(200, AuditRecordSchema)
def record_shown(record_id: str) -> Any:
    """Show an audit record. It never changes."""
    with reading() as session:
        return shown(queries.find(session, record_id))
