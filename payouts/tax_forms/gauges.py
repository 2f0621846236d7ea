"""Which forms need somebody's attention."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from firm.gauge import Gauge
from firm.profile.model import Profile
from payouts.tax_forms import queries
from payouts.tax_forms.rules import day_of


def expiring(session: Session, now: datetime) -> int:
    profile = session.get(Profile, 1)
    return 0 if profile is None else queries.number_expiring(session, day_of(now, profile.zone))


GAUGES = (
    Gauge(
        "chambers_tax_forms_expiring",
        "Tax forms that have expired or will within 30 days, and have no successor.",
        expiring,
    ),
)
