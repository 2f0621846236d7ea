"""The firm itself."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import Flag, Lines, MoneyField, MonthField, Schema, Text, Whole
from api.parts import parts
from firm.actor import Role
from firm.db import reading
from firm.profile import operations as profiles
from firm.profile.changes import LONGEST_AGREEMENT, TAX_FORMS, change_firm
from firm.profile.model import MOST_COOLING_OFF_HOURS
from payouts.destinations.accounts import checked_bic, checked_iban

blueprint = Blueprint("firm", __name__, description="The firm, how its books are kept, and its settings")


INSIDE = {"description": "Shown to those who work in the firm.", "x-withheld": True}


class FirmSchema(Schema):
    """What papers say of the firm, and how its books are kept."""

    name = ma.fields.String(required=True)
    address = Lines(required=True)
    email = ma.fields.String(required=True)
    color = ma.fields.String(required=True)
    currency = ma.fields.String(required=True)
    time_zone = ma.fields.String(required=True)
    first_month = MonthField(metadata=INSIDE)
    sole_approval = ma.fields.Boolean(metadata=INSIDE)
    cooling_off_hours = ma.fields.Integer(metadata=INSIDE)
    adjustment_limit = MoneyField(metadata=INSIDE)
    tax_forms = ma.fields.String(validate=ma.validate.OneOf(TAX_FORMS), metadata=INSIDE)
    vat_id = ma.fields.String(allow_none=True, metadata=INSIDE)
    self_billing_months = ma.fields.Integer(metadata=INSIDE)
    iban_last4 = ma.fields.String(
        allow_none=True,
        metadata=INSIDE | {"description": "Of the account that SEPA files pay from; more of it is never shown."},
    )
    bic = ma.fields.String(allow_none=True, metadata=INSIDE)


class FirmChange(Schema):
    """What is to change; what is not named stays."""

    name = Text(metadata={"description": "As papers name the firm from now on; those that are issued stay."})
    address = ma.fields.List(Text(), validate=ma.validate.Length(max=8), metadata={"description": "Its lines."})
    email = Text(least=0, metadata={"description": "Empty for none."})
    color = ma.fields.String(
        validate=ma.validate.Regexp("^#[0-9a-f]{6}$", error="Write a color as #1f3a5f."),
        metadata={"description": "Of its papers."},
    )
    sole_approval = Flag(
        metadata={"description": "Whether one person may approve a run or confirm a destination of their own."}
    )
    cooling_off_hours = Whole(
        least=0,
        most=MOST_COOLING_OFF_HOURS,
        metadata={"description": "For how long nobody is paid to a changed destination."},
    )
    adjustment_limit = MoneyField(
        metadata={"description": "What others than the lead may adjust for one maintainer in a month."}
    )
    tax_forms = ma.fields.String(
        validate=ma.validate.OneOf(TAX_FORMS),
        metadata={
            "description": "Payees need no US tax form (off), need one (on), or are paid without one less backup"
            " withholding (withhold)."
        },
    )
    vat_id = Text(most=20)
    self_billing_months = Whole(
        least=1,
        most=LONGEST_AGREEMENT,
        metadata={"description": "How long a new self-billing agreement may run."},
    )
    iban = Text(most=50, load_only=True, metadata={"description": "The account that SEPA files pay from."})
    bic = Text(most=11, metadata={"description": "Its bank, where that asks for it; goes with the `iban`."})


OUTSIDE = ("name", "address", "email", "color", "currency", "time_zone")
"""What maintainers and clients are shown: how the firm keeps its books is its own affair."""


@blueprint.route("/firm", methods=["GET"])
@blueprint.response(200, FirmSchema)
def show() -> Any:
    """Show the firm."""
    with reading() as session:
        profile = profiles.current(session)
    if current_actor().role in (Role.MAINTAINER, Role.CLIENT):
        return {name: getattr(profile, name) for name in OUTSIDE}
    return profile


@blueprint.route("/firm", methods=["PATCH"])
@blueprint.arguments(FirmChange)
@blueprint.response(200, FirmSchema)
def changed(body: dict[str, Any]) -> Any:
    """Change the firm's settings, all of them at once or none. It takes presence: they decide who must approve what."""
    if "iban" in body:
        body["iban"] = checked_iban(body["iban"])
        body["bic"] = checked_bic(body["bic"], iban=body["iban"]) if "bic" in body else None
    return change_firm(**body, keys=parts().keys, by=current_actor(), now=now())
