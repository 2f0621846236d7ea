"""What about a provider's events needs somebody's attention."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.gauge import Gauge, seconds_since
from payouts.provider_events.model import ProviderEvent
from payouts.sweeps.model import ProviderSweep


def parked(session: Session, now: datetime) -> int:
    query = select(func.count()).select_from(ProviderEvent).where(ProviderEvent.state == "parked")
    return session.scalar(query) or 0


def oldest_stored(session: Session, now: datetime) -> int:
    return seconds_since(
        session.scalar(select(func.min(ProviderEvent.received_at)).where(ProviderEvent.state == "stored")), now
    )


def since_sweep(session: Session, now: datetime) -> int:
    """Since the last sweep that ended, or since the first was begun where none has."""
    ended = session.scalar(select(func.max(ProviderSweep.finished_at)))
    return seconds_since(ended or session.scalar(select(func.min(ProviderSweep.started_at))), now)


GAUGES = (
    Gauge("chambers_parked_provider_events", "Provider events that name what is not in these books.", parked),
    Gauge(
        "chambers_oldest_stored_provider_event_seconds",
        "How long the oldest provider event has waited to be applied.",
        oldest_stored,
    ),
    Gauge(
        "chambers_since_provider_sweep_seconds",
        "How long ago a provider's log was last read whole, or first begun to be; 0 where nobody tried.",
        since_sweep,
    ),
)
