"""What must always hold between advices and payouts."""

from __future__ import annotations

from firm.invariant import Invariant

CHECKS = (
    Invariant(
        "advices-are-payouts",
        "A remittance advice says what its payout paid, to whom and in which currency.",
        "SELECT a.number, a.amount_minor, p.amount_minor AS paid FROM remittance_advice a JOIN payout p"
        " ON p.id = a.payout_id WHERE a.amount_minor <> p.amount_minor OR a.maintainer_id <> p.maintainer_id"
        " OR a.currency <> p.currency",
    ),
    Invariant(
        "advices-were-sent",
        "No payout that never left has a remittance advice.",
        "SELECT a.number, p.state FROM remittance_advice a JOIN payout p ON p.id = a.payout_id"
        " WHERE p.state NOT IN ('sent', 'settled', 'returned')",
    ),
)
