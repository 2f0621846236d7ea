"""The use cases of the books themselves."""

from __future__ import annotations

from datetime import date, datetime

from firm.actor import Actor
from firm.db import transaction, use_case
from firm.ledger import journal


@use_case
def reverse_entry(entry_id: int, *, on: date, reason: str, by: Actor, now: datetime) -> int:
    """Reverse an entry by hand and return the number of its reversal. Raises as `journal.reverse` does."""
    with transaction() as session:
        return journal.reverse(session, entry_id, on=on, reason=reason, by=by, now=now)
