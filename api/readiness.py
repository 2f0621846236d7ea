"""Whether this process can serve, check by check, each with its reason."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api import keys
from api.parts import parts
from firm.db import db, reading
from firm.settings import Settings
from migrations import run

_MB = 1_000_000
_stopping = False


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be well, and why it is or is not."""

    name: str
    ok: bool
    reason: str


def checks(settings: Settings) -> Iterator[Check]:
    """Each check in turn. Those that need the database are left out when it cannot be reached."""
    yield Check("process", not _stopping, "stopping: it finishes what it has begun" if _stopping else "serving")
    yield _disk(settings)
    try:
        with reading() as session:
            session.execute(text("SELECT 1"))
        revision = run.revision_of(db.engine)
    except SQLAlchemyError:
        yield Check("database", False, "the database is not reachable")
        return
    yield Check("database", True, "reachable")
    schema = _schema(revision)
    yield schema
    if schema.ok:
        yield _keys()


def stop_being_ready_on_sigterm() -> None:
    """From SIGTERM on this process says that it is not ready; what the server does about the signal stays."""
    before: Any = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        global _stopping  # noqa: PLW0603 (the state of the process, which a signal changes)
        _stopping = True
        before(number, frame)

    signal.signal(signal.SIGTERM, stop)


def _schema(revision: str | None) -> Check:
    if revision == run.head():
        return Check("schema", True, f"at {revision}, the one of this version")
    return Check("schema", False, "the schema is of another version; run chambers migrate")


def _keys() -> Check:
    try:
        with reading() as session:
            keys.refuse_wrong(session, parts().keys, parts().settings.lost_keys)
    except keys.KeysOpenNothing:
        return Check("secrets", False, "CHAMBERS_SECRET_KEYS does not open what is sealed; run chambers verify")
    return Check("secrets", True, "the keys open what is sealed")


def _disk(settings: Settings) -> Check:
    path = settings.sqlite_path
    if path is None:
        return Check("disk", True, "the books are on the database server")
    try:
        free = shutil.disk_usage(path.absolute().parent).free // _MB
    except OSError:
        return Check("disk", False, "the folder of the books cannot be reached")
    if free < settings.least_free_mb:
        return Check("disk", False, f"less than {settings.least_free_mb} MB are free beside the books")
    return Check("disk", True, f"at least {settings.least_free_mb} MB are free beside the books")
