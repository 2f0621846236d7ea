"""Operations: long work that somebody asked for, and what became of it."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api import operations
from api.blueprints import Blueprint, ProblemSchema
from api.fields import MomentField, Schema
from api.paging import PageQuery, page, page_schema
from firm.db import reading
from firm.jobs import queries
from firm.jobs.model import STATES

blueprint = Blueprint("operations", __name__, description="Long work in the background")


class OperationSchema(Schema):
    """A piece of long work.

    `queued`, `running`, then `done` with a result, `refused` with the problem it ended with, or `parked`: it kept
    failing, and the firm's own people have been told.
    """

    id = ma.fields.String()
    kind = ma.fields.String(validate=ma.validate.OneOf(list(operations.ENDPOINTS)))
    state = ma.fields.String(validate=ma.validate.OneOf(STATES))
    done = ma.fields.Integer(metadata={"description": "Steps done."})
    total = ma.fields.Integer(allow_none=True, metadata={"description": "Steps in all, once that is known."})
    result = ma.fields.String(allow_none=True, metadata={"description": "Where the result is, when it is done."})
    problem = ma.fields.Nested(ProblemSchema, allow_none=True)
    created_at = MomentField()
    created_by = ma.fields.String()
    finished_at = MomentField(allow_none=True)


class OperationQuery(PageQuery):
    """Filters of the list of operations."""

    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(STATES))


@blueprint.route("/operations", methods=["GET"])
@blueprint.arguments(OperationQuery, location="query")
@blueprint.response(200, page_schema(OperationSchema))
def listed(query: dict[str, Any]) -> Any:
    """List operations of the last thirty days."""
    with reading() as session:
        return page(
            query,
            OperationSchema(),
            lambda part: [
                operations.shape(job)
                for job in queries.page(session, part, kinds=operations.ENDPOINTS, state=query["state"])
            ],
            key=lambda shape: str(shape["id"]),
        )


@blueprint.route("/operations/<key>", methods=["GET"])
@blueprint.response(200, OperationSchema)
def shown(key: str) -> Any:
    """Show an operation; while it is under way, `Retry-After` says when to look again."""
    with reading() as session:
        return operations.shown(operations.find(session, key))
