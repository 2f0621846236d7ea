"""Work items: public work, as it was imported."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import own
from api.blueprints import Blueprint
from api.fields import MomentField, MomentInput, Schema, Text
from api.filters import BY_ID_OR_NAME, MaintainerQuery, maintainer_id_of, package_id_of
from api.paging import page, page_schema
from firm.db import reading
from staffing.work import queries
from staffing.work.model import KINDS

blueprint = Blueprint("work_items", __name__, description="Public work on packages")


class WorkItemSchema(Schema):
    """One piece of public work; `maintainer_id` is null for people who are not ours."""

    id = ma.fields.String()
    package_id = ma.fields.String()
    kind = ma.fields.String(validate=ma.validate.OneOf(KINDS))
    key = ma.fields.String(metadata={"description": "A commit's hash, a release's tag, an advisory's id."})
    title = ma.fields.String()
    url = ma.fields.String()
    person = ma.fields.String()
    maintainer_id = ma.fields.String(allow_none=True)
    fixes = ma.fields.String()
    authored_at = MomentField(allow_none=True)
    happened_at = MomentField(allow_none=True)


class WorkQuery(MaintainerQuery):
    """Filters of the list."""

    package = Text(load_default=None, metadata=BY_ID_OR_NAME)
    kind = ma.fields.String(load_default=None, validate=ma.validate.OneOf(KINDS))
    since = MomentInput(load_default=None, metadata={"description": "Only what happened at or after this moment."})
    until = MomentInput(load_default=None, metadata={"description": "Only what happened before this moment."})


@blueprint.route("/work-items", methods=["GET"])
@blueprint.arguments(WorkQuery, location="query")
@blueprint.response(200, page_schema(WorkItemSchema))
def listed(query: dict[str, Any]) -> Any:
    """List work items; maintainers see their own."""
    with reading() as session:
        wanted: dict[str, Any] = {
            "package_id": package_id_of(session, query),
            "maintainer_id": maintainer_id_of(session, query),
        }
        wanted |= {name: query[name] for name in ("kind", "since", "until")}
        return page(
            query,
            WorkItemSchema(),
            lambda part: queries.page(session, part, **wanted),
        )


@blueprint.route("/work-items/<item_id>", methods=["GET"])
@blueprint.response(200, WorkItemSchema)
def shown(item_id: str) -> Any:
    """Show a work item; maintainers see their own."""
    with reading() as session:
        item = queries.find(session, item_id)
    # What is by nobody of ours has no owner: to a maintainer it is another's, as in the list.
    own(item.maintainer_id or "")
    return item
