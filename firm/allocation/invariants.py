"""What must always hold between revenue, its shares and the funds."""

from __future__ import annotations

from firm.invariant import Invariant

CHECKS = (
    Invariant(
        "revenue-allocated",
        "Every retainer's shares of a month sum to its recognized revenue, to the minor unit.",
        "SELECT month, engagement_id, SUM(shared) AS shared, SUM(recognized) AS recognized FROM ("
        "SELECT month, engagement_id, amount_minor AS shared, 0 AS recognized FROM allocation_share"
        " UNION ALL SELECT r.posted_month, r.engagement_id, 0, r.booked_minor FROM recognition r"
        " JOIN allocation a ON a.month = r.posted_month) AS sides"
        " GROUP BY month, engagement_id HAVING SUM(shared) <> SUM(recognized)",
    ),
    Invariant(
        "allocation-total",
        "A month's allocation is the sum of its shares.",
        "SELECT a.month, a.total_minor, COALESCE(SUM(s.amount_minor), 0) AS shares FROM allocation a"
        " LEFT JOIN allocation_share s ON s.month = a.month GROUP BY a.month, a.total_minor"
        " HAVING a.total_minor <> COALESCE(SUM(s.amount_minor), 0)",
    ),
    Invariant(
        "funds-stand-against-allocated",
        "All funds together stand exactly against what allocation has set aside.",
        "SELECT currency, SUM(amount_minor) AS difference FROM posting"
        " WHERE account = 'equity:allocated' OR account LIKE 'equity:funds:%'"
        " GROUP BY currency HAVING SUM(amount_minor) <> 0",
    ),
    Invariant(
        "no-fund-overdrawn",
        "No fund is overdrawn: what funds cannot cover, the residual bears.",
        "SELECT account, package_id, currency, SUM(amount_minor) AS overdrawn FROM posting"
        " WHERE account LIKE 'equity:funds:%' GROUP BY account, package_id, currency"
        " HAVING SUM(amount_minor) > 0",
    ),
)
