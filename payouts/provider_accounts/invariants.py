"""What must always hold between payouts and payees' accounts at providers."""

from __future__ import annotations

from firm.invariant import Invariant

CHECKS = (
    Invariant(
        "one-live-provider-account",
        "A maintainer has at most one live account at a provider.",
        "SELECT maintainer_id, provider, COUNT(*) AS live FROM provider_account"
        " WHERE status NOT IN ('closed', 'refused') GROUP BY maintainer_id, provider HAVING COUNT(*) > 1",
    ),
    Invariant(
        "paid-into-an-account",
        "Whoever was paid over Stripe has, or had, an account there.",
        "SELECT p.id, p.maintainer_id FROM payout p WHERE p.rail = 'stripe' AND p.state IN ('sent', 'settled')"
        " AND NOT EXISTS (SELECT 1 FROM provider_account a WHERE a.maintainer_id = p.maintainer_id"
        " AND a.provider = 'stripe' AND a.account_id IS NOT NULL)",
    ),
)
