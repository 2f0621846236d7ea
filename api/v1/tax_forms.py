"""Tax forms on file."""

from __future__ import annotations

from datetime import date
from typing import Any

import marshmallow as ma

from api.auth import current_actor, now, own
from api.blueprints import Blueprint
from api.fields import DateField, MomentField, Schema, Text
from api.filters import MaintainerQuery, maintainer_id_of
from api.paging import page, page_schema
from api.parts import parts
from firm.db import reading
from firm.listing import Slice
from firm.profile import operations as profiles
from payouts.tax_forms import operations, queries
from payouts.tax_forms.model import KINDS, STATES, TaxForm
from payouts.tax_forms.rules import day_of, state_of

blueprint = Blueprint("tax_forms", __name__, description="What a payer in the United States holds before it pays")

FACTS = (
    "id",
    "maintainer_id",
    "kind",
    "name",
    "signed_on",
    "received_on",
    "expires_on",
    "tin_last4",
    "recorded_at",
    "withdrawal_reason",
)


class TaxFormDraft(Schema):
    """A signed form to put on file; it supersedes the one before."""

    maintainer = Text(required=True)
    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(KINDS))
    name = Text(required=True, metadata={"description": "As on the form."})
    signed_on = DateField(required=True)
    received_on = DateField(required=True)
    tin = Text(most=60, load_default=None, load_only=True, metadata={"description": "Sealed; never shown again."})


class TaxFormSchema(Schema):
    """A form on file; of its number only the last characters are ever shown."""

    id = ma.fields.String()
    maintainer_id = ma.fields.String()
    kind = ma.fields.String(validate=ma.validate.OneOf(KINDS))
    name = ma.fields.String()
    signed_on = DateField()
    received_on = DateField()
    expires_on = DateField(allow_none=True, metadata={"description": "The last day it may be relied on."})
    tin_last4 = ma.fields.String(allow_none=True)
    recorded_at = MomentField()
    withdrawal_reason = ma.fields.String(allow_none=True)
    state = ma.fields.String(validate=ma.validate.OneOf(STATES))


class TaxFormQuery(MaintainerQuery):
    """Filters of the list of tax forms."""

    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(STATES))
    expires_by = DateField(load_default=None, metadata={"description": "Only live ones that end by this day."})


class TaxFormWithdrawal(Schema):
    """Why a form is taken off the file."""

    reason = Text(required=True, most=400)


@blueprint.route("/tax-forms", methods=["GET"])
@blueprint.arguments(TaxFormQuery, location="query")
@blueprint.response(200, page_schema(TaxFormSchema))
def listed(query: dict[str, Any]) -> Any:
    """List tax forms; maintainers see their own."""
    filters = {"expires_by": query["expires_by"], "state": query["state"]}
    with reading() as session:
        maintainer_id = maintainer_id_of(session, query)
        today = day_of(now(), profiles.current(session).zone)

        def rows_of(part: Slice) -> list[Row]:
            found = queries.page(session, part, maintainer_id=maintainer_id, on=today, **filters)
            return [Row(form, today) for form in found]

        return page(query, TaxFormSchema(), rows_of)


@blueprint.route("/tax-forms", methods=["POST"])
@blueprint.arguments(TaxFormDraft)
@blueprint.response(201, TaxFormSchema)
def recorded(body: dict[str, Any]) -> Any:
    """Put a signed form on file."""
    return _dated(operations.record(**body, keys=parts().keys, by=current_actor(), now=now()))


@blueprint.route("/tax-forms/<form_id>", methods=["GET"])
@blueprint.response(200, TaxFormSchema)
def shown(form_id: str) -> Any:
    """Show a tax form."""
    with reading() as session:
        form = queries.find(session, form_id)
        own(form.maintainer_id)
    return _dated(form)


@blueprint.route("/tax-forms/<form_id>/withdrawal", methods=["POST"])
@blueprint.arguments(TaxFormWithdrawal)
@blueprint.response(201, TaxFormSchema)
def withdrawn(body: dict[str, Any], form_id: str) -> Any:
    """Take a form off the file because it is wrong or no longer true."""
    return _dated(operations.withdraw(form_id, **body, by=current_actor(), now=now()))


class Row:
    """A form as it is shown on a day."""

    def __init__(self, form: TaxForm, on: date) -> None:
        for name in FACTS:
            setattr(self, name, getattr(form, name))
        self.state = state_of(form, on)


def _dated(form: TaxForm) -> Row:
    with reading() as session:
        return Row(form, day_of(now(), profiles.current(session).zone))
