"""How many differences there are, and for how long."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.gauge import Gauge, seconds_since
from payouts.differences.model import ReconciliationDifference
from payouts.reconciliation import queries


def open_differences(session: Session, now: datetime) -> int:
    return queries.number_open(session)


def oldest_open(session: Session, now: datetime) -> int:
    oldest = select(func.min(ReconciliationDifference.opened_at)).where(ReconciliationDifference.resolved_at.is_(None))
    return seconds_since(session.scalar(oldest), now)


GAUGES = (
    Gauge(
        "chambers_open_differences",
        "Differences between books and rails that nobody has resolved.",
        open_differences,
    ),
    Gauge("chambers_oldest_open_difference_seconds", "How long the oldest of them has been open.", oldest_open),
)
