"""Bringing a payee's account to what the provider says of it."""

from __future__ import annotations

from datetime import datetime

from firm.actor import Actor
from payouts.provider_accounts import operations as provider_accounts
from payouts.provider_events.model import ProviderEvent
from payouts.provider_events.sources import Applied, Outcome, Source

TAKEN_AWAY = ("account.application.deauthorized",)
"""After these the provider says nothing of the account any more: it is over."""


def refresh(event: ProviderEvent, account_id: str, *, source: Source, by: Actor, now: datetime) -> Outcome:
    """Ask how the account stands now. May be repeated; an older answer never replaces a newer one."""
    if event.type in TAKEN_AWAY:
        provider_accounts.disconnected(account_id, by=by, now=now)
    else:
        provider_accounts.refresh_account(account_id, provider=source.accounts, by=by, now=now)
    return Applied(changed=True)
