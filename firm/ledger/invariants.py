"""What must always hold in the books, each as a query that finds the breaches."""

from __future__ import annotations

from firm.invariant import Invariant

# ruff: noqa: S608 (the only parts put together are names of our own columns)
from firm.ledger.model import BALANCE_KEY, DIMENSIONS

_KEY = ", ".join(BALANCE_KEY)
_SAME_DIMENSIONS = " AND ".join(f"r.{name} = o.{name}" for name in DIMENSIONS)

CHECKS = (
    Invariant(
        "entries-balance",
        "Every journal entry balances in each of its currencies.",
        "SELECT entry_id, currency, SUM(amount_minor) AS difference FROM posting"
        " GROUP BY entry_id, currency HAVING SUM(amount_minor) <> 0",
    ),
    Invariant(
        "entries-complete",
        "Every journal entry has the number of lines it was sealed with, at least two.",
        "SELECT e.id, e.line_count, COUNT(p.line) AS found FROM journal_entry e"
        " LEFT JOIN posting p ON p.entry_id = e.id GROUP BY e.id, e.line_count"
        " HAVING COUNT(p.line) <> e.line_count OR COUNT(p.line) < 2",
    ),
    Invariant(
        "lines-belong",
        "Every line belongs to an entry and names an account of its currency.",
        "SELECT p.entry_id, p.line FROM posting p"
        " LEFT JOIN journal_entry e ON e.id = p.entry_id AND e.line_count = p.line_count"
        " LEFT JOIN account a ON a.code = p.account AND a.currency = p.currency"
        " WHERE e.id IS NULL OR a.code IS NULL",
    ),
    Invariant(
        "amounts-whole",
        "Every amount is a whole number of minor units, not zero and in range.",
        "SELECT entry_id, line FROM posting WHERE amount_minor <> CAST(amount_minor AS BIGINT)"
        " OR amount_minor = 0 OR amount_minor NOT BETWEEN -1000000000000000 AND 1000000000000000",
    ),
    Invariant(
        "balances-kept",
        "Every kept balance equals the sum of its postings.",
        f"SELECT {_KEY}, SUM(kept) AS kept, SUM(posted) AS posted FROM ("
        f"SELECT {_KEY}, amount_minor AS kept, 0 AS posted FROM balance"
        f" UNION ALL SELECT {_KEY}, amount_minor, 0 FROM balance_delta"
        f" UNION ALL SELECT {_KEY}, 0, amount_minor FROM posting) AS both_sides"
        f" GROUP BY {_KEY} HAVING SUM(kept) <> SUM(posted)",
    ),
    Invariant(
        "trial-balance-zero",
        "The trial balance is zero in each currency.",
        "SELECT currency, SUM(amount_minor) AS difference FROM posting GROUP BY currency HAVING SUM(amount_minor) <> 0",
    ),
    Invariant(
        "closed-months-untouched",
        "No entry was posted into a month after it was closed, and none lies in a month unknown.",
        "SELECT e.id, e.month FROM journal_entry e LEFT JOIN period p ON p.month = e.month"
        " WHERE p.month IS NULL OR (p.state = 'closed' AND e.posted_at > p.closed_at)",
    ),
    Invariant(
        "months-closed-in-order",
        "No open month lies before a closed one.",
        "SELECT o.month FROM period o JOIN period c ON c.month > o.month WHERE o.state = 'open' AND c.state = 'closed'",
    ),
    Invariant(
        "reversals-exact",
        "A reversal is the exact negation of the entry it reverses.",
        "SELECT e.id FROM journal_entry e JOIN posting o ON o.entry_id = e.reverses_id"
        " LEFT JOIN posting r ON r.entry_id = e.id AND r.line = o.line AND r.account = o.account"
        f" AND r.currency = o.currency AND r.amount_minor = -o.amount_minor AND {_SAME_DIMENSIONS}"
        " JOIN journal_entry f ON f.id = e.reverses_id"
        " WHERE r.entry_id IS NULL OR e.line_count <> f.line_count",
    ),
    Invariant(
        "entries-witnessed",
        "Every journal entry was posted in a commit that left an audit record.",
        "SELECT e.id FROM journal_entry e WHERE NOT EXISTS ("
        "SELECT 1 FROM audit_record a WHERE a.at = e.posted_at AND a.actor = e.posted_by"
        " AND a.verb IN ('entry.posted', 'entries.posted'))",
    ),
)
