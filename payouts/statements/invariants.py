"""What must always hold between statements and the books."""

from __future__ import annotations

from firm.invariant import Invariant

CHECKS = (
    Invariant(
        "statements-follow-on",
        "A statement opens with what the one of the month before closed with.",
        "SELECT s.number, s.opening_minor, b.closing_minor FROM statement s JOIN statement b"
        " ON b.maintainer_id = s.maintainer_id AND b.month = (SELECT MAX(e.month) FROM statement e"
        " WHERE e.maintainer_id = s.maintainer_id AND e.month < s.month) AND b.version = s.version"
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
)
