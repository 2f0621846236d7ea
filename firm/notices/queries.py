"""Finding notices."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.errors import NotFound
from firm.notices.model import Notice


class NoticeNotFound(NotFound):
    """No notice has this id."""


def find(session: Session, key: str) -> Notice:
    """Raises `NoticeNotFound`."""
    found = session.get(Notice, key)
    if found is None:
        raise NoticeNotFound(f"There is no notice {key!r}.")
    return found


def page(session: Session, *, state: str | None = None, after: str = "", limit: int = 50) -> list[Notice]:
    """Notices in one state or in any, the oldest first, after one of them."""
    query = select(Notice).where(Notice.id > after)
    if state is not None:
        query = query.where(Notice.state == state)
    return list(session.scalars(query.order_by(Notice.id).limit(limit)))


def queued_ids(session: Session, *, before: datetime) -> list[str]:
    """Notices that were promised before a moment and are not sent."""
    query = select(Notice.id).where(Notice.state == "queued", Notice.created_at < before)
    return list(session.scalars(query.order_by(Notice.id)))


def count(session: Session, state: str) -> int:
    return session.scalar(select(func.count()).select_from(Notice).where(Notice.state == state)) or 0
