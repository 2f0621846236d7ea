"""What must always hold between adjustments and the books."""

from __future__ import annotations

from firm.invariant import Invariant

CHECKS = (
    Invariant(
        "adjustments-booked",
        "Every adjustment moved its maintainer's payable by its amount, in its month, and its fund by its part.",
        "SELECT a.number FROM adjustment a LEFT JOIN journal_entry e ON e.source = a.entry_source"
        " LEFT JOIN posting p ON p.entry_id = e.id AND p.currency = a.currency"
        " GROUP BY a.number, a.amount_minor, a.funded_minor, a.month, e.month HAVING e.month IS NULL"
        " OR e.month <> a.month OR a.amount_minor <> COALESCE(SUM(CASE WHEN p.account = 'liabilities:payables'"
        " AND p.maintainer_id = a.maintainer_id THEN -p.amount_minor END), 0) OR a.funded_minor <>"
        " COALESCE(SUM(CASE WHEN p.account = 'equity:funds:packages' THEN p.amount_minor END), 0)",
    ),
    Invariant(
        "adjusting-entries-known",
        "Every entry that adjusts a payable has its adjustment.",
        "SELECT e.source FROM journal_entry e LEFT JOIN adjustment a ON a.entry_source = e.source"
        " WHERE e.source LIKE 'adjustment:%' AND a.id IS NULL",
    ),
    Invariant(
        "payables-explained",
        "Only earnings, adjustments and payouts move what is owed to a maintainer.",
        "SELECT e.source FROM posting p JOIN journal_entry e ON e.id = p.entry_id"
        " WHERE p.account = 'liabilities:payables' AND e.source NOT LIKE 'earnings:%'"
        " AND e.source NOT LIKE 'adjustment:%' AND e.source NOT LIKE 'payout%'",
    ),
    Invariant(
        "advances-outstanding",
        "What the books hold as advanced to a maintainer is what was advanced less what was recovered, never negative.",
        "SELECT maintainer_id, currency, SUM(advanced) AS advanced, SUM(booked) AS booked FROM ("
        "SELECT maintainer_id, currency, amount_minor AS advanced, 0 AS booked FROM adjustment"
        " WHERE kind IN ('advance', 'advance-recovery')"
        " UNION ALL SELECT maintainer_id, currency, 0, amount_minor FROM posting WHERE account = 'assets:advances')"
        " AS sides GROUP BY maintainer_id, currency HAVING SUM(advanced) <> SUM(booked) OR SUM(booked) < 0",
    ),
    Invariant(
        "withholding-booked",
        "What was withheld from a maintainer is what the books owed the authority for it.",
        "SELECT maintainer_id, currency, SUM(withheld) AS withheld, SUM(booked) AS booked FROM ("
        "SELECT maintainer_id, currency, amount_minor AS withheld, 0 AS booked FROM adjustment"
        " WHERE kind = 'withholding' UNION ALL SELECT p.maintainer_id, p.currency, 0, p.amount_minor FROM posting p"
        " JOIN journal_entry e ON e.id = p.entry_id"
        " WHERE p.account = 'liabilities:withheld-tax' AND e.source LIKE 'adjustment:%') AS sides"
        " GROUP BY maintainer_id, currency HAVING SUM(withheld) <> SUM(booked)",
    ),
    Invariant(
        "adjustments-reversed-exactly",
        "A reversal takes back exactly one adjustment, whole.",
        "SELECT r.number FROM adjustment r JOIN adjustment o ON o.id = r.reverses_id"
        " WHERE o.amount_minor <> -r.amount_minor OR o.maintainer_id <> r.maintainer_id OR o.kind <> r.kind"
        " OR o.reverses_id IS NOT NULL",
    ),
)
