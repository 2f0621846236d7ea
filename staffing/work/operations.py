"""Importing public work: what a clone or a folder of advisories says becomes work items, once.

Reading happens outside of transactions. An import that was interrupted is finished by running it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.db import reading
from firm.listing import Slice
from firm.portfolio import queries as portfolio
from firm.portfolio.model import Package
from firm.profile import operations as profiles
from staffing.maintainers.queries import directory
from staffing.work import vulnerabilities
from staffing.work.git import Clone, Commit, Release, open_clone
from staffing.work.osv import Advisory, NoRecords, Skipped, read_records
from staffing.work.storing import NOBODY, Elsewhere, ImportReport, Item, store

T = TypeVar("T")

Progress = Callable[[int, int | None], None]
"""Called with how many were read so far and, where it is known, how many there are."""


def import_git(
    path: Path,
    package: str,
    *,
    since: date | None = None,
    until: date | None = None,
    progress: Progress = lambda done, total: None,
    by: Actor,
    now: datetime,
) -> ImportReport:
    """Import commits, reviews and releases of a package, given by id or name, from a clone.

    The range [since, until) is of commit dates, in days of the firm's zone, as those of a report are. Raises
    `PackageNotFound` and what `open_clone` raises.
    """
    with reading() as session:
        target = portfolio.find(session, package)
        people, zone = directory(session), profiles.current(session).zone
    clone = open_clone(path, zone=zone)
    folder = target.folder or None
    total = clone.count(since=since, until=until, folder=folder)
    report = ImportReport(shallow=clone.is_shallow)
    report.unversioned = clone.unversioned(since=since, until=until, folder=folder)
    commits = _counted(clone.commits(since=since, until=until, folder=folder), total, progress)
    items = chain(
        chain.from_iterable(_items_of_commit(target, commit) for commit in commits),
        _items_of_releases(target, clone, since, until),
    )
    store(items, people, report, by=by, now=now)
    return report


def import_osv(path: Path, *, progress: Progress = lambda done, total: None, by: Actor, now: datetime) -> ImportReport:
    """Import the advisories of a folder, a zip or one .json file that concern packages of the portfolio.

    A package is the one that a record names by name and ecosystem; records about its namesakes are counted apart.
    Records that name each other as aliases are about one vulnerability. One that was withdrawn leaves later reports.
    Raises what `read_records` raises, and `NoRecords` where no file is an OSV record; others are skipped and named.
    """
    with reading() as session:
        packages = [*_all_packages(session)]
    report = ImportReport()
    concerning: dict[str, list[Advisory]] = defaultdict(list)
    for record in _usable(path, report, progress):
        for package in _concerned(packages, record, report):
            concerning[package.id].append(record)
    for package_id, records in concerning.items():
        vulnerabilities.store(package_id, records, report, by=by, now=now)
    return report


def _usable(path: Path, report: ImportReport, progress: Progress) -> Iterator[Advisory]:
    """The records of a path; files that are none are named in the report. Raises `NoRecords` where all are none."""
    found = False
    for one in _counted(read_records(path), None, progress):
        if isinstance(one, Skipped):
            report.skipped.append(f"{one.name}: {one.reason}")
        else:
            found = True
            yield one
    if not found:
        count = len(report.skipped)
        what = "The one file" if count == 1 else f"None of the {count:,} files"
        ending = "is no OSV record" if count == 1 else "is an OSV record"
        raise NoRecords(f"{what} at {path} {ending}, so nothing was imported. {report.skipped[0]}.")


def _concerned(packages: Sequence[Package], record: Advisory, report: ImportReport) -> Iterator[Package]:
    """The packages that a record concerns; those that only bear the name are counted in the report."""
    for package in packages:
        if record.concerns(package.name, package.ecosystem):
            yield package
        elif record.withdrawn_at is None:
            others = record.ecosystems_of(package.name)
            report.elsewhere.update(Elsewhere(package.name, package.ecosystem, other) for other in others)


def _counted(things: Iterable[T], total: int | None, progress: Progress) -> Iterator[T]:
    for number, thing in enumerate(things, 1):
        yield thing
        progress(number, total)


def _items_of_commit(package: Package, commit: Commit) -> list[Item]:
    """The commit itself, and each review of it, which is its reviewer's work."""
    url = _commit_url(package, commit.hash)
    items = [
        Item(
            package.id,
            "commit",
            commit.hash,
            commit.subject,
            person=commit.author,
            fixes=" ".join(commit.fixes)[:500],
            url=url,
            authored_at=commit.authored_at,
            happened_at=commit.committed_at,
        )
    ]
    for reviewer in commit.reviewers:
        key = f"{commit.hash}:{(reviewer.email or reviewer.name).lower()}"
        items.append(
            Item(
                package.id,
                "review",
                key,
                commit.subject,
                person=reviewer,
                url=url,
                happened_at=commit.committed_at,
            )
        )
    return items


def _items_of_releases(package: Package, clone: Clone, since: date | None, until: date | None) -> Iterator[Item]:
    for release in clone.releases(since=since, until=until, folder=package.folder or None):
        yield _item_of_release(package, release)


def _item_of_release(package: Package, release: Release) -> Item:
    return Item(
        package.id,
        "release",
        release.tag,
        release.tag,
        url=package.repository,
        person=release.tagger if release.tagger.name or release.tagger.email else NOBODY,
        happened_at=release.released_at,
    )


def _commit_url(package: Package, commit: str) -> str:
    """Public evidence, where the repository's address is one that has a page for each commit."""
    if not package.repository.startswith("https://"):
        return ""
    return f"{package.repository.removesuffix('.git').rstrip('/')}/commit/{commit}"


def _all_packages(session: Session) -> Iterator[Package]:
    part = Slice(limit=200)
    while found := portfolio.page(session, part):
        yield from found
        part = Slice((found[-1].id,), 200)
