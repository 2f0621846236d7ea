"""Destinations: where pay goes, proposed by one person and confirmed by another."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now, own
from api.blueprints import Blueprint
from api.fields import Country, MomentField, Schema, Text
from api.filters import MaintainerQuery, maintainer_id_of
from api.paging import page, page_schema
from api.parts import parts
from api.shapes import shown_destination, suggestions_for
from api.v1.maintainers import visible
from firm.db import reading
from firm.listing import Slice
from payouts.destinations import decisions, operations, queries
from payouts.destinations.model import SHOWN_STATES, Destination
from payouts.runs import changes
from staffing.maintainers import queries as maintainers

blueprint = Blueprint("destinations", __name__, description="Where maintainers are paid, and who confirmed it")


class DestinationDraft(Schema):
    """Where a maintainer's pay is to go."""

    rail = Text(required=True, most=20)
    iban = Text(most=50, load_default=None, load_only=True)
    bic = Text(most=11, load_default=None)
    holder = Text(load_default=None)
    country = Country(load_default=None)
    account = Text(most=100, load_default=None, metadata={"description": "The payee's account at the rail's provider."})


class DestinationSchema(Schema):
    """A destination; of an account only the last four characters are ever shown."""

    id = ma.fields.String()
    maintainer_id = ma.fields.String()
    rail = ma.fields.String()
    holder = ma.fields.String()
    country = ma.fields.String()
    iban_last4 = ma.fields.String(allow_none=True)
    bic = ma.fields.String(allow_none=True)
    account = ma.fields.String(allow_none=True)
    state = ma.fields.String(validate=ma.validate.OneOf(SHOWN_STATES))
    proposed_by = ma.fields.String()
    created_at = MomentField()
    expires_at = MomentField()
    decided_by = ma.fields.String(allow_none=True)
    decided_at = MomentField(allow_none=True)
    sole_approval = ma.fields.Boolean()
    reason = ma.fields.String(allow_none=True)
    usable_from = MomentField(allow_none=True)
    replaced_at = MomentField(allow_none=True)


class Rejection(Schema):
    """Why a proposal is rejected."""

    reason = Text(required=True, most=400)


class RailQuery(Schema):
    """What is to be paid; the currency of the books unless given."""

    currency = ma.fields.String(load_default=None, validate=ma.validate.Regexp(r"\A[A-Z]{3}\Z"))


class SuggestionSchema(Schema):
    """A rail of the firm, whether it suits, and why or why not."""

    rail = ma.fields.String()
    title = ma.fields.String()
    suits = ma.fields.Boolean()
    reason = ma.fields.String()


class SuggestionsSchema(Schema):
    """Every rail of the firm, those that suit the payee first."""

    rails = ma.fields.List(ma.fields.Nested(SuggestionSchema))


class DestinationQuery(MaintainerQuery):
    """Filters of the list of destinations."""

    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(SHOWN_STATES))


@blueprint.route("/destinations", methods=["GET"])
@blueprint.arguments(DestinationQuery, location="query")
@blueprint.response(200, page_schema(DestinationSchema))
def listed(query: dict[str, Any]) -> Any:
    """List destinations, those of before too; maintainers see their own."""
    with reading() as session:
        maintainer_id, state = maintainer_id_of(session, query), query["state"]

        def rows_of(part: Slice) -> list[Any]:
            found = queries.page(session, part, maintainer_id=maintainer_id, state=state, now=now())
            return [_shown(row) for row in found]

        return page(query, DestinationSchema(), rows_of)


@blueprint.route("/maintainers/<key>/destination", methods=["POST"])
@blueprint.arguments(DestinationDraft)
@blueprint.response(201, DestinationSchema)
def proposed(body: dict[str, Any], key: str) -> Any:
    """Propose where a maintainer's pay goes; nobody is paid there before somebody else has confirmed it."""
    made = operations.propose(key, **body, rails=parts().rails, keys=parts().keys, by=current_actor(), now=now())
    return _shown(made)


@blueprint.route("/maintainers/<key>/rails", methods=["GET"])
@blueprint.arguments(RailQuery, location="query")
@blueprint.response(200, SuggestionsSchema)
def rails(query: dict[str, Any], key: str) -> Any:
    """Show which rails can pay a maintainer, and why the others cannot; maintainers see their own."""
    with reading() as session:
        person = maintainers.find(session, visible(key))
        own(person.id)
    return {"rails": suggestions_for(person.id, query["currency"], now=now())}


@blueprint.route("/destinations/<key>", methods=["GET"])
@blueprint.response(200, DestinationSchema)
def shown(key: str) -> Any:
    """Show a destination, also one of before; maintainers see their own."""
    with reading() as session:
        found = queries.find(session, key)
        own(found.maintainer_id)
        return _shown(found)


@blueprint.route("/destinations/<key>/confirmation", methods=["POST"])
@blueprint.response(201, DestinationSchema)
def confirmed(key: str) -> Any:
    """Confirm a destination that somebody else proposed; a change is used once it has cooled off."""
    return _shown(changes.confirm_destination(key, by=current_actor(), now=now()).destination)


@blueprint.route("/destinations/<key>/rejection", methods=["POST"])
@blueprint.arguments(Rejection)
@blueprint.response(201, DestinationSchema)
def rejected(body: dict[str, Any], key: str) -> Any:
    """Reject a proposal; what was in force stays in force."""
    return _shown(decisions.reject(key, **body, by=current_actor(), now=now()))


@blueprint.route("/destinations/<key>/withdrawal", methods=["POST"])
@blueprint.response(201, DestinationSchema)
def withdrawn(key: str) -> Any:
    """Take one's own proposal back; what was in force stays in force."""
    return _shown(decisions.withdraw(key, by=current_actor(), now=now()))


def _shown(destination: Destination) -> Any:
    return shown_destination(destination, now())
