"""Reading work items."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from firm.db import AnyRow
from firm.errors import NotFound
from staffing.work.model import work_item

PACKAGE_KINDS = ("release", "vulnerability", "advisory")
"""What happens to a package, whoever did it; all other kinds are somebody's own work."""


class WorkItemNotFound(NotFound):
    """No work item has this id."""


def find(session: Session, item_id: str) -> AnyRow:
    """Raises `WorkItemNotFound`."""
    found = session.execute(select(work_item).where(work_item.c.id == item_id)).one_or_none()
    if found is None:
        raise WorkItemNotFound(f"There is no work item {item_id!r}.")
    return found


def page(
    session: Session,
    *,
    package_id: str | None = None,
    maintainer_id: str | None = None,
    kind: str | None = None,
    after: str = "",
    limit: int = 50,
) -> list[AnyRow]:
    """Work items in the order of their ids, after one of them."""
    query = select(work_item).where(work_item.c.id > after).order_by(work_item.c.id).limit(limit)
    for column, value in (("package_id", package_id), ("maintainer_id", maintainer_id), ("kind", kind)):
        if value is not None:
            query = query.where(work_item.c[column] == value)
    return list(session.execute(query))


def counts(session: Session, package_ids: Sequence[str], start: datetime, end: datetime) -> dict[tuple[str, str], int]:
    """How much happened in [start, end), by package and kind: our maintainers' work, and the packages' events."""
    rows = session.execute(
        select(work_item.c.package_id, work_item.c.kind, func.count())
        .where(_ours_within(package_ids, start, end))
        .group_by(work_item.c.package_id, work_item.c.kind)
    )
    return {(package_id, kind): number for package_id, kind, number in rows}


def events(session: Session, package_id: str, kind: str, start: datetime, end: datetime) -> list[AnyRow]:
    """A package's releases or advisories of a period, newest first."""
    return list(
        session.execute(
            select(work_item)
            .where(
                work_item.c.package_id == package_id,
                work_item.c.kind == kind,
                work_item.c.happened_at >= start,
                work_item.c.happened_at < end,
            )
            .order_by(work_item.c.happened_at.desc(), work_item.c.key.desc())
        )
    )


def own_work(
    session: Session, package_id: str, kind: str, start: datetime, end: datetime, *, limit: int
) -> list[AnyRow]:
    """Our maintainers' items of one kind in a period, newest first."""
    return list(
        session.execute(
            select(work_item)
            .where(_ours_within([package_id], start, end), work_item.c.kind == kind)
            .order_by(work_item.c.happened_at.desc(), work_item.c.key.desc())
            .limit(limit)
        )
    )


def people(session: Session, package_id: str, start: datetime, end: datetime) -> set[str]:
    """The maintainers with work of their own on a package in a period."""
    return set(
        session.scalars(
            select(work_item.c.maintainer_id)
            .where(_ours_within([package_id], start, end), work_item.c.maintainer_id.is_not(None))
            .distinct()
        )
    )


def _ours_within(package_ids: Sequence[str], start: datetime, end: datetime) -> ColumnElement[bool]:
    return and_(
        work_item.c.package_id.in_(package_ids),
        work_item.c.happened_at >= start,
        work_item.c.happened_at < end,
        or_(work_item.c.maintainer_id.is_not(None), work_item.c.kind.in_(PACKAGE_KINDS)),
    )
