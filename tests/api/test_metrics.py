"""What Prometheus is told, and who may ask."""

from __future__ import annotations

from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from api.metrics import GAUGES, REQUESTS
from firm.actor import Role
from tests.api.callers import anonymous, as_role


def values(text: str) -> dict[str, float]:
    """The series without labels, and those with them under their labels' values."""
    return {
        " ".join([sample.name, *(sample.labels[name] for name in sorted(sample.labels))]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_only_a_lead_or_an_auditor_may_read_the_metrics(sqlite_served: Flask) -> None:
    anonymous(sqlite_served).get("/metrics", 401)
    as_role(sqlite_served, Role.ADMINISTRATOR).get("/metrics", 403)
    as_role(sqlite_served, Role.ACCOUNTANT).get("/metrics", 403)
    for role in (Role.LEAD, Role.AUDITOR):
        assert b"chambers_requests_total" in as_role(sqlite_served, role).get("/metrics")


def test_requests_are_counted_by_the_pattern_of_their_route(sqlite_served: Flask) -> None:
    auditor = as_role(sqlite_served, Role.AUDITOR)
    before = values(auditor.get("/metrics").decode())
    for name in ("inv_1", "inv_2"):
        auditor.get(f"/v1/invoices/{name}", 404)
    after = values(auditor.get("/metrics").decode())
    counted = "chambers_requests_total GET /v1/invoices/<key> 404"
    assert counted in after, [name for name in after if "invoices" in name]
    assert after[counted] - before.get(counted, 0) == 2
    assert after["chambers_requests_in_flight"] == 1
    assert "inv_1" not in str(after)


def test_an_answer_that_is_streamed_is_in_flight_once(closed: Flask) -> None:
    auditor = as_role(closed, Role.AUDITOR)
    for _ in range(3):
        assert auditor.send("GET", "/v1/ledger-exports/csv").get_data()
    assert values(auditor.get("/metrics").decode())["chambers_requests_in_flight"] == 1


def test_every_gauge_is_read_from_the_books(closed: Flask) -> None:
    text = as_role(closed, Role.AUDITOR).get("/metrics").decode()
    found = values(text)
    assert {gauge.name for gauge in GAUGES} <= set(found)
    assert found["chambers_unknown_payouts"] == 0
    assert found["chambers_unmatched_receipts"] == 0
    assert found["chambers_months_open_past_their_end"] == 0


def test_an_empty_firm_has_nothing_to_report(served: Flask) -> None:
    found = values(as_role(served, Role.AUDITOR).get("/metrics").decode())
    assert {found[gauge.name] for gauge in GAUGES} == {0}


def test_counting_has_a_bound(sqlite_served: Flask) -> None:
    """An unknown address is no label: a scanner cannot fill the memory."""
    for number in range(3):
        anonymous(sqlite_served).send("GET", f"/scan/{number}")
    assert not [labels for labels in REQUESTS._metrics if any("scan" in part for part in labels)]
