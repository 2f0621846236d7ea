"""Storing a package's vulnerabilities: each once, whichever databases tell of it, and none that was withdrawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.db import transaction, use_case
from firm.portfolio import queries as portfolio
from staffing.work.model import work_item
from staffing.work.osv import Advisory
from staffing.work.rules import Comparison, Stored, compare
from staffing.work.storing import ImportReport, Item, insert_items

KIND = "vulnerability"


@use_case
def store(package_id: str, records: Sequence[Advisory], report: ImportReport, *, by: Actor, now: datetime) -> None:
    """Store what the records of a package tell, and count it in the report. May be repeated."""
    with transaction() as session:
        # Two imports of different records about one vulnerability would both find it new: they wait for each other.
        portfolio.find(session, package_id, locked=True)
        found = compare(records, _stored(session, package_id))
        insert_items(session, [_item(package_id, record) for record in found.new], now=now)
        for key, record in found.dated.items():
            _fill_in(session, package_id, key, _item(package_id, record))
        _take_back(session, package_id, found.withdrawn | found.repeated)
        facts = _facts(found)
        if any(facts.values()):
            audit.record(session, "work.imported", package_id, facts, by=by, now=now)
    report.new += Counter({KIND: len(found.new)})
    report.known += Counter({KIND: len(found.known)})
    report.dated += len(found.dated)
    report.undated += found.undated
    report.withdrawn += len(found.withdrawn)


def _facts(found: Comparison) -> dict[str, object]:
    """What the audit record says; all of it is empty where nothing was written."""
    return {
        "new": len(found.new),
        "dated": sorted(found.dated),
        "withdrawn": sorted(found.withdrawn),
        "repeated": sorted(found.repeated),
    }


def _stored(session: Session, package_id: str) -> Stored:
    query = select(work_item.c.key, work_item.c.happened_at).where(
        work_item.c.package_id == package_id, work_item.c.kind == KIND
    )
    return {row.key: row.happened_at for row in session.execute(query)}


def _fill_in(session: Session, package_id: str, key: str, item: Item) -> None:
    """What the record did not say when it came in first: a day, and often a better title and its page."""
    values = {"title": item.title[:500], "url": item.url[:500], "happened_at": item.happened_at}
    session.execute(update(work_item).where(*_is(package_id, key)).values(values))


def _take_back(session: Session, package_id: str, keys: set[str]) -> None:
    """Leave out of later reports what is no vulnerability, or is counted under another name: without a day."""
    for key in sorted(keys):
        session.execute(update(work_item).where(*_is(package_id, key)).values(happened_at=None))


def _is(package_id: str, key: str) -> tuple[ColumnElement[bool], ...]:
    return work_item.c.package_id == package_id, work_item.c.kind == KIND, work_item.c.key == key


def _item(package_id: str, record: Advisory) -> Item:
    return Item(
        package_id,
        KIND,
        record.id,
        record.summary or record.id,
        url=record.url or "",
        happened_at=record.published_at,
    )
