"""What a month's close takes from what was earned: advances recovered by the pay terms, and tax withheld by law.

One step of the close, after the earnings: advances first, since what recovers one is no payment, then the tax on the
rest. A payable that both leave is what the month's statement closes with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.db import transaction, use_case
from firm.ledger import periods
from firm.money import Money
from firm.month import Month
from firm.profile import operations as profiles
from payouts.adjustments import booking, rules
from payouts.adjustments import queries as adjustments
from payouts.adjustments.booking import Item
from payouts.adjustments.rules import Moved, RecoveryRule
from payouts.adjustments.withholding import Duties, Duty, nobody
from payouts.earnings import queries
from payouts.earnings.rules import percent
from payouts.terms import queries as terms

STEP = "deductions"


@use_case
def take_month(month: Month, *, duties: Duties = nobody, by: Actor, now: datetime) -> None:
    """Recover advances from the month and withhold tax from it; the step is done once."""
    with transaction() as session:
        if not periods.claim_step(session, month, STEP, items=0, total_minor=0, by=by, now=now):
            return
        # Before anything is decided: an adjustment made at this moment is seen, or waits.
        booking.hold(session)
        items = list(_items(session, month, duties))
        if items:
            numbers = booking.take_numbers(session, month.last_day, len(items))
            booking.book(session, items, numbers, by=by, now=now)
        total = sum(item.amount.minor for item in items)
        periods.set_result(session, month, STEP, items=len(items), total_minor=total)
        audit.record(session, "deductions.taken", str(month), {"deductions": len(items)}, by=by, now=now)


def _items(session: Session, month: Month, duties: Duties) -> Iterator[Item]:
    currency = profiles.current(session).currency
    outstanding = adjustments.outstanding(session, currency)
    bound = duties(session, month)
    if not outstanding and not bound:
        return
    recover_by = terms.recovery_rules(session, month)
    moved = _moved(session, month)
    for maintainer_id in sorted({*outstanding, *bound}):
        theirs = moved.get(maintainer_id, Moved())
        rule = recover_by.get(maintainer_id, RecoveryRule())
        owed = outstanding.get(maintainer_id, Money.zero(currency))
        recovered = rules.recovery(rule, theirs, owed.minor)
        if recovered:
            yield _recovery(maintainer_id, month, rule, Money(recovered, currency), owed)
            theirs = replace(theirs, recovered=theirs.recovered - recovered)
        duty = bound.get(maintainer_id)
        withheld = 0 if duty is None else rules.withholding(duty.rate_bp, theirs)
        if duty is not None and withheld:
            yield _withholding(maintainer_id, month, duty, Money(withheld, currency))


def _moved(session: Session, month: Month) -> dict[str, Moved]:
    earned = queries.earned_by_maintainer(session, month, month)
    adjusted = adjustments.totals(session, month, month)
    return {
        key: Moved(
            earned=earned.get(key, 0),
            corrected=adjusted.get(key, {}).get("correction", 0),
            fees=adjusted.get(key, {}).get("fee", 0),
            advanced=adjusted.get(key, {}).get("advance", 0),
            recovered=adjusted.get(key, {}).get("advance-recovery", 0),
            withheld=adjusted.get(key, {}).get("withholding", 0),
        )
        for key in {*earned, *adjusted}
    }


def _recovery(maintainer_id: str, month: Month, rule: RecoveryRule, amount: Money, owed: Money) -> Item:
    how = f"{percent(rule.rate_bp)} of what the month earned" if rule.fixed is None else "A fixed amount a month"
    left = owed - amount
    rest = f"{left} of it is outstanding after this" if left else "nothing is outstanding after this"
    reason = f"{how}, at most what is left of it, recovers the {owed} advanced; {rest}"
    return Item(maintainer_id, "advance-recovery", -amount, reason, month.last_day)


def _withholding(maintainer_id: str, month: Month, duty: Duty, amount: Money) -> Item:
    reason = f"{percent(duty.rate_bp)} of what {month.name} made payable: {duty.reason}"
    return Item(maintainer_id, "withholding", -amount, reason, month.last_day)
