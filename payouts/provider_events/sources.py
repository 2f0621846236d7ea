"""What applying an event needs of a provider, and what it can come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from firm.errors import Misconfigured
from payouts.rails.log import ProviderLog
from payouts.rails.provider import AccountProvider
from payouts.rails.rail import Description


class NoProvider(Misconfigured):
    """The firm has no key to the provider that an event came from."""


@dataclass(frozen=True, slots=True)
class Source:
    """A provider: its log, the accounts of payees that it holds, and what its rail can do."""

    log: ProviderLog
    accounts: AccountProvider
    rail: Description


@dataclass(frozen=True, slots=True)
class Applied:
    """Our rows stand as the provider's thing stands; `changed` says whether they did not before."""

    changed: bool = False


@dataclass(frozen=True, slots=True)
class Ignored:
    """It is about nothing that we keep; with `alarm`, somebody should ask why it came here."""

    reason: str
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Waits:
    """What it is about is not here, or not so that it could be applied: tried again, and then shown to a person."""

    reason: str


Outcome = Applied | Ignored | Waits


def source_of(sources: Mapping[str, Source], provider: str) -> Source:
    """Raises `NoProvider`."""
    found = sources.get(provider)
    if found is None:
        raise NoProvider(f"Events of {provider} cannot be applied without a key to it; set STRIPE_API_KEY.")
    return found
