"""What reached people, on the cash basis: by the days on which money moved, whenever it was booked."""

from __future__ import annotations

from collections import Counter
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.ledger import accounts
from firm.ledger import queries as ledger
from firm.money import Money
from firm.month import Month
from firm.profile import operations as profiles
from payouts.runs import entries
from payouts.runs.model import PayoutReversal, payout


def paid_in_year(session: Session, year: int) -> dict[str, Money]:
    """What reached each maintainer in a calendar year and stayed there, by the bank's and the provider's days.

    The figures of the filing papers (1099-NEC, due 31 January), which compare them with `law.nec_threshold`. A payment
    that left the bank in December counts in that year, also where its month was closed and it is booked in January.
    What came back counts in the year in which it did.
    """
    first, last = date(year, 1, 1), date(year, 12, 31)
    paid: Counter[str] = Counter()
    left = select(payout.c.maintainer_id, func.sum(payout.c.amount_minor)).where(
        payout.c.settled_on.between(first, last)
    )
    for maintainer_id, minor in session.execute(left.group_by(payout.c.maintainer_id)):
        paid[maintainer_id] += int(minor)
    reversed_ = (
        select(payout.c.maintainer_id, func.sum(PayoutReversal.amount_minor))
        .join(PayoutReversal, PayoutReversal.payout_id == payout.c.id)
        .where(PayoutReversal.reversed_on.between(first, last))
    )
    for maintainer_id, minor in session.execute(reversed_.group_by(payout.c.maintainer_id)):
        paid[maintainer_id] -= int(minor)
    currency = profiles.current(session).currency
    for maintainer_id, minor in _returned(session, year, currency).items():
        paid[maintainer_id] -= minor
    return {key: Money(minor, currency) for key, minor in sorted(paid.items()) if minor}


def _returned(session: Session, year: int, currency: str) -> Counter[str]:
    """What came back whole after it had left the bank, by the days of the books."""
    arrived = set(session.scalars(select(payout.c.id).where(payout.c.settled_on.is_not(None))))
    found: Counter[str] = Counter()
    first = Month(year, 1)
    for month in first.until(first.plus(12)):
        for moved in ledger.movements(session, accounts.PAYABLES, currency, month):
            if moved.source.startswith(entries.RETURNED) and entries.payout_of(moved.source) in arrived:
                found[moved.maintainer_id] -= moved.amount.minor
    return found
