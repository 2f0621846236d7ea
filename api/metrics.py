"""What the process measures of itself, over all workers of a server, and the gauges of the business.

With several workers each writes into files of the folder that PROMETHEUS_MULTIPROC_DIR names (`api.serving` makes
one), and whichever worker is asked adds them up. Routes are labeled by their pattern, so the number of series is
bounded by the number of routes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session

import firm.billing.gauges
import firm.gauge
import firm.jobs.gauges
import firm.notices.gauges
import firm.profile.gauges
import firm.recovery.gauges
import payouts.bank_files.gauges
import payouts.destinations.gauges
import payouts.provider_events.gauges
import payouts.reconciliation.gauges
import payouts.runs.gauges
import payouts.tax_forms.gauges

GAUGES: tuple[firm.gauge.Gauge, ...] = (
    *firm.profile.gauges.GAUGES,
    *firm.billing.gauges.GAUGES,
    *firm.jobs.gauges.GAUGES,
    *firm.recovery.gauges.GAUGES,
    *firm.notices.gauges.GAUGES,
    *payouts.destinations.gauges.GAUGES,
    *payouts.runs.gauges.GAUGES,
    *payouts.provider_events.gauges.GAUGES,
    *payouts.reconciliation.gauges.GAUGES,
    *payouts.bank_files.gauges.GAUGES,
    *payouts.tax_forms.gauges.GAUGES,
)
"""Each subject's gauges; a new one is added to its subject's `gauges.py`."""

_OWN = CollectorRegistry()
REQUESTS = Counter("chambers_requests", "Requests answered.", labelnames=("method", "route", "status"), registry=_OWN)
SECONDS = Histogram(
    "chambers_request_seconds",
    "How long requests took.",
    labelnames=("method", "route"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=_OWN,
)
IN_FLIGHT = Gauge(
    "chambers_requests_in_flight", "Requests being answered now.", multiprocess_mode="livesum", registry=_OWN
)


def exposition(session: Session, now: datetime) -> bytes:
    """Everything in Prometheus' text form."""
    return generate_latest(_of_all_workers()) + generate_latest(_of_the_business(session, now))


def _of_all_workers() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return _OWN
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _of_the_business(session: Session, now: datetime) -> CollectorRegistry:
    class FromTheBooks(Collector):
        def collect(self) -> Iterable[Metric]:
            return _families(session, now)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(FromTheBooks())
    return registry


def _families(session: Session, now: datetime) -> Iterator[Metric]:
    for gauge in GAUGES:
        yield GaugeMetricFamily(gauge.name, gauge.sentence, value=gauge.read(session, now))
