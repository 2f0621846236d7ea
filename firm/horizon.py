"""How far a list may be read on without skipping what is still being written.

Lists run by id, and ids rise with the time they are made. A transaction that commits late may still bring an id that
is earlier than one a reader has seen: a cursor that had moved past it would skip it for ever. So a cursor is given
out only for a place behind which nothing can come any more.

On SQLite ids are made by the one writer that holds the lock, and come in the order of commits but for ties within
milliseconds. On PostgreSQL the oldest transaction draws the line that has written what the reader's view does not hold;
where one of these has ended since the view was taken, the list is to be read anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from firm import ids

TIES = timedelta(milliseconds=20)
UNSEEN = timedelta(milliseconds=250)
"""How long an id may have been made before its transaction's first write shows; covers clocks that differ a little."""

STEPPED = timedelta(minutes=2)
"""An id further ahead than this was made before the clock was set back, and is not being written now."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)

_WRITERS = text(
    # Whoever was writing when this view was taken holds a lock on the number of its transaction until it ends.
    "SELECT min(them.xact_start) AS oldest, transaction_timestamp() AS taken,"
    " coalesce(bool_or(held.locktype IS NULL OR them.pid > 0 AND them.xact_start IS NULL), false) AS ended"
    " FROM pg_snapshot_xip(pg_current_snapshot()) AS unseen(xid)"
    " LEFT JOIN pg_locks held ON held.locktype = 'transactionid' AND held.transactionid = unseen.xid::xid"
    " AND held.mode = 'ExclusiveLock' AND held.granted"
    " LEFT JOIN pg_stat_activity them ON them.pid = held.pid AND them.datname = current_database()"
)
"""Since when the oldest of those has been writing whose rows this view does not hold, when the view was taken at the
earliest, and whether one of them has ended meanwhile or is another's, so that we do not learn when it began. The house
prepares no transactions; a prepared one, which has no process, is somebody else's."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """The line that was drawn at a moment: behind it lies what was made before `until`, or beyond `stepped`."""

    until: datetime
    stepped: datetime
    numbers_in_order: bool

    def is_behind(self, key: str, *, latest: datetime | None = None) -> bool:
        """Whether everything that sorts before the key is committed or never will be.

        `latest` is the latest moment at which a row numbered by the database can have been written.
        """
        made_at = latest or ids.made_at(key)
        if made_at is None or (latest is not None and self.numbers_in_order):
            return True
        return made_at < self.until or made_at > self.stepped


def drawn(session: Session, *, now: datetime) -> Horizon:
    """The horizon of what this session sees. Draw it before the list is read."""
    if session.get_bind().dialect.name == "sqlite":
        # Numbers are taken behind the one writer's lock: they are commits in order.
        return Horizon(now - TIES, now + STEPPED, numbers_in_order=True)
    oldest, taken, ended = session.execute(_WRITERS).one()
    until = _LONG_AGO if ended else min(oldest or taken, taken) - UNSEEN
    return Horizon(until, taken + STEPPED, numbers_in_order=False)
