"""How much of a balance the automatic payouts leave, and when they come."""

from __future__ import annotations

from tests.stripe.answers import Request
from tests.stripe.blanks import blank
from tests.stripe.state import Object, State, operation


@operation("GET /v1/balance_settings")
def retrieve(state: State, request: Request) -> Object:
    return settings(state, request.account)


@operation("POST /v1/balance_settings")
def update(state: State, request: Request) -> Object:
    found = settings(state, request.account)
    asked = request.parameters.get("payments", {})
    kept = asked.get("payouts", {}).get("minimum_balance_by_currency")
    if kept is not None:
        payouts = found["payments"]["payouts"]
        payouts["minimum_balance_by_currency"] = (
            {name: amount for name, amount in kept.items() if amount != ""} if kept else {}
        )
    return found


def settings(state: State, account: str | None) -> Object:
    """The account's settings, made when first asked for."""
    found = state.objects["balance_settings"].get(account or "platform")
    if found is None:
        found = blank("balance_settings")
        # The SDK stumbles where one of these is null, which Stripe's own description allows.
        by_currency: Object = {"automatic_transfer_rules_by_currency": {}, "minimum_balance_by_currency": {}}
        found["payments"]["payouts"] = blank("balance_settings_resource_payouts", **by_currency)
        state.objects["balance_settings"][account or "platform"] = found
    return found


def kept_back(state: State, account: str | None, currency: str) -> int:
    """What automatic payouts must leave in this currency."""
    return int(settings(state, account)["payments"]["payouts"]["minimum_balance_by_currency"].get(currency, 0))
