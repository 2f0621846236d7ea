"""Maintainers' accounts at the payment provider."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.auth import current_actor, now, own
from api.blueprints import Blueprint
from api.fields import MomentField, Schema
from api.parts import parts
from api.v1.maintainers import visible
from firm.db import reading
from payouts.provider_accounts import operations, queries, rules
from payouts.provider_accounts.model import PAYOUT_STATUSES, STATUSES, ProviderAccount
from payouts.rails.provider import AccountProvider
from staffing.maintainers import queries as maintainers

blueprint = Blueprint("provider_accounts", __name__, description="Maintainers' accounts at the payment provider")


class ProviderAccountSchema(Schema):
    """An account at the payment provider, as the provider last described it."""

    id = ma.fields.String()
    maintainer_id = ma.fields.String()
    provider = ma.fields.String()
    account_id = ma.fields.String(allow_none=True, metadata={"description": "The provider's name for it."})
    country = ma.fields.String()
    status = ma.fields.String(validate=ma.validate.OneOf(STATUSES))
    payouts_status = ma.fields.String(
        validate=ma.validate.OneOf(PAYOUT_STATUSES),
        metadata={"description": "Whether the provider sends the money on to the payee's bank."},
    )
    requirements = ma.fields.String(metadata={"description": "What the provider asks for; empty when nothing."})
    obstacle = ma.fields.String(metadata={"description": "What keeps the maintainer from being paid; or empty."})
    created_at = MomentField()
    checked_at = MomentField(allow_none=True, metadata={"description": "As of when the provider said so."})


class OnboardingLinkSchema(Schema):
    """A page of the provider's where the payee gives what is asked for. It lets in whoever holds it."""

    url = ma.fields.String(metadata={"description": "For the payee, now: never store, log or send it."})
    expires_at = MomentField()


@blueprint.route("/maintainers/<key>/provider-account", methods=["POST"])
@blueprint.response(201, ProviderAccountSchema)
def opened(key: str) -> Any:
    """Open an account for a maintainer, or go on with an opening that was interrupted."""
    found = operations.open_account(_known(key), provider=_provider(), by=current_actor(), now=now())
    return _shape(found)


@blueprint.route("/maintainers/<key>/provider-account", methods=["GET"])
@blueprint.response(200, ProviderAccountSchema)
def shown(key: str) -> Any:
    """Show a maintainer's account as the provider last described it; maintainers see their own."""
    with reading() as session:
        maintainer = maintainers.find(session, visible(key))
        own(maintainer.id)
        return _shape(queries.newest(session, maintainer.id))


@blueprint.route("/maintainers/<key>/provider-account/onboarding-link", methods=["POST"])
@blueprint.response(201, OnboardingLinkSchema)
def link_made(key: str) -> Any:
    """Make a fresh link to the provider's own pages; maintainers make their own. An Idempotency-Key keeps nothing."""
    page = parts().settings.onboarding_page
    return operations.onboarding_link(_known(key), page=page, provider=_provider(), by=current_actor(), now=now())


@blueprint.route("/maintainers/<key>/provider-account/refresh", methods=["POST"])
@blueprint.response(201, ProviderAccountSchema)
def refreshed(key: str) -> Any:
    """Ask the provider how the account stands."""
    return _shape(operations.refresh(_known(key), provider=_provider(), by=current_actor(), now=now()))


def _known(key: str) -> str:
    """The maintainer's id, when the caller may know that there is one."""
    with reading() as session:
        return own(maintainers.find(session, visible(key)).id)


def _provider() -> AccountProvider:
    return operations.provider_of(parts().providers)


def _shape(found: ProviderAccount) -> dict[str, Any]:
    names = (name for name in ProviderAccountSchema().fields if name != "obstacle")
    obstacle = rules.obstacle(found.status, found.payouts_status, found.requirements)
    return {name: getattr(found, name) for name in names} | {"obstacle": obstacle}
