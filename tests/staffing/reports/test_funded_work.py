"""Issuing funded-work reports: what counts, for whom, when, and that it stays as issued."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from firm.clients import operations as clients
from firm.clients.queries import ClientNotFound
from firm.db import AnyRow, reading, transaction
from firm.documents import papers
from firm.engagements import operations as engagements
from firm.engagements.interests import NamedInterest
from firm.month import Month
from staffing.maintainers import operations as maintainers
from staffing.reports import operations as reports
from staffing.reports import queries
from staffing.reports.model import funded_work_report
from staffing.reports.queries import NoEngagementInPeriod, ReportNotFound
from staffing.reports.rules import InvalidPeriod
from staffing.work import operations as work
from staffing.work.git import Person
from staffing.work.sample_history import SampleCommit, make_clone
from tests import lovelace
from tests.lovelace import AFTER, BEFORE, LEAD, OCTOBER, usd

ADA, GRACE = Person("Ada", "ada@lovelace.example"), Person("Grace", "grace@lovelace.example")
CHARLES = Person("Charles", "charles@upstream.example")
# October began an hour before midnight UTC in London, and ended at midnight.
FIRST = datetime(2026, 9, 30, 23, tzinfo=UTC)
END = datetime(2026, 11, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
COPIED = (
    "INSERT INTO funded_work_report (id, number, client_id, from_month, until_month, figures, sha256, issued_at)"
    " SELECT 'fwr_x', {number}, client_id, from_month, {until_month}, 'x', sha256, issued_at FROM funded_work_report"
)


@pytest.fixture
def firm(app: Flask) -> Flask:
    """Acme and Globex depend on ssh, age and staticcheck; Grace and Ada maintain them."""
    lovelace.establish()
    lovelace.add_clients()
    lovelace.set_plan()
    lovelace.staff()
    return app


@pytest.fixture
def history(firm: Flask, tmp_path: Path) -> Path:
    """An October of ssh, with work of ours, of others, and at the very edges of the month."""
    commits = [
        _commit(GRACE, FIRST - SECOND, "September in London"),
        _commit(GRACE, FIRST, "the first of October"),
        _commit(CHARLES, datetime(2026, 10, 7, tzinfo=UTC), "somebody else's work", GRACE),
        _commit(ADA, datetime(2026, 10, 8, tzinfo=UTC), "reviewed by a stranger", CHARLES),
        _commit(GRACE, END - SECOND, "the last of October"),
        _commit(GRACE, END, "November"),
    ]
    make_clone(tmp_path / "ssh", commits, {"v0.9.0": 1, "v1.0.0": 3, "v1.1.0": 6})
    _import(tmp_path / "ssh")
    return tmp_path


def _commit(author: Person, on: datetime, subject: str, *reviewers: Person) -> SampleCommit:
    return SampleCommit(author, on, on, "", subject, reviewers)


def _import(path: Path, package: str = "ssh") -> None:
    work.import_git(path, package, by=LEAD, now=AFTER)


def issue(client: str = "Acme", months: int = 1, *, from_month: Month = OCTOBER, now: datetime = AFTER) -> AnyRow:
    return reports.issue(client, from_month=from_month, until_month=from_month.plus(months), by=LEAD, now=now)


def figures(row: AnyRow | None = None) -> dict[str, Any]:
    return dict(queries.figures(issue() if row is None else row))


def package(figures: dict[str, Any], name: str) -> dict[str, Any]:
    [found] = [one for one in figures["packages"] if one["name"] == name]
    return dict(found)


def test_only_our_maintainers_work_counts(history: Path) -> None:
    found = figures()
    assert package(found, "ssh")["counts"] == {"commit": 3, "release": 1, "review": 1}
    assert found["totals"] == {"commit": 3, "release": 1, "review": 1}
    assert [(one["title"], one["by"]) for one in package(found, "ssh")["work"]] == [
        ("the last of October", "Grace"),
        ("reviewed by a stranger", "Ada"),
        ("the first of October", "Grace"),
    ]


def test_others_work_and_others_names_never_appear(history: Path) -> None:
    row = issue()
    shown = row.figures + papers.html(figures(row)).decode()
    for other in ("somebody else", "Charles", "charles@"):
        assert other not in shown


def test_no_address_of_anybody_is_told(history: Path) -> None:
    for person in (ADA, GRACE):
        assert person.email not in issue().figures


def test_a_release_of_the_package_is_told_and_is_not_claimed(history: Path) -> None:
    [release] = package(figures(), "ssh")["releases"]
    assert release == {"version": "v1.0.0", "on": "2026-10-07", "url": None, "ours": False}


def test_the_period_is_of_the_firm_s_own_clock(history: Path) -> None:
    titles = [one["title"] for one in package(figures(), "ssh")["work"]]
    assert {"September in London", "November"}.isdisjoint(titles)
    assert {one["title"]: one["on"] for one in package(figures(), "ssh")["work"]} == {
        "the first of October": "2026-10-01",
        "reviewed by a stranger": "2026-10-08",
        "the last of October": "2026-10-31",
    }


def test_those_paid_for_a_package_and_those_with_work_on_it_are_named(history: Path) -> None:
    found = figures()
    assert package(found, "ssh")["people"] == ["Ada", "Grace"]
    assert package(found, "age")["people"] == ["Ada"]


def test_a_report_holds_only_the_packages_that_the_client_named(history: Path) -> None:
    _client("Initech", ["age"])
    row = issue("Initech")
    assert [one["name"] for one in figures(row)["packages"]] == ["age"]
    for other in ("ssh", "staticcheck", "the first of October"):
        assert other not in row.figures


def test_a_report_never_names_another_client(history: Path) -> None:
    for client, other in (("Acme", "Globex"), ("Globex", "Acme")):
        row = issue(client)
        assert client in row.figures
        assert other not in row.figures
        assert other not in papers.html(figures(row)).decode()


def test_a_report_names_what_the_client_answered_and_is_served_under(history: Path) -> None:
    found = figures()
    assert (found["tier"], found["client"]["name"], found["firm"]["name"]) == ("gold", "Acme", "Lovelace Maintainers")
    assert package(found, "ssh")["reason"] == (
        "you named this package: stopping is not acceptable; replacing it would take 24 engineer-months"
    )


def test_no_more_than_the_newest_eight_pieces_are_listed_and_the_rest_is_counted(firm: Flask, tmp_path: Path) -> None:
    noon = datetime(2026, 10, 5, 12, tzinfo=UTC)
    make_clone(tmp_path / "age", [_commit(ADA, noon + n * SECOND, f"age: part {n}") for n in range(11)])
    _import(tmp_path / "age", "age")
    found = package(figures(), "age")
    assert [one["title"] for one in found["work"]] == [f"age: part {n}" for n in range(10, 2, -1)]
    assert (found["counts"], found["more"]) == ({"commit": 11}, 3)


def test_an_advisory_of_the_period_is_told_with_its_evidence(firm: Flask, tmp_path: Path) -> None:
    for number, published in enumerate(("2026-10-08T00:00:00Z", "2026-11-01T00:00:00Z", "0001-01-01T00:00:00Z")):
        record = {
            "id": f"X-{number}",
            "summary": "Memory",
            "published": published,
            "affected": [{"package": {"name": "ssh", "ecosystem": "Go"}}],
            "references": [{"type": "ADVISORY", "url": f"https://vuln.example.org/X-{number}"}],
        }
        (tmp_path / f"X-{number}.json").write_text(json.dumps(record))
    work.import_osv(tmp_path, by=LEAD, now=AFTER)
    url = "https://vuln.example.org/X-0"
    expected = [{"id": "X-0", "summary": "Memory", "on": "2026-10-08", "url": url, "ours": False}]
    assert package(figures(), "ssh")["security"] == expected


def test_a_month_that_is_not_over_is_refused(firm: Flask) -> None:
    for now in (BEFORE, END - SECOND):
        with pytest.raises(InvalidPeriod, match=r"October 2026 is not over; report on months that are\."):
            issue(now=now)
    assert issue(now=END).number == "FWR-2026-0001"


@pytest.mark.parametrize("months", [-1, 0, 37])
def test_a_period_that_is_empty_or_too_long_is_refused(firm: Flask, months: int) -> None:
    with pytest.raises(InvalidPeriod, match="between 1 and 36 whole months"):
        issue(months=months)


def test_a_client_without_a_running_engagement_gets_no_report(firm: Flask) -> None:
    clients.register(name="Initech", country="US", address=["1 Main Street"], by=LEAD, now=BEFORE)
    for client, from_month in (("Initech", OCTOBER), ("Acme", Month(2026, 9))):
        with pytest.raises(NoEngagementInPeriod, match="a report shows what a client funded"):
            issue(client, from_month=from_month)
    with pytest.raises(ClientNotFound):
        issue("Umbrella")
    assert issue().number == "FWR-2026-0001"


def test_each_report_has_a_number_of_its_own_and_is_found_by_it(firm: Flask) -> None:
    first, second = issue(), issue("Globex")
    assert (first.number, second.number) == ("FWR-2026-0001", "FWR-2026-0002")
    with reading() as session:
        assert queries.find(session, "FWR-2026-0002") == queries.find(session, second.id) == second
        assert queries.page(session, client_id=first.client_id) == [first]
        with pytest.raises(ReportNotFound, match="There is no funded-work report 'FWR-2026-0003'"):
            queries.find(session, "FWR-2026-0003")


def test_the_figures_are_frozen_when_it_is_issued(history: Path) -> None:
    row = issue()
    before = papers.pdf(figures(row))
    make_clone(history / "more", [_commit(GRACE, datetime(2026, 10, 9, tzinfo=UTC), "found later")])
    _import(history / "more")
    maintainers.add_alias("Ada", email=CHARLES.email, by=LEAD, now=AFTER)
    _import(history / "ssh")
    with reading() as session:
        again = queries.find(session, row.number)
    assert again == row
    assert hashlib.sha256(again.figures.encode()).hexdigest() == again.sha256
    assert papers.pdf(figures(again)) == before
    assert package(figures(issue()), "ssh")["counts"]["commit"] == 5


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE funded_work_report SET figures = '{}'",
        "UPDATE funded_work_report SET issued_at = imported_at FROM work_item",
        "DELETE FROM funded_work_report",
        COPIED.format(number="number", until_month="until_month"),
        COPIED.format(number="'FWR-X'", until_month="from_month"),
    ],
)
def test_no_sql_changes_an_issued_report(history: Path, attack: str) -> None:
    row = issue()

    def run() -> None:
        with transaction() as session:
            session.execute(text(attack))

    with pytest.raises(DBAPIError):
        run()
    with reading() as session:
        assert session.execute(select(funded_work_report)).all() == [row]


def test_both_papers_of_an_issued_report_can_be_made(history: Path) -> None:
    found = figures()
    assert papers.pdf(found).startswith(b"%PDF")
    assert "Maintained for you by" in papers.html(found).decode()


def _client(name: str, interests: list[str]) -> None:
    clients.register(name=name, country="US", address=["1 Main Street"], by=LEAD, now=BEFORE)
    engagement = engagements.draft(
        client=name,
        tier="gold",
        fee=usd("1000.00"),
        cycle="monthly",
        starts_on=date(2026, 10, 1),
        subcontracting_allowed=True,
        interests=[NamedInterest(package, True, 1) for package in interests],
        by=LEAD,
        now=BEFORE,
    )
    engagements.sign(engagement.id, by=LEAD, now=BEFORE)
