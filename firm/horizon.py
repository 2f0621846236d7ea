"""How far a list may be read on without skipping what is still being written.

Lists run by id, and ids rise with the time they are made. A transaction that commits late may still bring an id that
is earlier than one a reader has seen: a cursor that had moved past it would skip it for ever. So a cursor is given
out only for a place behind which nothing can come any more.

On SQLite ids are made by the one writer that holds the lock, and come in the order of commits but for ties within
milliseconds. On PostgreSQL the oldest transaction that has written and not ended draws the line.
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

# A transaction that was still writing when our snapshot was taken, and has ended since: what it wrote is hidden from us
# and nobody says any more when it began. The house prepares no transactions; what is prepared is somebody else's.
_WRITERS = text(
    "WITH writer AS (SELECT backend_xid, xact_start, datname FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND backend_xid IS NOT NULL)"
    " SELECT (SELECT min(xact_start) FROM writer WHERE datname = current_database()) AS oldest,"
    " clock_timestamp() AS present,"
    " EXISTS (SELECT FROM pg_snapshot_xip(pg_current_snapshot()) AS hidden"
    " WHERE hidden::xid NOT IN (SELECT backend_xid FROM writer UNION ALL SELECT transaction FROM pg_prepared_xacts))"
    " AS unknown"
)


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
    row = session.execute(_WRITERS).one()
    # Nothing is behind it for as long as it is unknown: read again, it will be known.
    until = _LONG_AGO if row.unknown else min(row.oldest or row.present, row.present) - UNSEEN
    return Horizon(until, row.present + STEPPED, numbers_in_order=False)
