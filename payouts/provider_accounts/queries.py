"""Reading payees' accounts at providers."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.errors import NotFound
from payouts.provider_accounts import rules
from payouts.provider_accounts.model import OVER, ProviderAccount

STRIPE = "stripe"


class ProviderAccountNotFound(NotFound):
    """There is no such account at a provider."""


def live(session: Session, maintainer_id: str, provider: str = STRIPE) -> ProviderAccount | None:
    """The maintainer's account at a provider that is not over, or None."""
    return session.scalar(
        select(ProviderAccount).where(
            ProviderAccount.maintainer_id == maintainer_id,
            ProviderAccount.provider == provider,
            ProviderAccount.status.not_in(OVER),
        )
    )


def newest(session: Session, maintainer_id: str, provider: str = STRIPE) -> ProviderAccount:
    """The maintainer's account at a provider, the one before when none is live. Raises `ProviderAccountNotFound`."""
    found = session.scalar(
        select(ProviderAccount)
        .where(ProviderAccount.maintainer_id == maintainer_id, ProviderAccount.provider == provider)
        .order_by(ProviderAccount.id.desc())
        .limit(1)
    )
    if found is None:
        raise ProviderAccountNotFound("This maintainer has no account at the payment provider yet.")
    return found


def by_account(session: Session, account_id: str, provider: str = STRIPE) -> ProviderAccount | None:
    """Whose account at a provider this is; None for one that we did not open."""
    return session.scalar(
        select(ProviderAccount).where(ProviderAccount.provider == provider, ProviderAccount.account_id == account_id)
    )


def account_id_of(session: Session, maintainer_id: str, provider: str = STRIPE) -> str | None:
    """Where a rail that pays into accounts pays a maintainer; None while there is no live account."""
    found = live(session, maintainer_id, provider)
    return None if found is None else found.account_id


def account_ids(session: Session, provider: str = STRIPE) -> dict[str, str | None]:
    """The same for all who have a live account, by maintainer."""
    query = select(ProviderAccount.maintainer_id, ProviderAccount.account_id).where(
        ProviderAccount.provider == provider, ProviderAccount.status.not_in(OVER)
    )
    return {row.maintainer_id: row.account_id for row in session.execute(query)}


def obstacle(session: Session, maintainer_id: str, provider: str = STRIPE) -> str:
    """What keeps a maintainer from being paid into an account, as the end of a sentence; empty when nothing does."""
    found = live(session, maintainer_id, provider)
    return rules.obstacle("none", "", "") if found is None else _obstacle(found)


def obstacles(session: Session, provider: str = STRIPE) -> dict[str, str]:
    """The same for all who have a live account, by maintainer: who is missing has none."""
    rows = session.scalars(
        select(ProviderAccount).where(ProviderAccount.provider == provider, ProviderAccount.status.not_in(OVER))
    )
    return {row.maintainer_id: _obstacle(row) for row in rows}


def obstacles_of(session: Session, maintainer_ids: Collection[str], provider: str = STRIPE) -> dict[str, str]:
    """The same for those of the maintainers who cannot be paid, those without an account among them."""
    opened = obstacles(session, provider)
    missing = rules.obstacle("none", "", "")
    reasons = {one: opened.get(one, missing) for one in maintainer_ids}
    return {one: reason for one, reason in reasons.items() if reason}


def to_check(session: Session, provider: str = STRIPE) -> list[str]:
    """The account ids that the provider can be asked about, oldest answer first."""
    query = (
        select(ProviderAccount.account_id)
        .where(
            ProviderAccount.provider == provider,
            ProviderAccount.account_id.is_not(None),
            ProviderAccount.status.not_in(OVER),
        )
        .order_by(ProviderAccount.checked_at, ProviderAccount.id)
    )
    return [found for found in session.scalars(query) if found is not None]


def _obstacle(found: ProviderAccount) -> str:
    return rules.obstacle(found.status, found.payouts_status, found.requirements)
