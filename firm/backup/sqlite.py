"""SQLite: its backup API, and a file that takes its place at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pysqlite3.dbapi2 as sqlite
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from firm.backup.errors import BackupFailed, BooksAreThere, InvalidBackup
from firm.backup.places import PRIVATE, appear, private_folder


@contextmanager
def copy(session: Session, url: URL) -> Iterator[BinaryIO]:
    """The file as the session sees it."""
    # Beside the books, which lie open there anyway; never where the encrypted file goes.
    folder = Path(str(url.database)).absolute().parent
    source: Any = session.connection().connection.driver_connection
    with private_folder(".backup-", folder) as private:
        path = private / "copy.db"
        with closing(sqlite.connect(path)) as target:
            path.chmod(PRIVATE)
            source.backup(target)
        with path.open("rb") as stream:
            # Read from what has no name any more: whoever kills us leaves nothing behind.
            path.unlink()
            yield stream


class File:
    """A SQLite file that is written beside its place and moved there at the end."""

    def __init__(self, path: Path, partial: Path) -> None:
        self._path, self._partial = path, partial
        self._file = partial.open("xb")
        partial.chmod(PRIVATE)

    def take(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            raise BackupFailed(f"The disk gave up: {error.strerror}.") from error

    def finish(self, statement: str) -> None:
        self.close()
        try:
            with closing(sqlite.connect(self._partial)) as database:
                found = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
                if found != "ok":
                    raise InvalidBackup(f"The copy of the database is damaged: {found}.")
                database.execute(statement)
                database.commit()
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite.DatabaseError as error:
            raise InvalidBackup(f"What is in the backup is no database of ours: {error}.") from error
        _refuse_existing(self._path)
        try:
            appear(self._partial, self._path)
        except FileExistsError:
            raise _there(self._path) from None

    def close(self) -> None:
        self._file.close()


@contextmanager
def restoring(url: URL) -> Iterator[File]:
    path = Path(str(url.database)).absolute()
    _refuse_existing(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with private_folder(".restore-", path.parent) as private, closing(File(path, private / path.name)) as target:
        yield target


def _refuse_existing(path: Path) -> None:
    if any(Path(f"{path}{tail}").exists() for tail in ("", "-wal", "-journal")):
        raise _there(path)


def _there(path: Path) -> BooksAreThere:
    return BooksAreThere(f"{path.name} is there already; move it aside, or name another in CHAMBERS_DATABASE_URL.")
