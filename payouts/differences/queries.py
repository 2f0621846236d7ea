"""Finding the incidents that are open."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from payouts.differences.model import INCIDENTS, ReconciliationDifference

_incident = ReconciliationDifference.resolved_at.is_(None), ReconciliationDifference.kind.in_(INCIDENTS)


def open_incidents(session: Session) -> list[ReconciliationDifference]:
    """Every incident that is open, the oldest first."""
    query = select(ReconciliationDifference).where(*_incident)
    return list(session.scalars(query.order_by(ReconciliationDifference.id)))


def oldest_incident(session: Session) -> datetime | None:
    """Since when the oldest incident is open; None while there is none."""
    return session.scalar(select(func.min(ReconciliationDifference.opened_at)).where(*_incident))
