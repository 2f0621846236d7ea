"""What about notices needs somebody's attention."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.gauge import Gauge, seconds_since
from firm.notices import queries
from firm.notices.model import Notice


def failed_notices(session: Session, now: datetime) -> int:
    return queries.count(session, "failed")


def oldest_queued_notice(session: Session, now: datetime) -> int:
    return seconds_since(session.scalar(select(func.min(Notice.created_at)).where(Notice.state == "queued")), now)


GAUGES = (
    Gauge(
        "chambers_failed_notices",
        "Notices that the mail server refused; a person has to give them in another way.",
        failed_notices,
    ),
    Gauge(
        "chambers_oldest_queued_notice_seconds",
        "For how long the oldest notice waits to be sent, or to be given by a person.",
        oldest_queued_notice,
    ),
)
