"""What must always hold between statements and the books."""

from __future__ import annotations

from firm.invariant import Invariant

CHECKS = (
    Invariant(
        "statements-follow-on",
        "A statement, in every version, opens with what the one of the month before closed with.",
        "SELECT s.number, s.opening_minor, b.closing_minor FROM statement s JOIN statement b"
        " ON b.maintainer_id = s.maintainer_id AND b.month = (SELECT MAX(e.month) FROM statement e"
        " WHERE e.maintainer_id = s.maintainer_id AND e.month < s.month)"
        " WHERE s.opening_minor <> b.closing_minor",
    ),
    Invariant(
        "statements-are-the-books",
        "A statement closes with what the books owed the maintainer at the end of its month.",
        "SELECT s.number, s.closing_minor, COALESCE(b.owed, 0) AS owed FROM statement s LEFT JOIN ("
        "SELECT t.id, -SUM(p.amount_minor) AS owed FROM statement t"
        " JOIN posting p ON p.maintainer_id = t.maintainer_id AND p.account = 'liabilities:payables'"
        " AND p.currency = t.currency JOIN journal_entry e ON e.id = p.entry_id AND e.month <= t.month"
        " GROUP BY t.id) AS b ON b.id = s.id WHERE s.closing_minor <> COALESCE(b.owed, 0)",
    ),
    Invariant(
        "statements-account-for-all",
        "A statement says what was earned, adjusted and paid in its month, all of it, and nobody lacks theirs.",
        "SELECT maintainer_id, month, SUM(earned) AS earned, SUM(adjusted) AS adjusted, SUM(paid) AS paid FROM ("
        "SELECT maintainer_id, month, earned_minor AS earned, adjusted_minor AS adjusted, paid_minor AS paid"
        " FROM statement WHERE version = 1"
        " UNION ALL SELECT maintainer_id, month, -amount_minor, 0, 0 FROM earning"
        " UNION ALL SELECT maintainer_id, month, 0, -amount_minor, 0 FROM adjustment"
        " UNION ALL SELECT p.maintainer_id, e.month, 0, 0, -p.amount_minor FROM posting p"
        " JOIN journal_entry e ON e.id = p.entry_id"
        " WHERE p.account = 'liabilities:payables' AND e.source LIKE 'payout%') AS sides"
        " WHERE month IN (SELECT month FROM period_step WHERE step = 'statements') GROUP BY maintainer_id, month"
        " HAVING SUM(earned) <> 0 OR SUM(adjusted) <> 0 OR SUM(paid) <> 0",
    ),
    Invariant(
        "corrected-statements-refer",
        "A corrected statement refers to the first of its maintainer and month, and its amounts are the same.",
        "SELECT s.number FROM statement s LEFT JOIN statement f ON f.id = s.corrects_id AND f.version = 1"
        " AND f.maintainer_id = s.maintainer_id AND f.month = s.month AND f.currency = s.currency"
        " AND f.opening_minor = s.opening_minor AND f.earned_minor = s.earned_minor"
        " AND f.adjusted_minor = s.adjusted_minor AND f.paid_minor = s.paid_minor"
        " WHERE s.version > 1 AND f.id IS NULL",
    ),
)
