"""Payees' accounts at Stripe: Accounts v2 that only receive, with Stripe's own onboarding and dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from payouts.rails.provider import AccountRequest, OnboardingLink, ProviderAccount
from payouts.rails.stripe import account_payloads as payloads
from payouts.rails.stripe.client import PAGE, Client
from payouts.rails.stripe.payloads import plain, read

if TYPE_CHECKING:
    from stripe import RequestOptions
    from stripe.params.v2.core import AccountCreateParams

Part = Literal["configuration.recipient", "identity", "requirements"]
INCLUDE: tuple[Part, ...] = ("configuration.recipient", "identity", "requirements")
"""What Stripe leaves out of an account unless it is asked for."""


class StripeAccounts:
    """The firm answers for fees and losses; the payee gives identity and bank details to Stripe, never to us."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def open(self, request: AccountRequest) -> ProviderAccount:
        params = self._params(request)
        key = f"{self._client.environment}-account-{request.key}"
        # The library does not repeat this by itself: after a failure that came too late, the second API would open
        # another account under the same key.
        once: RequestOptions = {"idempotency_key": key, "max_network_retries": 0}
        answer = self._client.call(lambda sdk: sdk.v2.core.accounts.create(params, once))
        return read(payloads.AccountPayload, answer)

    def opened(self, tag: str) -> ProviderAccount | None:
        """Stripe cannot be asked for a tag: all accounts are walked."""
        for answer in self._client.call(_all_accounts):
            if (plain(answer).get("metadata") or {}).get("account") == tag:
                return self.account(answer.id)
        return None

    def account(self, account_id: str) -> ProviderAccount:
        answer = self._client.call(lambda sdk: sdk.v2.core.accounts.retrieve(account_id, {"include": [*INCLUDE]}))
        return read(payloads.AccountPayload, answer)

    def onboarding_link(self, account: ProviderAccount, *, return_url: str, refresh_url: str) -> OnboardingLink:
        pages = {"return_url": return_url, "refresh_url": refresh_url}
        use = "account_update" if account.receives == "active" else "account_onboarding"
        params: Any = {"account": account.id, "use_case": {"type": use, use: pages}}
        answer = self._client.call(lambda sdk: sdk.v2.core.account_links.create(params))
        return read(payloads.LinkPayload, answer)

    def close(self, account_id: str) -> None:
        self._client.call(lambda sdk: sdk.v2.core.accounts.close(account_id, {"applied_configurations": ["recipient"]}))

    def _params(self, request: AccountRequest) -> AccountCreateParams:
        return {
            "display_name": request.name,
            "contact_email": request.email,
            "identity": {"country": request.country.lower()},
            "dashboard": "express",
            "defaults": {"responsibilities": {"fees_collector": "application", "losses_collector": "application"}},
            "configuration": {
                "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
            },
            "metadata": {
                "account": request.tag,
                "maintainer": request.maintainer_id,
                "env": self._client.environment,
            },
            "include": [*INCLUDE],
        }


def _all_accounts(sdk: Any) -> list[Any]:
    return list(sdk.v2.core.accounts.list({"limit": PAGE}).auto_paging_iter())
