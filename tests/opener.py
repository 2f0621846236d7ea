"""A provider that opens an account at once for whoever is named: for tests that are not about providers."""

from __future__ import annotations

from datetime import datetime

from firm.actor import Actor
from payouts.provider_accounts import operations
from payouts.rails.provider import AccountRequest, OnboardingLink, ProviderAccount


class Opener:
    """Every account it opens may be paid."""

    def open(self, request: AccountRequest) -> ProviderAccount:
        return self.account(f"acct_{request.tag}")

    def opened(self, tag: str) -> ProviderAccount | None:
        return None

    def account(self, account_id: str) -> ProviderAccount:
        return ProviderAccount(account_id, None, "US", "active", "active", False, ())

    def onboarding_link(self, account: ProviderAccount, *, return_url: str, refresh_url: str) -> OnboardingLink:
        raise NotImplementedError

    def close(self, account_id: str) -> None:
        raise NotImplementedError


def open_accounts(*names: str, by: Actor, now: datetime) -> None:
    """Accounts that may be paid."""
    for name in names:
        operations.open_account(name, provider=Opener(), by=by, now=now)
