"""What must always hold of self-billing."""

from __future__ import annotations

from firm.invariant import Invariant

CHECKS = (
    Invariant(
        "self-billing-series-gapless",
        "The numbers of a supplier's series follow one another from 1, and the counter stands at the last.",
        "SELECT s.maintainer_id, s.series, s.last, COUNT(i.id) AS papers FROM self_billing_series s"
        " LEFT JOIN self_billed_invoice i ON i.maintainer_id = s.maintainer_id AND i.series = s.series"
        " GROUP BY s.maintainer_id, s.series, s.last HAVING COUNT(i.id) <> s.last"
        " OR COUNT(DISTINCT i.position) <> s.last OR MAX(i.position) <> s.last OR MIN(i.position) <> 1"
        # A paper outside of every counter, and one whose number is not its place in its series.
        " UNION ALL SELECT i.maintainer_id, i.series, i.position, 0 FROM self_billed_invoice i WHERE NOT EXISTS"
        " (SELECT 1 FROM self_billing_series s WHERE s.maintainer_id = i.maintainer_id AND s.series = i.series)"
        " OR i.number <> i.series || CASE WHEN i.position > 9999 THEN CAST(i.position AS VARCHAR(20)) ELSE"
        " SUBSTR('000' || CAST(i.position AS VARCHAR(20)), LENGTH(CAST(i.position AS VARCHAR(20)))) END",
    ),
    Invariant(
        "self-billed-under-agreement",
        "Every self-billed paper was issued under an agreement of its supplier, on record and in force that day.",
        "SELECT i.number FROM self_billed_invoice i LEFT JOIN self_billing_agreement a ON a.id = i.agreement_id"
        " WHERE a.id IS NULL OR i.maintainer_id <> a.maintainer_id OR i.series <> a.series OR i.issued_on < a.from_on"
        " OR i.issued_on < a.consented_on OR i.issued_on >= COALESCE(a.ended_on, a.until_on)"
        " OR i.issued_at < a.recorded_at",
    ),
    Invariant(
        "self-billed-once",
        "A month of a supplier has at most one self-billed invoice that was not taken back.",
        "SELECT i.maintainer_id, i.month, COUNT(*) AS live FROM self_billed_invoice i LEFT JOIN self_billed_invoice c"
        " ON c.credits_id = i.id WHERE i.kind = 'invoice' AND c.id IS NULL GROUP BY i.maintainer_id, i.month"
        " HAVING COUNT(*) > 1",
    ),
    Invariant(
        "self-billed-as-stated",
        "A self-billed invoice is for what its statement says was earned, and what corrects earlier months.",
        "SELECT i.number, i.net_minor, s.earned_minor FROM self_billed_invoice i JOIN statement s"
        " ON s.id = i.statement_id WHERE i.kind = 'invoice' AND (i.net_minor <> s.earned_minor"
        " + COALESCE((SELECT SUM(a.amount_minor) FROM adjustment a WHERE a.maintainer_id = i.maintainer_id"
        " AND a.month = i.month AND a.kind = 'correction'), 0) OR i.maintainer_id <> s.maintainer_id"
        " OR i.month <> s.month OR i.currency <> s.currency)",
    ),
    Invariant(
        "agreements-apart",
        "Self-billing agreements of one supplier do not overlap.",
        "SELECT a.id, b.id AS other FROM self_billing_agreement a JOIN self_billing_agreement b"
        " ON b.maintainer_id = a.maintainer_id AND b.id > a.id AND a.from_on < COALESCE(b.ended_on, b.until_on)"
        " AND b.from_on < COALESCE(a.ended_on, a.until_on) AND a.from_on < COALESCE(a.ended_on, a.until_on)"
        " AND b.from_on < COALESCE(b.ended_on, b.until_on)",
    ),
)
