"""Storing what was imported: in batches, each item once, with the maintainer whom an alias names.

A batch is a transaction of its own and may be repeated, so that an interrupted import is finished by running it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.db import transaction, use_case
from staffing.maintainers.queries import Directory
from staffing.work.git import Person
from staffing.work.model import work_item

BATCH = 1_000
NOBODY = Person("", "")
LONGEST_KEY = 300
NO_ALIASES = Directory({}, {})

Identity = tuple[str, str, str]
"""Package, kind and key."""


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

    @property
    def identity(self) -> Identity:
        """What it is known by. A longer key is known by what the column holds of it."""
        return self.package_id, self.kind, self.key[:LONGEST_KEY]


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
    dated: int = 0
    """Known vulnerabilities that had no day, and were given the one of their publication now."""
    undated: int = 0
    """Vulnerabilities without a day of publication, which are in no report until an import gives them one."""
    withdrawn: int = 0
    """Known vulnerabilities that were withdrawn since, and are in no report any more."""
    skipped: list[str] = field(default_factory=list)
    elsewhere: Counter[Elsewhere] = field(default_factory=Counter)
    """Advisories that were left out, by the package of the same name in another ecosystem that they are about."""
    unversioned: int = 0
    """Tags in the range that hold no version, and are no releases."""
    shallow: bool = False
    """The clone is shallow: its older history is not there to be read."""


def store(items: Iterable[Item], people: Directory, report: ImportReport, *, by: Actor, now: datetime) -> None:
    """Store all items and count them in the report. May be repeated."""
    source = iter(items)
    while batch := list(islice(source, BATCH)):
        once = {item.identity: item for item in batch}
        _store_batch(list(once.values()), people, report, by=by, now=now)


@use_case
def _store_batch(items: Sequence[Item], people: Directory, report: ImportReport, *, by: Actor, now: datetime) -> None:
    with transaction() as session:
        known = _known(session, items)
        fresh = [item for item in items if item.identity not in known]
        insert_items(session, fresh, people, now=now)
        attributed = _attribute(session, items, known, people)
        if fresh or attributed:
            facts = {"new": dict(Counter(item.kind for item in fresh)), "attributed": attributed}
            audit.record(session, "work.imported", items[0].package_id, facts, by=by, now=now)
    report.new.update(item.kind for item in fresh)
    report.known.update(item.kind for item in items if item.identity in known)
    # A release by somebody else is the package's own, and nothing that lacks an alias.
    report.unattributed += sum(
        1
        for item in fresh
        if item.person != NOBODY and item.kind != "release" and not people.who(item.person.name, item.person.email)
    )
    report.newly_attributed += attributed


def _known(session: Session, items: Sequence[Item]) -> dict[Identity, str | None]:
    """Which of the items are there already, and whose they are."""
    rows = session.execute(
        select(work_item.c.package_id, work_item.c.kind, work_item.c.key, work_item.c.maintainer_id).where(
            work_item.c.package_id.in_({item.package_id for item in items}),
            work_item.c.key.in_([item.identity[2] for item in items]),
        )
    )
    return {(row.package_id, row.kind, row.key): row.maintainer_id for row in rows}


def _attribute(
    session: Session,
    items: Sequence[Item],
    known: dict[Identity, str | None],
    people: Directory,
) -> int:
    """Name the maintainer of known items that an alias added since identifies."""
    count = 0
    for item in items:
        who = people.who(item.person.name, item.person.email) if item.person != NOBODY else None
        if item.identity in known and known[item.identity] is None and who:
            package_id, kind, key = item.identity
            session.execute(
                update(work_item)
                .where(work_item.c.package_id == package_id, work_item.c.kind == kind, work_item.c.key == key)
                .values(maintainer_id=who)
            )
            count += 1
    return count


def insert_items(session: Session, items: Sequence[Item], people: Directory = NO_ALIASES, *, now: datetime) -> None:
    """Insert, leaving aside what a second import wrote between our look and now."""
    if items:
        engine = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        rows = [_row(item, people, now) for item in items]
        session.execute(engine.insert(work_item).on_conflict_do_nothing(), rows)


def _row(item: Item, people: Directory, now: datetime) -> dict[str, Any]:
    return {
        "id": ids.new("wrk"),
        "package_id": item.package_id,
        "kind": item.kind,
        "key": item.identity[2],
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
