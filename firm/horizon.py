"""How far a list may be read on without skipping what is still being written.

Lists run by id, and ids rise with the time they are made. A transaction that commits late may still bring an id that
is earlier than one a reader has seen: a cursor that had moved past it would skip it for ever. So a cursor is given
out only for a place behind which nothing can come any more.

On SQLite ids are made by the one writer that holds the lock, and come in the order of commits but for ties within
milliseconds. On PostgreSQL the oldest transaction that has written and not ended draws the line.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from firm import ids

TIES = timedelta(milliseconds=20)
UNSEEN = timedelta(milliseconds=250)
"""How long an id may have been made before its transaction's first write shows; covers clocks that differ a little."""

STEPPED = timedelta(minutes=2)
"""An id further ahead than this was made before the clock was set back, and is not being written now."""

_WRITERS = text(
    "SELECT min(xact_start), clock_timestamp() FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL"
)


def is_settled(session: Session, key: str, *, latest: datetime | None, now: datetime) -> bool:
    """Whether everything that sorts before the key is committed or never will be.

    `latest` is the latest moment at which a row numbered by the database can have been written.
    """
    made_at = latest or ids.made_at(key)
    if made_at is None:
        return True
    if session.get_bind().dialect.name == "sqlite":
        # Numbers are taken behind the one writer's lock: they are commits in order.
        return latest is not None or made_at < now - TIES or made_at > now + STEPPED
    oldest, present = session.execute(_WRITERS).one()
    return bool(made_at < min(oldest or present, present) - UNSEEN or made_at > present + STEPPED)
