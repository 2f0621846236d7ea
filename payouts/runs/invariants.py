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
        "None of those who approved a run prepared or proposed it, unless the firm allowed it then.",
        # Read once: an approval by the preparer is held against the last word on it before that moment.
        "WITH said AS MATERIALIZED (SELECT id, at, CASE WHEN facts LIKE '%true%' THEN 1 ELSE 0 END AS allowed"
        " FROM audit_record WHERE subject = 'firm' AND verb = 'firm.sole-approval')"
        " SELECT r.number, r.approved_by AS approver FROM payout_run r WHERE r.approved_by IS NOT NULL"
        " AND NOT r.sole_approval AND (r.approved_by = r.prepared_by OR r.approved_by = r.proposed_by)"
        " UNION ALL SELECT r.number, a.approved_by FROM payout_approval a JOIN payout_run r ON r.id = a.run_id"
        " WHERE NOT a.sole AND (a.approved_by = r.prepared_by"
        # Whoever approved a content that is void may have proposed the next one.
        " OR (a.voided_at IS NULL AND a.approved_by = r.proposed_by))"
        " UNION ALL SELECT r.number, a.approved_by FROM payout_approval a JOIN payout_run r ON r.id = a.run_id"
        " WHERE a.sole AND NOT EXISTS (SELECT 1 FROM said s WHERE s.allowed = 1 AND s.at <= a.approved_at"
        " AND NOT EXISTS (SELECT 1 FROM said n WHERE n.allowed = 0 AND n.id > s.id AND n.at < a.approved_at))",
    ),
    Invariant(
        "approvals-by-policy",
        "A run takes no fewer approvals than the policy asked for when it was approved, for what it pays by itself.",
        "SELECT r.number, r.approvals_needed, p.approvals, p.approvals_when_large FROM payout_run r"
        " JOIN payout_policy p ON p.id = (SELECT MAX(q.id) FROM payout_policy q"
        " WHERE q.currency = r.currency AND q.set_at < r.approved_at)"
        " LEFT JOIN (SELECT run_id, SUM(amount_minor) AS total FROM payout WHERE state NOT IN"
        " ('held', 'carried-over', 'planned', 'canceled') GROUP BY run_id) AS paid ON paid.run_id = r.id"
        " WHERE r.state IN ('approved', 'releasing', 'settled', 'partly-settled')"
        " AND (r.approvals_needed < p.approvals"
        " OR (paid.total > p.large_above_minor AND r.approvals_needed < p.approvals_when_large))"
        # One that was laid down in the very moment of the approval may have been the one it was held against.
        " AND NOT EXISTS (SELECT 1 FROM payout_policy q WHERE q.currency = r.currency AND q.set_at = r.approved_at)",
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
        "SELECT payout_id, COUNT(*) AS found FROM payout_attempt WHERE state IN ('sending', 'unknown', 'sent')"
        " GROUP BY payout_id HAVING COUNT(*) > 1"
        # What is still under way without a request could not be asked for again; before requests were kept, none was.
        " UNION ALL SELECT payout_id, 0 FROM payout_attempt WHERE key = '' OR LENGTH(request_digest) <> 64"
        " OR request = '' OR (request = '{}' AND state IN ('sending', 'unknown'))"
        " UNION ALL SELECT MIN(payout_id), COUNT(*) FROM payout_attempt GROUP BY key HAVING COUNT(*) > 1",
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
        "runs-as-their-payouts",
        "A released run is over when all its payouts are, and settled when all that were paid are settled.",
        "SELECT number, state, due FROM (SELECT r.number, r.state, CASE"
        " WHEN COUNT(CASE WHEN p.state IN ('planned', 'reserved', 'sending', 'waiting-for-funds', 'unknown', 'sent')"
        " THEN 1 END) > 0 THEN 'releasing' WHEN COUNT(CASE WHEN p.state IN ('refused', 'returned', 'canceled')"
        " THEN 1 END) > 0 THEN 'partly-settled' ELSE 'settled' END AS due FROM payout_run r"
        " LEFT JOIN payout p ON p.run_id = r.id WHERE r.state IN ('releasing', 'settled', 'partly-settled')"
        " GROUP BY r.number, r.state) AS runs WHERE state <> due",
    ),
    Invariant(
        "settled-booked",
        "Every settled payout is booked against the bank, once, and not before the day on which it left there.",
        "SELECT p.id, p.settled_on, e.on_date FROM payout p"
        " LEFT JOIN journal_entry e ON e.source = 'payout-settled:' || p.id"
        " WHERE (p.state = 'settled' AND e.id IS NULL) OR e.on_date < p.settled_on"
        " OR (e.id IS NOT NULL AND p.settled_on IS NULL)",
    ),
)
