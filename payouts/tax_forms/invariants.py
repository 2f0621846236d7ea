"""What must always hold of tax forms."""

from __future__ import annotations

from firm.invariant import Invariant

CHECKS = (
    Invariant(
        "one-live-tax-form",
        "A person has at most one tax form that is neither superseded nor withdrawn.",
        "SELECT maintainer_id, COUNT(*) AS live FROM tax_form WHERE superseded_at IS NULL AND withdrawn_at IS NULL"
        " GROUP BY maintainer_id HAVING COUNT(*) > 1",
    ),
    Invariant(
        "tax-numbers-sealed",
        "No taxpayer number and no paper is kept in the clear.",
        "SELECT id FROM tax_form WHERE tin_sealed NOT LIKE 'v1.%' OR document_sealed NOT LIKE 'v1.%'",
    ),
)
