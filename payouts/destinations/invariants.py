"""What must always hold of destinations, also for who writes past the product."""

from __future__ import annotations

from firm.invariant import Invariant

CHECKS = (
    Invariant(
        "one-destination",
        "A maintainer has at most one destination in force and at most one proposed.",
        "SELECT maintainer_id, state, COUNT(*) AS destinations FROM destination"
        " WHERE state IN ('proposed', 'confirmed') GROUP BY maintainer_id, state HAVING COUNT(*) > 1",
    ),
    Invariant(
        "confirmed-by-another",
        "No destination was confirmed by who proposed it, unless the firm allowed it then.",
        "SELECT id, proposed_by FROM destination WHERE state IN ('confirmed', 'replaced')"
        " AND decided_by = proposed_by AND NOT sole_approval",
    ),
    Invariant(
        "paid-where-confirmed",
        "Nothing was sent to a destination that was not confirmed, or before it could be used.",
        "SELECT a.id, p.destination_id FROM payout_attempt a JOIN payout p ON p.id = a.payout_id"
        " JOIN destination d ON d.id = p.destination_id"
        " WHERE d.usable_from IS NULL OR d.usable_from > a.started_at",
    ),
    Invariant(
        "changes-were-told",
        "Whoever had another destination before was promised a notice of the new one, cooling off or not.",
        # Told are the addresses of the one directly before and of the new one, and nobody where neither has any.
        "SELECT d.id, d.maintainer_id FROM (SELECT n.*, (SELECT o.contact FROM destination o WHERE o.id ="
        " (SELECT MAX(e.id) FROM destination e WHERE e.maintainer_id = n.maintainer_id AND e.id < n.id"
        " AND e.usable_from IS NOT NULL)) AS contact_before FROM destination n) AS d"
        " WHERE ((d.usable_from > d.decided_at AND (d.contact <> '' OR d.contact_before <> ''))"
        # Those that were in force before destinations were confirmed have no such record, and nobody was told of them.
        " OR (d.contact_before <> ''"
        " AND EXISTS (SELECT 1 FROM audit_record c WHERE c.subject = d.id AND c.verb = 'destination.confirmed')))"
        " AND NOT EXISTS (SELECT 1 FROM notice n WHERE n.key = 'destination-confirmed/' || d.id || '/1')",
    ),
)
