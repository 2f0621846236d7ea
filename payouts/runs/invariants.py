"""What must always hold between runs, payouts and the books."""

from __future__ import annotations

from firm.invariant import Invariant

CHECKS = (
    Invariant(
        "payouts-in-transit",
        "What the books hold in transit for a maintainer is what approved payouts have not settled.",
        "SELECT maintainer_id, currency, SUM(open_minor) AS open_minor, SUM(booked) AS booked FROM ("
        "SELECT maintainer_id, currency, amount_minor AS open_minor, 0 AS booked FROM payout"
        " WHERE state IN ('reserved', 'sending', 'unknown', 'sent')"
        " UNION ALL SELECT maintainer_id, currency, 0, -amount_minor FROM posting"
        " WHERE account = 'liabilities:payouts-in-transit') AS sides"
        " GROUP BY maintainer_id, currency HAVING SUM(open_minor) <> SUM(booked)",
    ),
    Invariant(
        "one-live-payout",
        "A maintainer has at most one payout between planned and sent.",
        "SELECT maintainer_id, currency, COUNT(*) AS live FROM payout"
        " WHERE state IN ('planned', 'reserved', 'sending', 'unknown')"
        " GROUP BY maintainer_id, currency HAVING COUNT(*) > 1",
    ),
    Invariant(
        "payables-never-negative",
        "No payout took more than was payable: payables are overdrawn by what adjustments took, and nothing else.",
        "SELECT p.maintainer_id, p.currency, SUM(p.amount_minor) AS overdrawn FROM posting p"
        " JOIN journal_entry e ON e.id = p.entry_id WHERE p.account = 'liabilities:payables'"
        " GROUP BY p.maintainer_id, p.currency HAVING SUM(p.amount_minor) > SUM(CASE"
        " WHEN e.source LIKE 'adjustment:%' AND p.amount_minor > 0 THEN p.amount_minor ELSE 0 END)",
    ),
    Invariant(
        "approved-by-another",
        "No run was approved by who prepared it, unless the firm allowed it then.",
        "SELECT number FROM payout_run WHERE approved_by IS NOT NULL AND NOT sole_approval"
        " AND (approved_by = prepared_by OR approved_by = proposed_by)",
    ),
    Invariant(
        "sent-has-attempt",
        "Every payout that left has exactly one attempt that says so.",
        "SELECT p.id, p.state FROM payout p LEFT JOIN payout_attempt a ON a.payout_id = p.id AND a.state = 'sent'"
        " WHERE p.state IN ('sent', 'settled', 'returned') GROUP BY p.id, p.state HAVING COUNT(a.id) <> 1",
    ),
    Invariant(
        "settled-booked",
        "Every settled payout is booked against the bank, once.",
        "SELECT p.id FROM payout p LEFT JOIN journal_entry e ON e.source = 'payout-settled:' || p.id"
        " WHERE p.state = 'settled' AND e.id IS NULL",
    ),
)
