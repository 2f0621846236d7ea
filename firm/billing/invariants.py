"""What must always hold between invoices, recognition and the books."""

from __future__ import annotations

from firm.invariant import Invariant

CHECKS = (
    Invariant(
        "invoices-sum",
        "Every invoice is the sum of its service months.",
        "SELECT i.number, i.total_minor, SUM(m.amount_minor) AS months FROM invoice i"
        " LEFT JOIN invoiced_month m ON m.invoice_id = i.id GROUP BY i.number, i.total_minor"
        " HAVING i.total_minor <> COALESCE(SUM(m.amount_minor), 0)",
    ),
    Invariant(
        "receipts-sum",
        "What an invoice says was received is the sum of its receipts.",
        "SELECT i.number, i.received_minor, COALESCE(SUM(r.amount_minor), 0) AS receipts FROM invoice i"
        " LEFT JOIN receipt r ON r.invoice_id = i.id GROUP BY i.number, i.received_minor"
        " HAVING i.received_minor <> COALESCE(SUM(r.amount_minor), 0)",
    ),
    Invariant(
        "recognized-plus-deferred",
        "For every engagement, recognized plus deferred minus unbilled is what was invoiced.",
        "SELECT engagement_id, SUM(invoiced) AS invoiced, SUM(recognized) AS recognized, SUM(deferred) AS deferred"
        " FROM (SELECT engagement_id, amount_minor AS invoiced, 0 AS recognized, 0 AS deferred FROM invoiced_month"
        " UNION ALL SELECT engagement_id, 0, amount_minor, 0 FROM recognition"
        " UNION ALL SELECT engagement_id, 0, 0, -amount_minor FROM posting"
        " WHERE account IN ('liabilities:deferred-revenue', 'assets:unbilled-revenue')) AS sides"
        " GROUP BY engagement_id HAVING SUM(invoiced) <> SUM(recognized) + SUM(deferred)",
    ),
    Invariant(
        "receivables-open",
        "A client's receivables are what is open on its invoices.",
        "SELECT client_id, currency, SUM(open_minor) AS open_minor, SUM(booked) AS booked FROM ("
        "SELECT client_id, currency, total_minor - received_minor AS open_minor, 0 AS booked FROM invoice"
        " UNION ALL SELECT client_id, currency, 0, amount_minor FROM posting"
        " WHERE account = 'assets:receivables') AS sides GROUP BY client_id, currency"
        " HAVING SUM(open_minor) <> SUM(booked)",
    ),
    Invariant(
        "invoice-numbers-gapless",
        "Invoice numbers have no gap.",
        "SELECT s.name, s.last, COUNT(i.number) AS found FROM number_series s"
        " LEFT JOIN invoice i ON i.number LIKE s.name || '-%' WHERE s.name LIKE 'INV-%'"
        " GROUP BY s.name, s.last HAVING s.last <> COUNT(i.number)",
    ),
    Invariant(
        "revenue-booked",
        "Recognized revenue in the books is the sum of the recognized service months.",
        "SELECT engagement_id, SUM(booked) AS booked, SUM(posted) AS posted FROM ("
        "SELECT engagement_id, booked_minor AS booked, 0 AS posted FROM recognition"
        " UNION ALL SELECT engagement_id, 0, -amount_minor FROM posting"
        " WHERE account = 'income:retainers' AND engagement_id <> '') AS sides"
        " GROUP BY engagement_id HAVING SUM(booked) <> SUM(posted)",
    ),
)
