"""The use cases of the books themselves."""

from __future__ import annotations

from datetime import date, datetime

from firm.actor import Actor
from firm.db import transaction, use_case
from firm.errors import Refused
from firm.ledger import accounts, journal


class ReversedElsewhere(Refused):
    """Statements and payouts account for the entry; turning it in the books alone would leave them wrong."""


@use_case
def reverse_entry(entry_id: int, *, on: date, reason: str, by: Actor, now: datetime) -> int:
    """Reverse an entry by hand and return the number of its reversal.

    Raises as `journal.reverse` does, and `ReversedElsewhere` for what maintainers are owed.
    """
    with transaction() as session:
        if any(
            line.account in (accounts.PAYABLES, accounts.IN_TRANSIT) for line in journal.lines_of(session, entry_id)
        ):
            raise ReversedElsewhere(
                "This entry is about what a maintainer is owed, and stands on a statement or a payout; a payment that"
                " came back is entered with `chambers run return`."
            )
        return journal.reverse(session, entry_id, on=on, reason=reason, by=by, now=now)
