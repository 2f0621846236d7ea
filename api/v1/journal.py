"""The books: journal entries, reversals and the trial balance."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import marshmallow as ma

from api.auth import current_actor, now
from api.blueprints import Blueprint
from api.fields import DateField, MomentField, MoneyField, MonthField, Schema, Text
from api.paging import PageQuery, numbered, page, page_schema
from firm import ids
from firm.db import reading
from firm.ledger import accounts, operations, queries

LONGEST_POSTING = timedelta(minutes=1)
"""How long after its moment an entry may be written: what posts it reads the clock once, at its beginning."""

blueprint = Blueprint("journal", __name__, description="The books")


class LineSchema(Schema):
    """One posting: debits are positive, credits negative."""

    account = ma.fields.String()
    amount = MoneyField()
    client_id = ma.fields.String()
    engagement_id = ma.fields.String()
    package_id = ma.fields.String()
    maintainer_id = ma.fields.String()


class EntrySchema(Schema):
    """A journal entry."""

    id = ma.fields.Function(lambda entry: ids.numbered("ent", entry.number), metadata={"type": "string"})
    source = ma.fields.String(metadata={"description": "The natural key of what caused it."})
    on = DateField()
    narration = ma.fields.String()
    adjusts = MonthField(allow_none=True)
    reverses = ma.fields.Function(
        lambda entry: entry.reverses and ids.numbered("ent", entry.reverses), metadata={"type": ["string", "null"]}
    )
    reversed_by = ma.fields.Function(
        lambda entry: entry.reversed_by and ids.numbered("ent", entry.reversed_by),
        metadata={"type": ["string", "null"], "description": "The entry that takes this one back."},
    )
    posted_at = MomentField()
    posted_by = ma.fields.String()
    lines = ma.fields.List(ma.fields.Nested(LineSchema))


class ReversalDraft(Schema):
    """When and why an entry is reversed."""

    on = DateField(required=True)
    reason = Text(required=True)


class BalanceSchema(Schema):
    """An account's balance, debit positive."""

    account = ma.fields.String()
    balance = MoneyField()


class TrialBalanceSchema(Schema):
    """Every account; the balances of each currency sum to zero."""

    accounts = ma.fields.List(ma.fields.Nested(BalanceSchema))


class EntryQuery(PageQuery):
    """Filters of the journal."""

    month = MonthField(load_default=None, metadata={"description": "The month it is booked in."})
    account = Text(most=80, load_default=None, metadata={"description": "Only those that touch this account."})
    kind = ma.fields.String(
        load_default=None,
        validate=ma.validate.Regexp(r"\A[a-z][a-z-]{0,39}\Z", error="Write a word such as recognition."),
        metadata={"description": "The first word of the source, such as recognition, receipt or payout-settled."},
    )


@blueprint.route("/journal-entries", methods=["GET"])
@blueprint.arguments(EntryQuery, location="query")
@blueprint.response(200, page_schema(EntrySchema))
def listed(query: dict[str, Any]) -> Any:
    """List journal entries in their order."""
    filters = {name: query[name] for name in ("month", "account", "kind")}
    with reading() as session:
        if query["account"] is not None:
            accounts.refuse_unknown(session, query["account"])
        return page(
            query,
            EntrySchema(),
            lambda part: queries.entries(session, numbered(part, "ent"), **filters),
            key=lambda entry: ids.numbered("ent", entry.number),
            latest=lambda entry: entry.posted_at + LONGEST_POSTING,
        )


@blueprint.route("/journal-entries/<entry_id>", methods=["GET"])
@blueprint.response(200, EntrySchema)
def shown(entry_id: str) -> Any:
    """Show a journal entry."""
    with reading() as session:
        return queries.entry(session, queries.number_of(entry_id))


@blueprint.route("/journal-entries/<entry_id>/reversal", methods=["POST"])
@blueprint.arguments(ReversalDraft)
@blueprint.response(201, EntrySchema)
def reversed_(body: dict[str, Any], entry_id: str) -> Any:
    """Post the exact negation of an entry, in an open month."""
    number = operations.reverse_entry(queries.number_of(entry_id), **body, by=current_actor(), now=now())
    with reading() as session:
        return queries.entry(session, number)


@blueprint.route("/trial-balance", methods=["GET"])
@blueprint.response(200, TrialBalanceSchema)
def trial_balance() -> Any:
    """Show the balance of every account."""
    with reading() as session:
        return {"accounts": queries.trial_balance(session)}
