"""The providers whose logs this firm can read: those that there is a key to."""

from __future__ import annotations

from collections.abc import Mapping

from api.parts import parts
from payouts.provider_events.sources import Source


def sources() -> Mapping[str, Source]:
    """By the name of the rail; empty while the firm pays by bank only."""
    found = parts()
    if found.stripe is None:
        return {}
    from payouts.rails.stripe.log import StripeLog  # imported here: a firm without Stripe starts without its library

    rail = found.rails["stripe"].describe()
    return {"stripe": Source(StripeLog(found.stripe), found.providers["stripe"], rail)}
