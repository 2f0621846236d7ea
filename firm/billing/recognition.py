"""Recognizing revenue: each service month of each engagement, once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.billing.model import invoiced_month, recognition
from firm.billing.rules import Party, booked, recognition_lines
from firm.bulk import bulk_insert
from firm.db import AnyRow, transaction, use_case
from firm.engagements.model import Engagement
from firm.engagements.rules import Term
from firm.exchange.operations import rates_for
from firm.exchange.rules import SCALE
from firm.ledger import journal, periods
from firm.ledger.entry import Entry
from firm.money import Money
from firm.month import Month
from firm.profile import operations as profiles

STEP = "recognition"


@dataclass(frozen=True, slots=True)
class Earned:
    """A service month of an engagement that is earned and not in the books yet."""

    party: Party
    month: Month
    amount: Money
    rate: int
    booked: Money
    invoiced: bool


@use_case
def recognise_month(month: Month, *, by: Actor, now: datetime) -> None:
    """Recognize every service month up to this one that is not recognized yet; the step is done once.

    Months that come late are posted in this one and name the month they adjust. Raises `RateMissing`.
    """
    with transaction() as session:
        if not periods.claim_step(session, month, STEP, items=0, total_minor=0, by=by, now=now):
            return
        earned = earned_until(session, month)
        journal.post_many(session, [_entry(item, month) for item in earned], by=by, now=now)
        bulk_insert(session, recognition, [_row(item, month) for item in earned])
        total = sum(item.booked.minor for item in earned)
        periods.set_result(session, month, STEP, items=len(earned), total_minor=total)
        facts = {"service_months": len(earned), "total_minor": total}
        audit.record(session, "revenue.recognized", str(month), facts, by=by, now=now)


def earned_until(session: Session, month: Month) -> list[Earned]:
    """What recognizing the month would book, in the order of engagements and months. Raises `RateMissing`."""
    profile = profiles.current(session)
    done = _months_of(session, recognition)
    invoiced = _months_of(session, invoiced_month)
    open_months = [
        (Party(row.client_id, row.id), service, term.worth(service))
        for row in _engagements_begun(session, month)
        for term in [Term(Money(row.fee_minor, row.currency), row.starts_on, row.ends_on)]
        for service in term.months(profile.first_month, month.next)
        if service not in done[row.id]
    ]
    foreign = {amount.currency for _, _, amount in open_months} - {profile.currency}
    # Late months are earned at the rate of the month that books them: that is when the books learn of them.
    rates = rates_for(session, month, foreign) | {profile.currency: SCALE}
    return [
        Earned(
            party,
            service,
            amount,
            rates[amount.currency],
            booked(amount, rates[amount.currency], profile.currency),
            service in invoiced[party.engagement_id],
        )
        for party, service, amount in open_months
        if amount
    ]


def revenue(session: Session, month: Month) -> dict[str, Money]:
    """What the month's recognition booked, by engagement, in the currency of the books."""
    currency = profiles.current(session).currency
    rows = session.execute(
        select(recognition.c.engagement_id, recognition.c.booked_minor)
        .where(recognition.c.posted_month == month)
        .order_by(recognition.c.engagement_id, recognition.c.month)
    )
    sums: dict[str, int] = defaultdict(int)
    for engagement_id, minor in rows:
        sums[engagement_id] += minor
    return {engagement_id: Money(minor, currency) for engagement_id, minor in sums.items()}


def _engagements_begun(session: Session, month: Month) -> Sequence[AnyRow]:
    return session.execute(
        select(
            Engagement.id,
            Engagement.client_id,
            Engagement.fee_minor,
            Engagement.currency,
            Engagement.starts_on,
            Engagement.ends_on,
        )
        .where(Engagement.state != "draft", Engagement.starts_on < month.next.first_day)
        .order_by(Engagement.id)
    ).all()


def _months_of(session: Session, table: Table) -> Mapping[str, set[Month]]:
    found: dict[str, set[Month]] = defaultdict(set)
    columns = table.c
    for engagement_id, month in session.execute(select(columns.engagement_id, columns.month)):
        found[engagement_id].add(month)
    return found


def _entry(item: Earned, month: Month) -> Entry:
    late = item.month if item.month < month else None
    return Entry(
        f"recognition:{item.party.engagement_id}:{item.month}",
        month.last_day,
        f"Retainer of {item.month.name}",
        tuple(recognition_lines(item.party, item.amount, item.booked, invoiced=item.invoiced)),
        adjusts=late,
    )


def _row(item: Earned, month: Month) -> dict[str, object]:
    return {
        "engagement_id": item.party.engagement_id,
        "month": item.month,
        "posted_month": month,
        "amount_minor": item.amount.minor,
        "currency": item.amount.currency,
        "rate": item.rate,
        "booked_minor": item.booked.minor,
        "was_invoiced": int(item.invoiced),
    }
