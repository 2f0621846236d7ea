"""Months: preview, close, and what a close came to."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import marshmallow as ma

from api import evidence, operations
from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import MomentField, MoneyField, MonthField, Schema
from api.filters import MaintainerQuery, maintainer_id_of
from api.paging import NOT_OURS, InvalidCursor, PageQuery, page, page_schema
from api.shapes import shown_month, unclosed_month
from api.v1.operations import OperationSchema
from firm.allocation.model import FUND_KINDS
from firm.db import reading
from firm.ledger import periods
from firm.listing import Slice
from firm.month import Month
from payouts import month_end
from payouts.earnings import queries as earnings
from payouts.earnings.model import KINDS

blueprint = Blueprint("months", __name__, description="The month, from revenue to statements")

_LINE = re.compile("([a-z]+_[0-9A-Z]+):([0-9]{1,5})", re.ASCII)
"""The place of a line in a month: whose it is, and which of theirs."""


class FundSchema(Schema):
    """What one fund got of the month."""

    kind = ma.fields.String(validate=ma.validate.OneOf(FUND_KINDS))
    name = ma.fields.String()
    amount = MoneyField()


class StepSchema(Schema):
    """A finished step."""

    name = ma.fields.String()
    done_at = MomentField()
    done_by = ma.fields.String()
    items = ma.fields.Integer()


class ClosingSchema(Schema):
    """What a close came to, in the currency of the books. Figures are null until the close has begun."""

    month = MonthField()
    state = ma.fields.String(
        validate=ma.validate.OneOf(periods.STATES),
        metadata={"description": "A month that is closed takes no entry. `steps` says how far an open one's close is."},
    )
    closed = ma.fields.Boolean()
    recognized = MoneyField(allow_none=True)
    allocated = ma.fields.List(ma.fields.Nested(FundSchema), allow_none=True)
    earned = MoneyField(allow_none=True)
    residual = MoneyField(allow_none=True, metadata={"description": "Everything not earned by others."})
    payable = MoneyField(allow_none=True, metadata={"description": "Payable to maintainers now."})
    steps = ma.fields.List(ma.fields.Nested(StepSchema))
    held_back = ma.fields.List(
        ma.fields.String(),
        metadata={"description": "Clients that could not be billed, each with the reason."},
    )


class PreviewSchema(Schema):
    """What closing would come to today."""

    month = MonthField()
    first_open = MonthField(
        metadata={
            "description": "The month to close next. While it is an earlier one, the figures are of this one alone."
        }
    )
    recognized = MoneyField()
    allocated = ma.fields.List(ma.fields.Nested(FundSchema))
    earned = MoneyField()
    residual = MoneyField()
    without_terms = ma.fields.List(
        ma.fields.String(),
        metadata={"description": "Who has a paid assignment and no pay terms: the close waits for these."},
    )


class MonthSchema(Schema):
    """A month of the books, and whether it takes entries."""

    month = MonthField()
    state = ma.fields.String(validate=ma.validate.OneOf(periods.STATES))
    closed_at = MomentField(allow_none=True)
    closed_by = ma.fields.String(allow_none=True)


class MonthQuery(PageQuery):
    """Filters of the list of months."""

    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(periods.STATES))


class EarningSchema(Schema):
    """A line that somebody earned, explained."""

    maintainer_id = ma.fields.String()
    line = ma.fields.Integer(metadata={"description": "1 and on, for each maintainer."})
    kind = ma.fields.String(validate=ma.validate.OneOf(KINDS))
    package_id = ma.fields.String()
    amount = MoneyField()
    funded = MoneyField(metadata={"description": "Covered by the package's fund."})
    from_residual = MoneyField(metadata={"description": "Borne by the firm's residual."})
    explanation = ma.fields.String()


@blueprint.route("/months", methods=["GET"])
@blueprint.arguments(MonthQuery, location="query")
@blueprint.response(200, page_schema(MonthSchema))
def listed(query: dict[str, Any]) -> Any:
    """List the months that were closed, and those that are open."""
    with reading() as session:
        return page(
            query,
            MonthSchema(),
            lambda part: periods.page(session, part, state=query["state"]),
            key=lambda row: str(row.month),
            resumable=False,
        )


@blueprint.route("/months/<month:month>", methods=["GET"])
@blueprint.response(200, ClosingSchema)
def shown(month: Month) -> Any:
    """Show how a month stands, and what its close came to so far; the preview works an open one out."""
    return shown_month(month_end.closing(month)) if month_end.has_begun(month) else unclosed_month(month)


@blueprint.route("/months/<month:month>/preview", methods=["GET"])
@blueprint.response(200, PreviewSchema)
def previewed(month: Month) -> Any:
    """Work the month out and write nothing."""
    return shown_month(month_end.preview(month, now=now()))


@blueprint.route("/months/<month:month>/close", methods=["POST"])
@blueprint.response(201, ClosingSchema)
@blueprint.alt_response(200, schema=ClosingSchema)
@blueprint.alt_response(202, schema=OperationSchema)
@blueprint.doc(parameters=[operations.PREFER])
def closed(month: Month) -> Any:
    """Close a month; 200 and the same answer when it is closed already. An interrupted close is finished.

    With `Prefer: respond-async` what stands in the way is said at once, and the rest is an operation: 202.
    """
    if operations.is_preferred():
        month_end.refuse_unready(month, now=now())
        return operations.accept("months.close", {"month": str(month)})
    with reading() as session:
        was_closed = periods.is_closed(session, month)
    evidence.keep(now=now())
    closing = month_end.close(month, by=current_actor(), now=now())
    return shown_month(closing), 200 if was_closed else 201


@blueprint.route("/months/<month:month>/earnings", methods=["GET"])
@blueprint.arguments(MaintainerQuery, location="query")
@blueprint.response(200, page_schema(EarningSchema))
def earned(query: dict[str, Any], month: Month) -> Any:
    """List what everybody earned in a month, line by line, by maintainer."""
    with reading() as session:
        maintainer_id = maintainer_id_of(session, query)
        return page(
            query,
            EarningSchema(),
            lambda part: earnings.earned(session, month, _by_line(part), maintainer_id=maintainer_id),
            key=lambda line: f"{line.maintainer_id}:{line.line}",
            resumable=False,
        )


def _by_line(part: Slice) -> Slice:
    """The same part by what lines are in the order of. Raises `InvalidCursor`."""
    places = [_LINE.fullmatch(str(key)) for key in part.after]
    if None in places:
        raise InvalidCursor(NOT_OURS, field="cursor")
    return replace(part, after=tuple(value for place in places if place for value in (place[1], int(place[2]))))
