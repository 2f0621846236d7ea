"""What about destinations needs somebody's attention."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from firm.gauge import Gauge
from payouts.destinations import queries


def unconfirmed_destinations(session: Session, now: datetime) -> int:
    return queries.count_waiting(session, now=now)


GAUGES = (
    Gauge(
        "chambers_unconfirmed_destinations",
        "Changes of destinations that nobody has confirmed or rejected yet; their payees are not paid.",
        unconfirmed_destinations,
    ),
)
