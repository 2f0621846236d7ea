"""What about the calendar of the books needs somebody's attention."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from firm.gauge import Gauge
from firm.ledger import periods
from firm.profile.model import Profile


def months_open_past_their_end(session: Session, now: datetime) -> int:
    profile = session.get(Profile, 1)
    if profile is None:
        return 0
    month, running, count = periods.earliest_open(session, first=profile.first_month), profile.month_at(now), 0
    while month < running:
        month, count = month.next, count + 1
    return count


GAUGES = (
    Gauge(
        "chambers_months_open_past_their_end",
        "Months that are over and not closed.",
        months_open_past_their_end,
    ),
)
