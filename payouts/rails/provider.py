"""The Protocol of a provider that holds accounts for payees, and the values that pass through it.

Words of a provider that we do not know are passed on as they are; `payouts.provider_accounts` decides what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AccountRequest:
    """An account to open, the same at every try. `key` is its idempotency key, `tag` what it is found again by."""

    key: str
    tag: str
    maintainer_id: str
    name: str
    email: str
    country: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """Something that the payee, or the provider, still has to do. `due` is the provider's word for how urgent it is."""

    what: str
    due: str
    by_payee: bool


@dataclass(frozen=True, slots=True)
class ProviderAccount:
    """An account as the provider describes it: may money come in, may it go on to a bank, and what is missing."""

    id: str
    tag: str | None
    country: str | None
    receives: str
    """The provider's word for whether transfers may come in: `active` means yes."""
    pays_out: str
    """The same for payouts to the payee's bank."""
    closed: bool
    requirements: Sequence[Requirement]


@dataclass(frozen=True, slots=True)
class OnboardingLink:
    """A page of the provider's where a payee gives what is asked for. It lets in whoever holds it."""

    url: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"OnboardingLink(expires_at={self.expires_at!r})"


class AccountProvider(Protocol):
    """Opens accounts for payees and says how they stand. All methods are called with no transaction open.

    Each raises `firm.errors.Refused` when the provider will not, and `firm.errors.Busy` when it gave no answer.
    """

    def open(self, request: AccountRequest) -> ProviderAccount:
        """Open an account under a key. Whoever asks again looks with `opened` first."""
        ...

    def opened(self, tag: str) -> ProviderAccount | None:
        """The account that was opened under a tag, or None."""
        ...

    def account(self, account_id: str) -> ProviderAccount: ...

    def onboarding_link(self, account: ProviderAccount, *, return_url: str, refresh_url: str) -> OnboardingLink: ...

    def close(self, account_id: str) -> None: ...
