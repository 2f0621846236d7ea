"""What must always hold between runs, payouts and the books."""

from __future__ import annotations

from firm.invariant import Invariant

CHECKS = (
    Invariant(
        "payouts-in-transit",
        "What the books hold in transit for a maintainer is what approved payouts have not settled.",
        "SELECT maintainer_id, currency, SUM(open_minor) AS open_minor, SUM(booked) AS booked FROM ("
        "SELECT maintainer_id, currency, amount_minor AS open_minor, 0 AS booked FROM payout"
        " WHERE state IN ('reserved', 'sending', 'waiting-for-funds', 'unknown', 'sent')"
        " UNION ALL SELECT maintainer_id, currency, 0, -amount_minor FROM posting"
        " WHERE account = 'liabilities:payouts-in-transit') AS sides"
        " GROUP BY maintainer_id, currency HAVING SUM(open_minor) <> SUM(booked)",
    ),
    Invariant(
        "one-live-payout",
        "A maintainer has at most one payout between planned and sent.",
        "SELECT maintainer_id, currency, COUNT(*) AS live FROM payout"
        " WHERE state IN ('planned', 'reserved', 'sending', 'waiting-for-funds', 'unknown')"
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
        "approvals-counted",
        "Every approved run has as many valid approvals of its content, by different people, as it takes.",
        "SELECT r.number, r.approvals_needed, COUNT(DISTINCT a.approved_by) AS given FROM payout_run r"
        " LEFT JOIN payout_approval a ON a.run_id = r.id AND a.voided_at IS NULL AND a.digest = r.digest"
        " WHERE r.state IN ('approved', 'releasing', 'settled', 'partly-settled')"
        " GROUP BY r.number, r.approvals_needed HAVING COUNT(DISTINCT a.approved_by) < r.approvals_needed",
    ),
    Invariant(
        "one-key-one-request",
        "An attempt that may have left holds what it asked for; a payout has at most one that may have paid.",
        "SELECT payout_id, COUNT(*) AS live FROM payout_attempt WHERE state IN ('sending', 'unknown', 'sent')"
        " GROUP BY payout_id HAVING COUNT(*) > 1",
    ),
    Invariant(
        "state-of-attempts",
        "A payout is where its attempts say: under way with a live one, sent with one that was carried out.",
        "SELECT p.id, p.state, a.state AS attempt FROM payout p JOIN payout_attempt a ON a.payout_id = p.id"
        " AND a.state IN ('sending', 'unknown', 'sent') WHERE NOT ((a.state = 'sent' AND p.state IN"
        " ('sent', 'settled', 'returned')) OR (a.state = p.state) OR (a.state = 'sending' AND p.state = 'unknown'))",
    ),
    Invariant(
        "reversed-no-more-than-paid",
        "The reversals of a payout come to no more than was paid, and to all of it only when it is returned.",
        "SELECT p.id, p.amount_minor, SUM(v.amount_minor) AS reversed FROM payout p"
        " JOIN payout_reversal v ON v.payout_id = p.id GROUP BY p.id, p.amount_minor, p.state"
        " HAVING SUM(v.amount_minor) > p.amount_minor"
        " OR (SUM(v.amount_minor) = p.amount_minor AND p.state <> 'returned')",
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
