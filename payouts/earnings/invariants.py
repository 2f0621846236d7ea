"""What must always hold between earnings and the books."""

from __future__ import annotations

from firm.invariant import Invariant

CHECKS = (
    Invariant(
        "earnings-booked",
        "What a maintainer earned in a month is what the books credited to them for it.",
        "SELECT month, maintainer_id, SUM(earned) AS earned, SUM(booked) AS booked FROM ("
        "SELECT month, maintainer_id, amount_minor AS earned, 0 AS booked FROM earning"
        " UNION ALL SELECT e.month, p.maintainer_id, 0, -p.amount_minor FROM posting p"
        " JOIN journal_entry e ON e.id = p.entry_id"
        " WHERE p.account = 'liabilities:payables' AND e.source LIKE 'earnings:%') AS sides"
        " GROUP BY month, maintainer_id HAVING SUM(earned) <> SUM(booked)",
    ),
    Invariant(
        "fund-use-booked",
        "What earnings drew from a package's fund is what the books took from it.",
        "SELECT month, package_id, SUM(funded) AS funded, SUM(booked) AS booked FROM ("
        "SELECT month, package_id, funded_minor AS funded, 0 AS booked FROM earning WHERE funded_minor > 0"
        " UNION ALL SELECT e.month, p.package_id, 0, p.amount_minor FROM posting p"
        " JOIN journal_entry e ON e.id = p.entry_id"
        " WHERE p.account = 'equity:funds:packages' AND e.source LIKE 'fund-use:%') AS sides"
        " GROUP BY month, package_id HAVING SUM(funded) <> SUM(booked)",
    ),
)
