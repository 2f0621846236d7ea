"""The two databases behind one face: a consistent copy as a stream, and an empty place that takes one."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from firm.backup import postgresql, sqlite


class Restore(Protocol):
    """A database being restored: takes its bytes, and appears whole when `finish` is called."""

    def take(self, data: bytes) -> None: ...

    def finish(self, statement: str) -> None:
        """Run one more statement in the restored database, and make it all appear at once."""
        ...


def copy(session: Session, url: URL, programs: Path | None) -> AbstractContextManager[BinaryIO]:
    """The database as the session sees it, as a stream. Raises `BackupFailed`, `Misconfigured`."""
    if url.get_backend_name() == "sqlite":
        return sqlite.copy(session, url)
    return postgresql.copy(session, url, programs)


def restoring(url: URL, programs: Path | None) -> AbstractContextManager[Restore]:
    """An empty database to restore into. Raises `BooksAreThere`, `BackupFailed`, `Misconfigured`."""
    if url.get_backend_name() == "sqlite":
        return sqlite.restoring(url)
    return postgresql.restoring(url, programs)
