"""Importing public work: what a clone or a folder of advisories says becomes work items, once.

Reading happens outside of transactions; items are written in batches, each of which may be repeated, so that an
interrupted import is finished by running it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.db import reading, transaction, use_case
from firm.portfolio import queries as portfolio
from firm.portfolio.model import Package
from staffing.maintainers.queries import Directory, directory
from staffing.work.git import Clone, Commit, Person, Release, open_clone
from staffing.work.model import work_item
from staffing.work.osv import Advisory, Skipped, read_records

T = TypeVar("T")

BATCH = 1_000
NOBODY = Person("", "")

Progress = Callable[[int, int | None], None]
"""Called with how many were read so far and, where it is known, how many there are."""


@dataclass(frozen=True, slots=True)
class Item:
    """A work item as its source tells it."""

    package_id: str
    kind: str
    key: str
    title: str
    person: Person = NOBODY
    url: str = ""
    fixes: str = ""
    authored_at: datetime | None = None
    happened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A package of the portfolio, and another ecosystem that has one of its name; empty where a record gives none."""

    package: str
    ecosystem: str
    other: str


@dataclass(slots=True)
class ImportReport:
    """What an import found: new and already known items by kind, and what it could not use."""

    new: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    unattributed: int = 0
    """New items of people whom no alias names."""
    newly_attributed: int = 0
    """Known items that an alias added since now names."""
    skipped: list[str] = field(default_factory=list)
    elsewhere: Counter[Elsewhere] = field(default_factory=Counter)
    """Advisories that were left out, by the package of the same name in another ecosystem that they are about."""
    shallow: bool = False
    """The clone is shallow: its older history is not there to be read."""


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

    The range [since, until) is of commit dates in UTC. Raises `PackageNotFound` and what `open_clone` raises.
    """
    with reading() as session:
        target = portfolio.find(session, package)
        people = directory(session)
    clone = open_clone(path)
    folder = target.folder or None
    total = clone.count(since=since, until=until, folder=folder)
    report = ImportReport(shallow=clone.is_shallow)
    commits = _counted(clone.commits(since=since, until=until, folder=folder), total, progress)
    items = chain(
        chain.from_iterable(_items_of_commit(target, commit) for commit in commits),
        _items_of_releases(target, clone, since, until),
    )
    _store(items, people, report, by=by, now=now)
    return report


def import_osv(path: Path, *, progress: Progress = lambda done, total: None, by: Actor, now: datetime) -> ImportReport:
    """Import the advisories of a folder or zip that concern packages of the portfolio.

    A package is the one that a record names by name and ecosystem; records about its namesakes are counted apart.
    Raises what `read_records` raises; single files that are no OSV records are skipped and named.
    """
    with reading() as session:
        packages = [*_all_packages(session)]
        people = directory(session)
    report = ImportReport()
    items = chain.from_iterable(
        _items_of_advisory(packages, record, report) for record in _counted(read_records(path), None, progress)
    )
    _store(items, people, report, by=by, now=now)
    return report


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


def _items_of_advisory(packages: Sequence[Package], record: Advisory | Skipped, report: ImportReport) -> Iterator[Item]:
    if isinstance(record, Skipped):
        report.skipped.append(f"{record.name}: {record.reason}")
        return
    if record.withdrawn_at is not None:
        return
    for package in packages:
        if not record.concerns(package.name, package.ecosystem):
            others = record.ecosystems_of(package.name)
            report.elsewhere.update(Elsewhere(package.name, package.ecosystem, other) for other in others)
        else:
            yield Item(
                package.id,
                "vulnerability",
                record.id,
                record.summary or record.id,
                url=record.url or "",
                happened_at=record.published_at,
            )


def _commit_url(package: Package, commit: str) -> str:
    """Public evidence, where the repository's address is one that has a page for each commit."""
    if not package.repository.startswith("https://"):
        return ""
    return f"{package.repository.removesuffix('.git').rstrip('/')}/commit/{commit}"


def _all_packages(session: Session) -> Iterator[Package]:
    after = ""
    while found := portfolio.page(session, after=after, limit=200):
        yield from found
        after = found[-1].id


def _store(items: Iterable[Item], people: Directory, report: ImportReport, *, by: Actor, now: datetime) -> None:
    source = iter(items)
    while batch := list(islice(source, BATCH)):
        once = {(item.package_id, item.kind, item.key): item for item in batch}
        _store_batch(list(once.values()), people, report, by=by, now=now)


@use_case
def _store_batch(items: Sequence[Item], people: Directory, report: ImportReport, *, by: Actor, now: datetime) -> None:
    with transaction() as session:
        known = _known(session, items)
        fresh = [item for item in items if (item.package_id, item.kind, item.key) not in known]
        _insert(session, [_row(item, people, now) for item in fresh])
        attributed = _attribute(session, items, known, people)
        if fresh or attributed:
            facts = {"new": dict(Counter(item.kind for item in fresh)), "attributed": attributed}
            audit.record(session, "work.imported", items[0].package_id, facts, by=by, now=now)
    report.new.update(item.kind for item in fresh)
    report.known.update(item.kind for item in items if (item.package_id, item.kind, item.key) in known)
    # A release by somebody else is the package's own, and nothing that lacks an alias.
    report.unattributed += sum(
        1
        for item in fresh
        if item.person != NOBODY and item.kind != "release" and not people.who(item.person.name, item.person.email)
    )
    report.newly_attributed += attributed


def _known(session: Session, items: Sequence[Item]) -> dict[tuple[str, str, str], str | None]:
    """Which of the items are there already, and whose they are."""
    rows = session.execute(
        select(work_item.c.package_id, work_item.c.kind, work_item.c.key, work_item.c.maintainer_id).where(
            work_item.c.package_id.in_({item.package_id for item in items}),
            work_item.c.key.in_([item.key for item in items]),
        )
    )
    return {(row.package_id, row.kind, row.key): row.maintainer_id for row in rows}


def _attribute(
    session: Session,
    items: Sequence[Item],
    known: dict[tuple[str, str, str], str | None],
    people: Directory,
) -> int:
    """Name the maintainer of known items that an alias added since identifies."""
    count = 0
    for item in items:
        key = (item.package_id, item.kind, item.key)
        who = people.who(item.person.name, item.person.email) if item.person != NOBODY else None
        if key in known and known[key] is None and who:
            session.execute(
                update(work_item)
                .where(
                    work_item.c.package_id == item.package_id,
                    work_item.c.kind == item.kind,
                    work_item.c.key == item.key,
                )
                .values(maintainer_id=who)
            )
            count += 1
    return count


def _insert(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert, leaving aside what a second import wrote between our look and now."""
    if rows:
        engine = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        session.execute(engine.insert(work_item).on_conflict_do_nothing(), rows)


def _row(item: Item, people: Directory, now: datetime) -> dict[str, Any]:
    return {
        "id": ids.new("wrk"),
        "package_id": item.package_id,
        "kind": item.kind,
        "key": item.key[:300],
        "title": item.title[:500],
        "url": item.url[:500],
        "person": item.person.name[:200],
        "email": item.person.email[:200],
        "maintainer_id": people.who(item.person.name, item.person.email) if item.person != NOBODY else None,
        "fixes": item.fixes,
        "authored_at": item.authored_at,
        "happened_at": item.happened_at,
        "imported_at": now,
    }
