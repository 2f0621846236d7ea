"""Importing public work: each piece once, known people by their aliases, nobody guessed."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from firm.db import reading
from firm.month import Month
from firm.portfolio import operations as portfolio
from firm.portfolio.queries import PackageNotFound
from staffing.maintainers import operations as maintainers
from staffing.reports import operations as reports
from staffing.reports import queries as found_reports
from staffing.reports.queries import NoEngagementInPeriod
from staffing.reports.rules import InvalidPeriod
from staffing.work.git import Person
from staffing.work.operations import import_git, import_osv
from staffing.work.osv import BrokenArchive, NoRecords
from staffing.work.sample_history import SampleCommit, make_clone
from staffing.work.storing import ImportReport
from tests import lovelace
from tests.lovelace import AFTER, LEAD, OCTOBER

GRACE = Person("Grace", "grace@lovelace.example")
GRACE_AT_HOME = Person("G. Hopper", "grace@home.example")
STRANGER = Person("Wim", "wim@elsewhere.example")


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 10, 1, hour, tzinfo=UTC) + timedelta(days=day - 1)


def commit(
    author: Person, day: int, subject: str, reviewers: tuple[Person, ...] = (), folder: str = "ssh"
) -> SampleCommit:
    return SampleCommit(author, at(day, 9), at(day), folder, subject, reviewers)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    path = tmp_path / "clone"
    commits = [
        commit(GRACE, 2, "ssh: fix the handshake", (STRANGER,)),
        commit(STRANGER, 3, "ssh: not ours", (GRACE,)),
        commit(GRACE_AT_HOME, 5, "ssh: from home"),
        commit(GRACE, 6, "elsewhere: another folder", folder="other"),
    ]
    make_clone(path, commits, {"v1.0.0": 3, "nightly": 2})
    return path


@pytest.fixture
def firm(app: Flask) -> Flask:
    lovelace.set_up()
    portfolio.adopt(
        name="example.org/ssh", ecosystem="Go", folder="ssh", repository="https://example.org/r", by=LEAD, now=AFTER
    )
    return app


def take_in(clone: Path, **range_: date) -> ImportReport:
    return import_git(clone, "example.org/ssh", **range_, by=LEAD, now=AFTER)


def items() -> list[tuple[str, str, str | None]]:
    query = "SELECT w.kind, w.title, m.name FROM work_item w LEFT JOIN maintainer m ON m.id = w.maintainer_id"
    with reading() as session:
        return sorted((row[0], row[1], row[2]) for row in session.execute(text(query)))


def test_commits_reviews_and_releases_become_items_of_those_who_did_them(firm: Flask, clone: Path) -> None:
    report = take_in(clone)
    assert dict(report.new) == {"commit": 3, "review": 2, "release": 1}
    assert items() == [
        ("commit", "ssh: fix the handshake", "Grace"),
        ("commit", "ssh: from home", None),
        ("commit", "ssh: not ours", None),
        ("release", "v1.0.0", None),
        ("review", "ssh: fix the handshake", None),
        ("review", "ssh: not ours", "Grace"),
    ]
    assert report.unattributed == 3


def test_importing_again_adds_nothing(firm: Flask, clone: Path) -> None:
    take_in(clone)
    before = items()
    again = take_in(clone)
    assert sum(again.new.values()) == 0
    assert dict(again.known) == {"commit": 3, "review": 2, "release": 1}
    assert items() == before


def test_an_alias_added_later_attributes_what_is_there(firm: Flask, clone: Path) -> None:
    take_in(clone)
    maintainers.add_alias("Grace", email="GRACE@home.example", by=LEAD, now=AFTER)
    # What she wrote, and the release that she tagged.
    assert take_in(clone).newly_attributed == 2
    assert ("commit", "ssh: from home", "Grace") in items()


def test_only_the_days_asked_for_are_read(firm: Flask, clone: Path) -> None:
    report = take_in(clone, since=date(2026, 10, 3), until=date(2026, 10, 5))
    assert dict(report.new) == {"commit": 1, "review": 1}


def test_an_import_that_stops_halfway_is_finished_by_the_next(firm: Flask, clone: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_git(clone, "example.org/ssh", progress=stop, by=LEAD, now=AFTER)
    take_in(clone)
    assert len(items()) == 6


def test_a_package_that_is_not_there_is_named(firm: Flask, clone: Path) -> None:
    with pytest.raises(PackageNotFound, match="chambers package add"):
        import_git(clone, "example.org/nowhere", by=LEAD, now=AFTER)


def record(name: str, package: str, published: str = "2026-10-12T00:00:00Z") -> dict[str, object]:
    return {
        "id": name,
        "published": published,
        "summary": f"{name} panics",
        "affected": [{"package": {"name": package, "ecosystem": "Go"}}],
        "references": [{"type": "WEB", "url": "https://example.org/x"}],
    }


def write(folder: Path, *records: dict[str, object]) -> Path:
    folder.mkdir(exist_ok=True)
    for one in records:
        (folder / f"{one['id']}.json").write_text(json.dumps(one), encoding="utf-8")
    return folder


def test_advisories_of_our_packages_are_taken_and_others_left(firm: Flask, tmp_path: Path) -> None:
    folder = write(
        tmp_path / "osv",
        record("GO-1", "example.org/ssh"),
        record("GO-2", "example.org/ssh/agent"),
        record("GO-3", "example.org/sshd"),
        record("GO-4", "example.org/ssh", published="0001-01-01T00:00:00Z"),
    )
    (folder / "broken.json").write_text("{", encoding="utf-8")
    (folder / "twice.json").write_text('{"id": "a", "id": "b"}', encoding="utf-8")
    report = import_osv(folder, by=LEAD, now=AFTER)
    assert dict(report.new) == {"vulnerability": 3}
    assert sorted(line.partition(":")[0] for line in report.skipped) == ["broken.json", "twice.json"]
    assert dict(import_osv(folder, by=LEAD, now=AFTER).known) == {"vulnerability": 3}


def test_a_zip_of_advisories_is_read_and_a_bomb_is_not(firm: Flask, tmp_path: Path) -> None:
    path = tmp_path / "osv.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../GO-1.json", json.dumps(record("GO-1", "example.org/ssh")))
    assert dict(import_osv(path, by=LEAD, now=AFTER).new) == {"vulnerability": 1}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.json", " " * 4_000_000)
    with pytest.raises(BrokenArchive, match="unpacks"):
        import_osv(path, by=LEAD, now=AFTER)
    path.write_bytes(b"no zip")
    with pytest.raises(BrokenArchive, match="fetch it again"):
        import_osv(path, by=LEAD, now=AFTER)
    with pytest.raises(NoRecords):
        import_osv(tmp_path / "nowhere", by=LEAD, now=AFTER)


def report_for(client: str, first: Month = OCTOBER) -> dict[str, object]:
    row = reports.issue(client, from_month=first, until_month=first.next, by=LEAD, now=AFTER)
    return dict(found_reports.figures(row))


def test_a_report_counts_our_work_and_never_that_of_others(firm: Flask, tmp_path: Path) -> None:
    with reading() as session:
        ssh = session.scalar(text("SELECT name FROM package WHERE name = 'ssh'"))
    history = tmp_path / "history"
    make_clone(history, [commit(GRACE, 2, "ours", (STRANGER,)), commit(STRANGER, 3, "theirs")], {"v2.0.0": 2})
    import_git(history, str(ssh), by=LEAD, now=AFTER)
    figures = report_for("Acme")
    [package] = [one for one in figures["packages"] if one["name"] == "ssh"]  # type: ignore[attr-defined]
    assert package["counts"] == {"commit": 1, "release": 1}
    assert [line["title"] for line in package["work"]] == ["ours"]
    assert package["people"] == ["Grace"]
    assert "theirs" not in json.dumps(figures)
    assert "Globex" not in json.dumps(figures)
    assert figures["totals"] == {"commit": 1, "release": 1}


def test_a_report_stays_as_it_was_issued(firm: Flask, clone: Path) -> None:
    row = reports.issue("Acme", from_month=OCTOBER, until_month=OCTOBER.next, by=LEAD, now=AFTER)
    import_git(clone, "ssh", by=LEAD, now=AFTER)
    with reading() as session:
        assert found_reports.find(session, row.number).figures == row.figures
    assert report_for("Acme")["number"] == "FWR-2026-0002"


def test_a_month_that_is_not_over_cannot_be_reported(firm: Flask) -> None:
    with pytest.raises(InvalidPeriod, match="November 2026 is not over"):
        report_for("Acme", Month(2026, 11))
    with pytest.raises(NoEngagementInPeriod, match="no engagement that runs in September 2026"):
        report_for("Acme", Month(2026, 9))
