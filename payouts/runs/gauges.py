"""What about runs and payouts needs somebody's attention."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.gauge import Gauge, seconds_since
from payouts.runs.model import PayoutRun, payout


def unknown_payouts(session: Session, now: datetime) -> int:
    return session.scalar(select(func.count()).select_from(payout).where(payout.c.state == "unknown")) or 0


def oldest_unsent_run(session: Session, now: datetime) -> int:
    waiting = select(func.min(PayoutRun.approved_at)).where(PayoutRun.state.in_(["approved", "releasing"]))
    return seconds_since(session.scalar(waiting), now)


GAUGES = (
    Gauge("chambers_unknown_payouts", "Payouts of which nobody knows whether they left.", unknown_payouts),
    Gauge(
        "chambers_oldest_unsent_run_seconds",
        "How long the oldest approved run has waited to be sent.",
        oldest_unsent_run,
    ),
)
