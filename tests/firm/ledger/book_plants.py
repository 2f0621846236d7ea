"""A breach of every invariant of the books, of what they are made of and of what adjusts them."""

from __future__ import annotations

from tests.firm.ledger.planting import MUCH, NEW, SOMEBODY, Plants, Sides, adjusted, between, head, swapped, witness

SAME = Sides("assets:bank", (5, -5))
AS_ADJUSTMENT = f"UPDATE journal_entry SET source = 'adjustment:z' WHERE id = {NEW}"

BOOKS: Plants = {
    "entries-balance": [
        *Sides("assets:bank", (100, -90)).planted(),
        *Sides("assets:bank", (-100, 90), number=NEW + 1).planted(),
        head(),
        head(number=NEW + 1),
        witness(),
    ],
    "entries-complete": [*SAME.planted(3), head(count=3), witness()],
    "lines-belong": [*Sides("assets:cellar", (5, -5)).planted(), head(), witness()],
    "amounts-whole": [*Sides("assets:bank", (10**15 + 1, -(10**15) - 1)).planted(), head(), witness()],
    "balances-kept": ["INSERT INTO balance (account, currency, amount_minor) VALUES ('assets:bank', 'EUR', 1)"],
    "trial-balance-zero": [*Sides("assets:bank", (100, -90)).planted(), head(), witness()],
    "closed-months-untouched": [*SAME.planted(), head(month="2026-10"), witness()],
    "months-closed-in-order": ["INSERT INTO period (month, state) VALUES ('2026-09', 'open')"],
    "reversals-exact": [
        *SAME.planted(),
        head(),
        *Sides("assets:bank", (-6, 6), number=NEW + 1).planted(),
        head(number=NEW + 1, reverses=str(NEW)),
        witness(),
    ],
    "entries-witnessed": [*SAME.planted(), head()],
}

BILLING: Plants = {
    "invoices-sum": [
        (
            "INSERT INTO invoice SELECT 'inv_x', 'X-1', client_id, engagement_id, issued_on, due_on, from_month,"
            " until_month, 100, 100, currency, 'paid', figures, issued_at FROM invoice WHERE number LIKE '%1'"
        ),
        "INSERT INTO receipt VALUES ('rec_x', 'inv_x', 'x', '2026-11-05', 100, 'USD', '2026-11-05 09:00:00')",
    ],
    "receipts-sum": [
        (
            "INSERT INTO receipt SELECT 'rec_x', id, 'x', '2026-11-05', 1, currency, issued_at FROM invoice"
            " WHERE number LIKE '%1'"
        )
    ],
    "recognized-plus-deferred": between("liabilities:deferred-revenue", "engagement_id", "engagement"),
    "receivables-open": between("assets:receivables", "client_id", "client"),
    "invoice-numbers-gapless": ["UPDATE number_series SET last = last + 1 WHERE name LIKE 'INV-%'"],
    "revenue-booked": between("income:retainers", "engagement_id", "engagement"),
}

ALLOCATION: Plants = {
    "revenue-allocated": swapped("allocation_share", "engagement_id"),
    "allocation-total": ["UPDATE allocation SET total_minor = total_minor + 1"],
    "funds-stand-against-allocated": [
        *Sides("equity:allocated", (1, 1)).planted(),
        *Sides("assets:bank", (-1, -1), number=NEW + 1).planted(),
        f"UPDATE posting SET entry_id = {NEW}, line = line + 2 WHERE entry_id = {NEW + 1}",
        f"UPDATE posting SET line_count = 4 WHERE entry_id = {NEW}",
        head(count=4),
        witness(),
    ],
    "no-fund-overdrawn": between("equity:funds:packages", "package_id", "package", MUCH),
}

EARNINGS: Plants = {
    "earnings-booked": swapped("earning", "maintainer_id"),
    "fund-use-booked": [
        (
            "UPDATE earning SET funded_minor = funded_minor - 1 WHERE line = (SELECT MIN(line) FROM earning"
            " WHERE funded_minor > 1) AND funded_minor > 1"
        )
    ],
}

ADJUSTMENTS: Plants = {
    "adjustments-booked": [adjusted("x")],
    "adjusting-entries-known": [*SAME.planted(), head(), witness(), AS_ADJUSTMENT],
    "payables-explained": [
        *Sides("liabilities:payables", (5, -5), ({"maintainer_id": SOMEBODY}, {"maintainer_id": SOMEBODY})).planted(),
        head(),
        witness(),
    ],
    "advances-outstanding": between("assets:advances", "maintainer_id", "maintainer"),
    "withholding-booked": [*between("liabilities:withheld-tax", "maintainer_id", "maintainer"), AS_ADJUSTMENT],
    "adjustments-reversed-exactly": [adjusted("x"), adjusted("y", amount=-6, reverses="'adj_x'")],
}
