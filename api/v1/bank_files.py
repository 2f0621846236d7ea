"""What the bank sends back: status reports and statements."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import marshmallow as ma

from api import uploads
from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import DateField, MomentField, MoneyField, Schema, Text
from api.paging import PageQuery, page, page_schema
from api.parts import parts
from api.shapes import with_parts
from firm.db import reading
from payouts.bank_files import operations, queries
from payouts.bank_files.model import ACTIONS, DIRECTIONS, KINDS, STATES, BankLine

blueprint = Blueprint("bank_files", __name__, description="What the bank sends back")


class BankFileSchema(Schema):
    """A file that the bank sent: a statement with its account and balances, or a report about a file of ours."""

    id = ma.fields.String()
    kind = ma.fields.String(validate=ma.validate.OneOf(KINDS))
    version = ma.fields.String(metadata={"examples": ["001.08"]})
    message_id = ma.fields.String(metadata={"examples": ["BANK-STMT-1"]})
    original_message_id = ma.fields.String(allow_none=True, metadata={"examples": ["RUN-2026-0001-6A7C1D0E"]})
    statement_number = ma.fields.String(allow_none=True, metadata={"examples": ["2026-11-03"]})
    account_last4 = ma.fields.String(allow_none=True, metadata={"examples": ["3000"]})
    opening = MoneyField(allow_none=True)
    closing = MoneyField(allow_none=True)
    sha256 = ma.fields.String()
    received_at = MomentField()
    received_by = ma.fields.String(metadata={"examples": ["administrator"]})


class BankLineSchema(Schema):
    """One status or movement, and what it was taken as."""

    id = ma.fields.String()
    file_id = ma.fields.String(metadata={"examples": ["bfl_01KBXW5Z3Q9F4T2M8R6A7C1D0E"]})
    number = ma.fields.Integer(metadata={"examples": [1]})
    payout_id = ma.fields.String(allow_none=True, metadata={"examples": ["pay_01KBXW5Z3Q9F4T2M8R6A7C1D0E"]})
    action = ma.fields.String(allow_none=True, validate=ma.validate.OneOf(ACTIONS))
    direction = ma.fields.String(allow_none=True, validate=ma.validate.OneOf(DIRECTIONS))
    amount = MoneyField(allow_none=True)
    booked_on = DateField(allow_none=True)
    code = ma.fields.String(metadata={"description": "The bank's word for it.", "examples": ["BOOK"]})
    reason = ma.fields.String(allow_none=True, metadata={"examples": ["AC04: the account is closed"]})
    reference = ma.fields.String()
    text = ma.fields.String(allow_none=True, metadata={"examples": ["Lovelace RUN-2026-0001"]})
    state = ma.fields.String(validate=ma.validate.OneOf(STATES))
    note = ma.fields.String(metadata={"description": "Why it was taken so.", "examples": ["The money has left."]})
    resolution = ma.fields.String(allow_none=True, metadata={"examples": ["The bank's fee of October."]})
    resolved_at = MomentField(allow_none=True)
    resolved_by = ma.fields.String(allow_none=True, metadata={"examples": ["lead"]})


class OpenBankLineSchema(BankLineSchema):
    """A line with its age."""

    received_at = MomentField()
    days = ma.fields.Integer(metadata={"description": "Whole days since it came.", "examples": [3]})


class WholeBankFileSchema(BankFileSchema):
    """A file with its lines."""

    lines = ma.fields.List(ma.fields.Nested(BankLineSchema))


class BankLineQuery(PageQuery):
    """Lines in one state, or all."""

    state = ma.fields.String(validate=ma.validate.OneOf(STATES), load_default=None)


class Resolution(Schema):
    """What an unmatched line is."""

    note = Text(required=True, most=500, metadata={"examples": ["The bank's fee of October."]})
    fee = MoneyField(
        metadata={"description": "What the bank kept, to the cent, of a payment that came back: it is returned."}
    )


@blueprint.route("/bank-files", methods=["GET"])
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(BankFileSchema))
def listed(query: dict[str, Any]) -> Any:
    """List what the bank sent."""
    with reading() as session:
        return page(
            query,
            BankFileSchema(),
            lambda part: queries.page(session, part),
        )


@blueprint.route("/bank-files", methods=["POST"])
@blueprint.response(201, WholeBankFileSchema)
@blueprint.doc(requestBody=uploads.described(uploads.XML))
def received() -> Any:
    """Take in a pain.002 or camt.053 as the bank sends it: whole, or with a sentence not at all.

    Its lines settle and return payouts. The same file again changes nothing, and finishes what was interrupted.
    """
    raw = uploads.body_of(uploads.XML)
    file = operations.receive(raw, keys=parts().keys, by=current_actor(), now=now())
    return whole_file(file.id)


@blueprint.route("/bank-files/<key>", methods=["GET"])
@blueprint.response(200, WholeBankFileSchema)
def shown(key: str) -> Any:
    """Show a file with its lines, by id or SHA-256."""
    return whole_file(key)


@blueprint.route("/bank-lines", methods=["GET"])
@blueprint.arguments(BankLineQuery, location="query")
@blueprint.response(200, page_schema(OpenBankLineSchema))
def lines_listed(query: dict[str, Any]) -> Any:
    """List lines of all files, the oldest first; `state=unmatched` are those that wait for a person."""
    with reading() as session:
        return page(
            query,
            OpenBankLineSchema(),
            lambda part: open_lines(
                queries.lines_page(session, part, state=query["state"]),
                now(),
            ),
        )


@blueprint.route("/bank-lines/<key>", methods=["GET"])
@blueprint.response(200, BankLineSchema)
def line_shown(key: str) -> BankLine:
    """Show a line and what it was taken as."""
    with reading() as session:
        return queries.find_line(session, key)


@blueprint.route("/bank-lines/<key>/resolution", methods=["POST"])
@blueprint.arguments(Resolution)
@blueprint.response(201, BankLineSchema)
def resolved(body: dict[str, Any], key: str) -> BankLine:
    """Say what an unmatched line is; it moves no money, unless it is a payment that came back less the bank's `fee`."""
    return operations.resolve(key, **body, by=current_actor(), now=now())


def whole_file(key: str) -> Any:
    """A file with its lines as of one moment."""
    with reading() as session:
        file = queries.find(session, key)
        names = [name for name in BankFileSchema().fields if name != "lines"]
        return {name: getattr(file, name) for name in names} | {"lines": queries.lines_of(session, file.id)}


def open_lines(found: list[queries.Open], moment: datetime) -> list[Any]:
    """Lines with their age."""
    return [
        with_parts(one.line, amount=one.line.amount, received_at=one.received_at, days=(moment - one.received_at).days)
        for one in found
    ]
