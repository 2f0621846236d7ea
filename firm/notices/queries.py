"""Finding notices."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.errors import NotFound
from firm.listing import WHOLE, Slice, where_given
from firm.notices.model import Notice


class NoticeNotFound(NotFound):
    """No notice has this id."""


def find(session: Session, key: str) -> Notice:
    """Raises `NoticeNotFound`."""
    found = session.get(Notice, key)
    if found is None:
        raise NoticeNotFound(f"There is no notice {key!r}.")
    return found


def page(session: Session, part: Slice = WHOLE, *, state: str | None = None) -> list[Notice]:
    """Notices in one state or in any, in the order of their ids."""
    return list(session.scalars(part.of(where_given(select(Notice), (Notice.state, state)), Notice.id)))


def queued_ids(session: Session, *, before: datetime) -> list[str]:
    """Notices that were promised before a moment and are not sent."""
    query = select(Notice.id).where(Notice.state == "queued", Notice.created_at < before)
    return list(session.scalars(query.order_by(Notice.id)))


def count(session: Session, state: str) -> int:
    return session.scalar(select(func.count()).select_from(Notice).where(Notice.state == state)) or 0
