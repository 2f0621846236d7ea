"""Importing: what clones and advisories say becomes work items, once, whoever imports and however often."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from firm.audit.model import audit_record
from firm.db import reading
from firm.portfolio import operations as portfolio
from firm.portfolio import queries as packages
from firm.portfolio.queries import PackageNotFound
from staffing.maintainers import operations as maintainers
from staffing.work import operations as work
from staffing.work import queries, storing
from staffing.work.git import EmptyClone, NotAClone, Person
from staffing.work.osv import Advisory, NoRecords, read_records
from staffing.work.sample_history import SampleCommit, make_clone
from staffing.work.storing import Elsewhere, ImportReport
from tests import lovelace
from tests.firm import books
from tests.lovelace import AFTER, BEFORE, LEAD

ADA, GRACE = Person("Ada", "ada@lovelace.example"), Person("Grace", "grace@lovelace.example")
CHARLES = Person("Charles", "charles@upstream.example")


def moment(day: int) -> datetime:
    return datetime(2026, 10, day, 12, tzinfo=UTC)


def change(
    author: Person, day: int, *reviewers: Person, subject: str = "ssh: bound channels", fixes: tuple[str, ...] = ()
) -> SampleCommit:
    return SampleCommit(author, moment(day), moment(day), "ssh", subject, reviewers, fixes)


HISTORY = [
    change(GRACE, 1, ADA, fixes=("golang/go#1", "#2")),
    change(ADA, 2, GRACE, CHARLES),
    change(CHARLES, 3, GRACE),
    change(CHARLES, 4),
]


@pytest.fixture
def firm(app: Flask) -> Flask:
    """Grace and Ada with the package ssh, which lies in a folder."""
    lovelace.establish()
    portfolio.adopt(
        name="ssh", ecosystem="Go", repository="https://go.example.org/crypto.git", folder="ssh", by=LEAD, now=BEFORE
    )
    for person in (ADA, GRACE):
        maintainers.add(
            name=person.name,
            email=person.email,
            country="US",
            grade="junior",
            works_as="subcontractor",
            by=LEAD,
            now=BEFORE,
        )
    return app


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    make_clone(tmp_path / "crypto", HISTORY, {"v0.1.0": 1, "v0.2.0": 4})
    return tmp_path / "crypto"


def import_git(path: Path, package: str = "ssh", **options: Any) -> ImportReport:
    return work.import_git(path, package, by=LEAD, now=AFTER, **options)


def import_osv(path: Path) -> ImportReport:
    return work.import_osv(path, by=LEAD, now=AFTER)


def rows(kind: str | None = None) -> list[Any]:
    with reading() as session:
        return queries.page(session, kind=kind)


def owners(kind: str) -> dict[str, int]:
    """How many items of a kind each maintainer has; those of nobody of ours under their own names."""
    with reading() as session:
        names = dict(session.execute(select(maintainers.Maintainer.id, maintainers.Maintainer.name)).all())
    found: dict[str, int] = {}
    for row in rows(kind):
        who = names.get(row.maintainer_id, f"({row.person})")
        found[who] = found.get(who, 0) + 1
    return found


def audited() -> int:
    with reading() as session:
        query = select(func.count()).where(audit_record.c.verb == "work.imported")
        return int(session.scalar(query) or 0)


def days() -> dict[str, datetime | None]:
    """The day on which reports count each vulnerability; None is in no report."""
    return {row.key: row.happened_at for row in rows("vulnerability")}


def advise(folder: Path, id: str, *names: str, **changes: Any) -> None:
    """Write a record that names these packages."""
    folder.mkdir(exist_ok=True)
    affected = [{"package": {"name": name, "ecosystem": "Go"}} for name in names]
    (folder / f"{id}.json").write_text(
        json.dumps(
            {"id": id, "summary": f"About {id}", "published": "2026-10-08T00:00:00Z", "affected": affected} | changes
        )
    )


# Clones


def test_commits_reviews_and_releases_become_items(firm: Flask, clone: Path) -> None:
    report = import_git(clone)
    assert report.new == {"commit": 4, "review": 4, "release": 2}
    assert (report.known, report.skipped, report.shallow) == ({}, [], False)
    first = next(row for row in rows("commit") if row.person == "Grace")
    assert (first.title, first.fixes) == ("ssh: bound channels", "golang/go#1 #2")
    assert first.url == f"https://go.example.org/crypto/commit/{first.key}"
    assert (first.authored_at, first.happened_at, first.imported_at) == (moment(1), moment(1), AFTER)
    assert {row.key: row.happened_at for row in rows("release")} == {"v0.1.0": moment(1), "v0.2.0": moment(4)}


def test_importing_again_adds_nothing_and_leaves_no_trace(firm: Flask, clone: Path) -> None:
    import_git(clone)
    before, traces = rows(), audited()
    again = import_git(clone)
    assert again.new == {}
    assert again.known == {"commit": 4, "review": 4, "release": 2}
    assert (rows(), audited()) == (before, traces)


def test_a_history_that_grew_adds_only_what_is_new(firm: Flask, clone: Path, tmp_path: Path) -> None:
    import_git(clone)
    make_clone(tmp_path / "grown", [*HISTORY, change(GRACE, 5)], {"v0.1.0": 1, "v0.2.0": 4})
    report = import_git(tmp_path / "grown")
    assert report.new == {"commit": 1}
    assert report.known == {"commit": 4, "review": 4, "release": 2}


def test_work_is_attributed_to_those_whom_an_address_identifies(firm: Flask, clone: Path) -> None:
    report = import_git(clone)
    assert owners("commit") == {"Grace": 1, "Ada": 1, "(Charles)": 2}
    assert owners("review") == {"Ada": 1, "Grace": 2, "(Charles)": 1}
    assert report.unattributed == 3


def test_other_names_and_addresses_of_a_maintainer_are_theirs(firm: Flask, tmp_path: Path) -> None:
    maintainers.add_alias("Grace", name="G. Hopper", email="grace@navy.example", by=LEAD, now=BEFORE)
    people = [
        Person("G. Hopper", ""),
        Person("Admiral", "GRACE@navy.example"),
        Person("Gra", "g@x.example"),
    ]
    make_clone(tmp_path / "crypto", [change(person, 1) for person in people])
    assert import_git(tmp_path / "crypto").unattributed == 1
    assert owners("commit") == {"Grace": 2, "(Gra)": 1}


def test_somebody_else_of_the_same_name_keeps_their_own_work(firm: Flask, tmp_path: Path) -> None:
    namesake = Person("Grace", "someone.else@corp.example")
    make_clone(tmp_path / "crypto", [change(namesake, 1), change(CHARLES, 2, namesake)])
    assert import_git(tmp_path / "crypto").unattributed == 3
    assert (owners("commit"), owners("review")) == ({"(Grace)": 1, "(Charles)": 1}, {"(Grace)": 1})


def test_an_alias_added_later_attributes_when_the_work_is_imported_again(firm: Flask, clone: Path) -> None:
    import_git(clone)
    maintainers.add_alias("Ada", email=CHARLES.email, by=LEAD, now=BEFORE)
    again = import_git(clone)
    # Two commits, a review, and the release that Ada tagged.
    assert (again.new, again.newly_attributed) == ({}, 4)
    assert owners("commit") == {"Grace": 1, "Ada": 3}
    assert import_git(clone).newly_attributed == 0


def test_work_attributed_once_stays_with_whom_it_was_attributed_to(firm: Flask, clone: Path) -> None:
    import_git(clone)
    before = {row.key: row.maintainer_id for row in rows() if row.maintainer_id}
    maintainers.add_alias("Ada", name="Charles", by=LEAD, now=BEFORE)
    import_git(clone)
    assert before.items() <= {row.key: row.maintainer_id for row in rows()}.items()


def test_only_the_asked_for_days_are_imported(firm: Flask, clone: Path) -> None:
    report = import_git(clone, since=date(2026, 10, 2), until=date(2026, 10, 4))
    assert report.new == {"commit": 2, "review": 3}
    assert import_git(clone).new == {"commit": 2, "review": 1, "release": 2}


def test_the_days_are_those_of_the_firm_s_zone(firm: Flask, tmp_path: Path) -> None:
    # October began in London at 23:00 UTC, and November at midnight.
    edges = [datetime(2026, 9, 30, hour, 30, tzinfo=UTC) for hour in (22, 23)]
    make_clone(tmp_path / "crypto", [SampleCommit(GRACE, on, on, "ssh", str(on)) for on in edges], {"v0.1.0": 2})
    report = import_git(tmp_path / "crypto", since=date(2026, 10, 1), until=date(2026, 11, 1))
    assert report.new == {"commit": 1, "release": 1}
    assert [row.happened_at for row in rows("commit")] == [edges[1]]


def test_tags_without_a_version_are_told(firm: Flask, tmp_path: Path) -> None:
    make_clone(tmp_path / "crypto", HISTORY, {"curl-8_9_1": 1, "latest": 4})
    report = import_git(tmp_path / "crypto")
    assert (report.new["release"], report.unversioned) == (1, 1)


def test_two_packages_of_one_clone_have_their_own_items(firm: Flask, clone: Path) -> None:
    portfolio.adopt(name="crypto", ecosystem="Go", by=LEAD, now=BEFORE)
    import_git(clone)
    assert import_git(clone, "crypto").new == {"commit": 4, "review": 4, "release": 2}
    assert {row.url for row in rows() if row.url == ""} == {""}


def test_progress_is_told_with_its_end(firm: Flask, clone: Path) -> None:
    told: list[tuple[int, int | None]] = []
    import_git(clone, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_an_import_into_no_package_or_from_no_clone_writes_nothing(firm: Flask, clone: Path, tmp_path: Path) -> None:
    with pytest.raises(PackageNotFound, match="There is no package 'absent'"):
        import_git(clone, "absent")
    with pytest.raises(NotAClone):
        import_git(tmp_path / "absent")
    make_clone(tmp_path / "empty", [])
    with pytest.raises(EmptyClone):
        import_git(tmp_path / "empty")
    assert rows() == []


def test_text_of_any_length_and_kind_is_stored(firm: Flask, tmp_path: Path) -> None:
    long = Person("Ξ" * 1_000, f"{'x' * 250}@upstream.example")
    subject = "größe 🎉 \x1b[31m " + "long " * 2_000
    make_clone(tmp_path / "crypto", [change(long, 1, Person("Grace\x08", GRACE.email), subject=subject)])
    assert import_git(tmp_path / "crypto").new == {"commit": 1, "review": 1}
    [row] = rows("commit")
    assert (len(row.title), len(row.person), len(row.email)) == (500, 200, 200)
    assert row.title.startswith("größe 🎉  [31m long")
    assert import_git(tmp_path / "crypto").new == {}


def test_what_is_known_by_a_very_long_key_is_known_when_it_is_imported_again(firm: Flask, tmp_path: Path) -> None:
    long = Person("", f"{'x' * 400}@upstream.example")
    make_clone(tmp_path / "crypto", [change(GRACE, 1, long)])
    assert import_git(tmp_path / "crypto").new == {"commit": 1, "review": 1}
    again = import_git(tmp_path / "crypto")
    assert (again.new, again.known, again.unattributed) == ({}, {"commit": 1, "review": 1}, 0)


def test_an_interrupted_import_is_finished_by_running_it_again(
    firm: Flask, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "BATCH", 2)

    def pull_the_plug(done: int, total: int | None) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_git(clone, progress=pull_the_plug)
    kept = len(rows())
    assert 0 < kept < 10
    report = import_git(clone)
    assert (report.known.total(), report.new.total()) == (kept, 10 - kept)
    assert len(rows()) == 10


@pytest.mark.parametrize("batch", [1, 3, 1_000])
def test_two_imports_at_the_same_time_add_everything_once(
    firm: Flask, clone: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(storing, "BATCH", batch)
    one: Callable[[], ImportReport] = lambda: import_git(clone)  # noqa: E731
    results = books.together(firm, one, one, one)
    assert all(isinstance(result, ImportReport) for result in results), results
    assert len(rows()) == 10
    assert all((result.new + result.known).total() == 10 for result in results)


# Advisories


def test_advisories_of_packages_in_the_portfolio_become_items(firm: Flask, tmp_path: Path) -> None:
    advise(tmp_path / "osv", "X-1", "ssh")
    advise(tmp_path / "osv", "X-2", "elsewhere", "ssh/agent")
    advise(tmp_path / "osv", "X-3", "sshd")
    advise(tmp_path / "osv", "X-4", "ssh", withdrawn="2026-10-09T00:00:00Z")
    (tmp_path / "osv" / "X-5.json").write_text("{")
    report = import_osv(tmp_path / "osv")
    assert report.new == {"vulnerability": 2}
    assert [skipped.partition(":")[0] for skipped in report.skipped] == ["X-5.json"]
    assert report.unattributed == 0
    assert {row.key: (row.title, row.happened_at) for row in rows()} == {
        "X-1": ("About X-1", datetime(2026, 10, 8, tzinfo=UTC)),
        "X-2": ("About X-2", datetime(2026, 10, 8, tzinfo=UTC)),
    }
    assert import_osv(tmp_path / "osv").known == {"vulnerability": 2}


def test_an_advisory_may_concern_several_packages(firm: Flask, tmp_path: Path) -> None:
    for name in ("ssh/agent", "age"):
        portfolio.adopt(name=name, ecosystem="Go", by=LEAD, now=BEFORE)
    advise(tmp_path / "osv", "X-1", "ssh/agent")
    assert import_osv(tmp_path / "osv").new == {"vulnerability": 2}


def test_an_advisory_about_a_namesake_of_another_ecosystem_is_left_out_and_told(firm: Flask, tmp_path: Path) -> None:
    portfolio.adopt(name="age", ecosystem="go", by=LEAD, now=BEFORE)
    advise(tmp_path / "osv", "X-1", "age")
    for id in ("X-2", "X-3"):
        advise(tmp_path / "osv", id, affected=[{"package": {"name": "age", "ecosystem": "npm"}}])
    report = import_osv(tmp_path / "osv")
    assert (report.new, report.elsewhere) == ({"vulnerability": 1}, {Elsewhere("age", "go", "npm"): 2})
    assert [row.key for row in rows()] == ["X-1"]


def test_a_vulnerability_that_two_databases_tell_of_is_one(firm: Flask, tmp_path: Path) -> None:
    advise(tmp_path / "osv", "GO-2026-2", "ssh", aliases=["CVE-2026-2"])
    advise(tmp_path / "osv", "GHSA-2", "ssh", aliases=["CVE-2026-2", "GO-2026-2"], published="2026-10-09T00:00:00Z")
    assert import_osv(tmp_path / "osv").new == {"vulnerability": 1}
    assert [row.key for row in rows()] == ["GO-2026-2"]
    again = import_osv(tmp_path / "osv")
    assert (again.new, again.known) == ({}, {"vulnerability": 1})


def test_an_advisory_whose_alias_is_known_adds_nothing(firm: Flask, tmp_path: Path) -> None:
    advise(tmp_path / "go", "GO-2026-2", "ssh", aliases=["CVE-2026-2"])
    advise(tmp_path / "github", "GHSA-2", "ssh", aliases=["CVE-2026-2", "GO-2026-2"])
    import_osv(tmp_path / "go")
    later = import_osv(tmp_path / "github")
    assert (later.new, later.known) == ({}, {"vulnerability": 1})
    assert [row.key for row in rows()] == ["GO-2026-2"]


def test_a_vulnerability_that_was_counted_twice_is_counted_once_after_an_import(firm: Flask, tmp_path: Path) -> None:
    advise(tmp_path / "osv", "GO-2026-2", "ssh")
    advise(tmp_path / "osv", "GHSA-2", "ssh", published="2026-10-09T00:00:00Z")
    assert import_osv(tmp_path / "osv").new == {"vulnerability": 2}
    advise(tmp_path / "osv", "GHSA-2", "ssh", aliases=["GO-2026-2"], published="2026-10-09T00:00:00Z")
    assert import_osv(tmp_path / "osv").known == {"vulnerability": 1}
    assert days() == {"GO-2026-2": datetime(2026, 10, 8, tzinfo=UTC), "GHSA-2": None}
    traces = audited()
    import_osv(tmp_path / "osv")
    assert (days()["GHSA-2"], audited()) == (None, traces)


def test_an_advisory_withdrawn_after_its_import_leaves_later_reports(firm: Flask, tmp_path: Path) -> None:
    advise(tmp_path / "osv", "X-1", "ssh")
    advise(tmp_path / "osv", "X-2", "ssh")
    import_osv(tmp_path / "osv")
    advise(tmp_path / "osv", "X-1", "ssh", withdrawn="2026-10-20T00:00:00Z")
    report = import_osv(tmp_path / "osv")
    assert (report.withdrawn, report.known) == (1, {"vulnerability": 1})
    assert days() == {"X-1": None, "X-2": datetime(2026, 10, 8, tzinfo=UTC)}
    assert import_osv(tmp_path / "osv").withdrawn == 0


def test_an_advisory_withdrawn_in_favor_of_another_leaves_the_vulnerability_there(firm: Flask, tmp_path: Path) -> None:
    advise(tmp_path / "osv", "GHSA-2", "ssh")
    import_osv(tmp_path / "osv")
    advise(tmp_path / "osv", "GHSA-2", "ssh", withdrawn="2026-10-20T00:00:00Z")
    advise(tmp_path / "osv", "GO-2026-2", "ssh", aliases=["GHSA-2"])
    report = import_osv(tmp_path / "osv")
    assert (report.new, report.known, report.withdrawn) == ({}, {"vulnerability": 1}, 0)
    assert days() == {"GHSA-2": datetime(2026, 10, 8, tzinfo=UTC)}


def test_imports_of_two_databases_at_the_same_time_add_a_vulnerability_once(firm: Flask, tmp_path: Path) -> None:
    advise(tmp_path / "go", "GO-2026-2", "ssh", aliases=["GHSA-2"])
    advise(tmp_path / "github", "GHSA-2", "ssh", aliases=["GO-2026-2"])
    imports = [partial(import_osv, tmp_path / name) for name in ("go", "github")]
    results = books.together(firm, *imports)
    assert all(isinstance(result, ImportReport) for result in results), results
    assert len(rows()) == 1


def test_an_advisory_without_a_date_is_kept_and_falls_in_no_period(firm: Flask, tmp_path: Path) -> None:
    advise(tmp_path / "osv", "X-1", "ssh", published="0001-01-01T00:00:00Z")
    import_osv(tmp_path / "osv")
    [row] = rows()
    assert row.happened_at is None
    with reading() as session:
        ssh = packages.find(session, "ssh").id
        assert queries.counts(session, [ssh], datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)) == {}


def test_a_day_of_publication_that_is_told_later_is_filled_in(firm: Flask, tmp_path: Path) -> None:
    page = {"references": [{"type": "ADVISORY", "url": "https://vuln.example.org/X-1"}]}
    advise(
        tmp_path / "osv", "X-1", "ssh", published="0001-01-01T00:00:00Z", modified="2026-10-09T00:00:00Z", summary=""
    )
    first = import_osv(tmp_path / "osv")
    assert (first.new, first.undated, first.dated) == ({"vulnerability": 1}, 1, 0)
    assert import_osv(tmp_path / "osv").undated == 1
    advise(tmp_path / "osv", "X-1", "ssh", **page)
    again = import_osv(tmp_path / "osv")
    assert (again.new, again.known, again.undated, again.dated) == ({}, {"vulnerability": 1}, 0, 1)
    [row] = rows()
    assert (row.happened_at, row.title, row.url) == (
        datetime(2026, 10, 8, tzinfo=UTC),
        "About X-1",
        "https://vuln.example.org/X-1",
    )
    traces = audited()
    assert (import_osv(tmp_path / "osv").dated, audited()) == (0, traces)


def test_a_day_of_publication_that_is_there_stays(firm: Flask, tmp_path: Path) -> None:
    advise(tmp_path / "osv", "X-1", "ssh")
    import_osv(tmp_path / "osv")
    for published in ("2026-10-20T00:00:00Z", "0001-01-01T00:00:00Z"):
        advise(tmp_path / "osv", "X-1", "ssh", published=published)
        report = import_osv(tmp_path / "osv")
        assert (report.dated, report.undated) == (0, 0)
    assert days() == {"X-1": datetime(2026, 10, 8, tzinfo=UTC)}


def test_another_database_gives_the_day_of_publication_that_one_does_not_know(firm: Flask, tmp_path: Path) -> None:
    advise(tmp_path / "osv", "GO-2026-2", "ssh", aliases=["GHSA-2"], published="0001-01-01T00:00:00Z")
    import_osv(tmp_path / "osv")
    advise(tmp_path / "osv", "GHSA-2", "ssh")
    assert import_osv(tmp_path / "osv").dated == 1
    assert days() == {"GO-2026-2": datetime(2026, 10, 8, tzinfo=UTC)}


def test_strange_text_in_an_advisory_is_stored_on_either_engine(firm: Flask, tmp_path: Path) -> None:
    advise(tmp_path / "osv", "X-1", "ssh", summary="nul \x00, half a pair \ud800, 🎉" + "x" * 10_000)
    advise(tmp_path / "osv", "X-2", "ssh", published="9999-12-31T23:59:59-14:00")
    report = import_osv(tmp_path / "osv")
    assert (report.new, len(report.skipped)) == ({"vulnerability": 1}, 1)
    assert rows()[0].title.startswith("nul  , half a pair  , 🎉xx")


def test_files_of_which_none_is_a_record_are_refused_and_one_is_explained(firm: Flask, tmp_path: Path) -> None:
    (tmp_path / "X-1.json").write_text("{")
    with pytest.raises(NoRecords, match=r"The one file at .* is no OSV record, .*X-1\.json: it is not valid JSON: "):
        import_osv(tmp_path)
    with pytest.raises(NoRecords, match=r"The one file at .*X-1\.json is no OSV record"):
        import_osv(tmp_path / "X-1.json")
    (tmp_path / "X-2.json").write_text("[]")
    with pytest.raises(NoRecords, match=r"None of the 2 files at .* is an OSV record, so nothing was imported\. X-1"):
        import_osv(tmp_path)
    advise(tmp_path, "X-3", "elsewhere")
    assert len(import_osv(tmp_path).skipped) == 2


def test_one_record_is_imported_from_its_file(firm: Flask, tmp_path: Path) -> None:
    advise(tmp_path / "osv", "X-1", "ssh")
    advise(tmp_path / "osv", "X-2", "ssh")
    assert import_osv(tmp_path / "osv" / "X-1.json").new == {"vulnerability": 1}
    assert list(days()) == ["X-1"]


def test_a_path_without_advisories_is_refused(firm: Flask, tmp_path: Path) -> None:
    with pytest.raises(NoRecords):
        import_osv(tmp_path / "absent")
    with pytest.raises(NoRecords):
        import_osv(tmp_path)


@pytest.mark.skipif("CHAMBERS_REAL_DATA" not in os.environ, reason="CHAMBERS_REAL_DATA names no folder of real records")
def test_the_real_records_that_name_ssh_are_imported(sqlite_app: Flask) -> None:
    lovelace.establish()
    portfolio.adopt(name="golang.org/x/crypto/ssh", ecosystem="Go", by=LEAD, now=BEFORE)
    folder = Path(os.environ["CHAMBERS_REAL_DATA"]) / "osv"
    assert len([record for record in read_records(folder) if isinstance(record, Advisory)]) == 25
    report = import_osv(folder)
    # One is about crypto/dsa of the standard library, and names ssh in its text only.
    assert (report.new, report.skipped) == ({"vulnerability": 24}, [])
    assert (len([row for row in rows() if row.happened_at is None]), report.undated) == (19, 19)
