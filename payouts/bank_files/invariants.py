"""What must always hold between a bank's files, payouts and the books."""

from __future__ import annotations

from firm.invariant import Invariant

CHECKS = (
    Invariant(
        "bank-statement-adds-up",
        "A statement's booked lines lead from its opening to its closing balance.",
        "SELECT f.id, f.opening_minor, f.closing_minor FROM bank_file f"
        " LEFT JOIN bank_line l ON l.file_id = f.id AND l.state <> 'ignored'"
        " WHERE f.kind = 'camt.053' GROUP BY f.id, f.opening_minor, f.closing_minor"
        " HAVING f.opening_minor + COALESCE(SUM(CASE l.direction WHEN 'credit' THEN l.amount_minor"
        " WHEN 'debit' THEN -l.amount_minor ELSE 0 END), 0) <> f.closing_minor",
    ),
    Invariant(
        "bank-line-settled",
        "What a line of the bank settled is settled in the books, over the same amount.",
        "SELECT l.id, l.payout_id FROM bank_line l JOIN payout p ON p.id = l.payout_id WHERE l.state = 'settled'"
        " AND (p.settled_on IS NULL OR p.amount_minor <> l.amount_minor OR p.currency <> l.currency)",
    ),
    Invariant(
        "bank-line-returned",
        "What a line of the bank rejected or returned is returned in the books, over the same amount.",
        "SELECT l.id, l.payout_id FROM bank_line l JOIN payout p ON p.id = l.payout_id"
        " WHERE l.state IN ('returned', 'rejected')"
        " AND (p.state <> 'returned' OR p.amount_minor <> l.amount_minor OR p.currency <> l.currency)",
    ),
)
