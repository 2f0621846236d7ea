"""Accounts and their links as Stripe's second version of the API writes them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictStr

from payouts.rails.provider import OnboardingLink, ProviderAccount, Requirement
from payouts.rails.stripe.payloads import Id, Metadata

MOST_REQUIREMENTS = 50


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Capability(_Payload):
    status: StrictStr


class _StripeBalance(_Payload):
    stripe_transfers: _Capability | None = None
    payouts: _Capability | None = None


class _Capabilities(_Payload):
    stripe_balance: _StripeBalance | None = None


class _Recipient(_Payload):
    capabilities: _Capabilities | None = None


class _Configuration(_Payload):
    recipient: _Recipient | None = None


class _Identity(_Payload):
    country: StrictStr | None = None


class _Deadline(_Payload):
    status: StrictStr = ""


class _Entry(_Payload):
    description: StrictStr = ""
    awaiting_action_from: StrictStr = ""
    minimum_deadline: _Deadline = Field(default_factory=_Deadline)

    def value(self) -> Requirement:
        return Requirement(self.description, self.minimum_deadline.status, self.awaiting_action_from == "user")


class _Requirements(_Payload):
    entries: Annotated[list[_Entry], BeforeValidator(lambda value: value or [])] = Field(default_factory=list)


class AccountPayload(_Payload):
    id: Id
    closed: StrictBool | None = None
    configuration: _Configuration | None = None
    identity: _Identity | None = None
    requirements: _Requirements | None = None
    metadata: Metadata = Field(default_factory=dict)

    def value(self) -> ProviderAccount:
        balance = self._balance()
        country = self.identity.country if self.identity else None
        entries = self.requirements.entries if self.requirements else []
        return ProviderAccount(
            id=self.id,
            tag=self.metadata.get("account"),
            country=country.upper() if country else None,
            receives=_status(balance.stripe_transfers),
            pays_out=_status(balance.payouts),
            closed=bool(self.closed),
            requirements=tuple(entry.value() for entry in entries[:MOST_REQUIREMENTS]),
        )

    def _balance(self) -> _StripeBalance:
        recipient = self.configuration.recipient if self.configuration else None
        capabilities = recipient.capabilities if recipient else None
        return (capabilities.stripe_balance if capabilities else None) or _StripeBalance()


class LinkPayload(_Payload):
    url: StrictStr = Field(pattern=r"^https?://")
    expires_at: AwareDatetime

    def value(self) -> OnboardingLink:
        return OnboardingLink(self.url, self.expires_at)


def _status(capability: _Capability | None) -> str:
    """A capability that is not there was never granted."""
    return capability.status if capability else "pending"
