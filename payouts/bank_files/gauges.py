"""What about bank files needs somebody's attention."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.gauge import Gauge, seconds_since
from payouts.bank_files.model import BankFile, BankLine


def oldest_unmatched_line(session: Session, now: datetime) -> int:
    query = select(func.min(BankFile.received_at)).join(BankLine, BankLine.file_id == BankFile.id)
    return seconds_since(session.scalar(query.where(BankLine.state.in_(["waiting", "unmatched"]))), now)


GAUGES = (
    Gauge(
        "chambers_oldest_unmatched_bank_line_seconds",
        "How long the oldest line of a bank's file has waited for a person, or to be applied.",
        oldest_unmatched_line,
    ),
)
