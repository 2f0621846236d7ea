"""The use cases of the books themselves."""

from __future__ import annotations

from datetime import date, datetime

from firm.actor import Actor
from firm.db import transaction, use_case
from firm.errors import Refused
from firm.ledger import accounts, journal

ACCOUNTED_ELSEWHERE = {
    accounts.PAYABLES: "is about what a maintainer is owed, and stands on a statement or a payout; a payment that came"
    " back is entered with `chambers run return`",
    accounts.IN_TRANSIT: "is about a payout under way; a payment that came back is entered with `chambers run return`",
    accounts.RECEIVABLES: "belongs to an invoice or a receipt, which would go on saying otherwise",
    accounts.DEFERRED: "belongs to the months of a retainer, which would go on saying otherwise",
    accounts.UNBILLED: "belongs to the months of a retainer, which would go on saying otherwise",
    accounts.ALLOCATED: "belongs to a month's allocation, and earnings are charged to the funds that it filled",
    accounts.RETAINERS: "belongs to the months of a retainer, which would go on saying otherwise",
}
"""Accounts whose entries other records stand on, and what is said about them."""


class ReversedElsewhere(Refused):
    """Other records account for the entry; turning it in the books alone would leave them wrong."""


@use_case
def reverse_entry(entry_id: int, *, on: date, reason: str, by: Actor, now: datetime) -> int:
    """Reverse an entry by hand and return the number of its reversal.

    Raises as `journal.reverse` does, and `ReversedElsewhere` for what other records stand on.
    """
    with transaction() as session:
        touched = {line.account for line in journal.lines_of(session, entry_id)}
        for account, why in ACCOUNTED_ELSEWHERE.items():
            if account in touched:
                raise ReversedElsewhere(f"This entry {why}; it is not reversed in the books alone.")
        return journal.reverse(session, entry_id, on=on, reason=reason, by=by, now=now)
