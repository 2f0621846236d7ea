"""Whether this process can serve, check by check, each with its reason."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
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
    """One thing that should be well, and why it is or is not. What is not `needed` fails without stopping the rest."""

    name: str
    ok: bool
    reason: str
    needed: bool = True


def checks(settings: Settings) -> Iterator[Check]:
    """Each check in turn. Those that need the database are left out when it cannot be reached."""
    yield Check("process", not _stopping, "stopping: it finishes what it has begun" if _stopping else "serving")
    yield _disk(settings)
    yield _papers(settings.papers.absolute())
    if settings.anchor_key is not None:
        yield _anchors(settings.audit_anchors.absolute())
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


def _papers(folder: Path) -> Check:
    if _may_write_into(folder):
        return Check("papers", True, "the folder of papers can be written", needed=False)
    return Check("papers", False, "the folder of CHAMBERS_PAPERS cannot be written", needed=False)


def _anchors(path: Path) -> Check:
    if os.access(path, os.W_OK) if path.is_file() else _may_write_into(path.parent):
        return Check("anchors", True, "the file of anchors can be written", needed=False)
    return Check("anchors", False, "the file of CHAMBERS_AUDIT_ANCHORS cannot be written", needed=False)


def _may_write_into(folder: Path) -> bool:
    """Whether files can be made in a folder that is there, or that could be made itself."""
    there = next(place for place in (folder, *folder.parents) if os.access(place, os.F_OK))
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
