"""What must always hold between events, the provider's balance and the books."""

from __future__ import annotations

from firm.invariant import Invariant

CHECKS = (
    Invariant(
        "stored-events-promised",
        "Every event that is not applied yet has the job that will apply it.",
        "SELECT e.id, e.type FROM provider_event e LEFT JOIN job j ON j.key = 'provider-event:' || e.id"
        " WHERE e.state = 'stored' AND j.id IS NULL",
    ),
    Invariant(
        "movements-booked",
        "Every line of the provider's balance that this version knows how to book is booked, once.",
        "SELECT m.id, m.type FROM provider_movement m LEFT JOIN journal_entry e"
        " ON e.source = 'provider-movement:' || m.provider || ':' || m.reference"
        " WHERE e.id IS NULL AND ((m.treatment = 'booked' AND m.net_minor <> 0)"
        " OR (m.treatment = 'paid-out' AND m.fee_minor <> 0))",
    ),
)
