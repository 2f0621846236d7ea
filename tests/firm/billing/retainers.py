"""A firm that only sells: clients with engagements on one package, everything divided to it, nobody to pay."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text

from firm.allocation import operations as allocation
from firm.billing import invoices
from firm.billing import queries as billing
from firm.billing.model import Invoice
from firm.clients import operations as clients
from firm.db import reading
from firm.engagements import operations as engagements
from firm.engagements.interests import NamedInterest
from firm.ledger import queries as ledger
from firm.money import Money
from firm.month import Month
from firm.portfolio import operations as portfolio
from payouts import month_end
from tests import lovelace
from tests.lovelace import BEFORE, LEAD, OCTOBER, START, usd

NOVEMBER, DECEMBER = OCTOBER.plus(1), OCTOBER.plus(2)


def establish() -> None:
    lovelace.establish()
    portfolio.adopt(name="ssh", ecosystem="Go", by=LEAD, now=BEFORE)
    engagements.add_tier(name="gold", by=LEAD, now=BEFORE)
    allocation.set_plan(from_month=OCTOBER, overhead_bp=0, reserves={}, weights={"ssh": 1}, by=LEAD, now=BEFORE)


def sell(client: str, fee: Money | None = None, *, requires_po: bool = False, **changes: Any) -> str:
    """Register the client and sign an engagement; returns its id."""
    clients.register(name=client, country="US", requires_po=requires_po, by=LEAD, now=BEFORE)
    values: dict[str, Any] = {"cycle": "monthly", "starts_on": START} | changes
    engagement = engagements.draft(
        client=client,
        tier="gold",
        fee=fee or usd("3100.00"),
        interests=[NamedInterest("ssh", False, 24)],
        by=LEAD,
        now=BEFORE,
        **values,
    )
    engagements.sign(engagement.id, by=LEAD, now=BEFORE)
    return engagement.id


def morning_after(month: Month) -> datetime:
    first = month.next.first_day
    return datetime(first.year, first.month, 1, 9, 0, tzinfo=UTC)


def invoice(month: Month, *, on: date | None = None) -> invoices.Invoicing:
    day = on or month.first_day
    now = datetime(day.year, day.month, day.day, 12, 0, tzinfo=UTC)
    return invoices.issue_month(month, by=LEAD, now=now)


def close(month: Month) -> month_end.Closing:
    return month_end.close(month, by=LEAD, now=morning_after(month))


def issued() -> list[Invoice]:
    with reading() as session:
        return sorted(billing.invoices(session), key=lambda one: one.number)


def totals() -> list[str]:
    """Number, first service month and total of every invoice."""
    return [f"{one.number} {one.from_month} {one.total}" for one in issued()]


def entries(month: Month) -> list[str]:
    """What a month booked, allocation left out: narration, month it adjusts, and lines."""
    with reading() as session:
        return [
            f"{entry.narration}{f' (adjusts {entry.adjusts})' if entry.adjusts else ''}\n{entry}"
            for entry in ledger.entries(session, month=month)
            if not entry.source.startswith("allocation")
        ]


def recognized() -> list[tuple[str, str, int, int]]:
    """Service month, month it was posted in, amount, and what was booked."""
    with reading() as session:
        query = "SELECT month, posted_month, amount_minor, booked_minor FROM recognition ORDER BY month, engagement_id"
        return [tuple(row) for row in session.execute(text(query))]
