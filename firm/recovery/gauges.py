"""Whether the books wait for somebody to reconcile them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.gauge import Gauge
from firm.recovery.model import Restoration


def unreconciled_restorations(session: Session, now: datetime) -> int:
    query = select(func.count()).select_from(Restoration).where(Restoration.reconciled_at.is_(None))
    return session.scalar(query) or 0


GAUGES = (
    Gauge(
        "chambers_unreconciled_restorations",
        "Restorations after which the books send nothing, because nobody has reconciled them.",
        unreconciled_restorations,
    ),
)
