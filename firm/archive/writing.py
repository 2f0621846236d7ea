"""Writing an archive from one consistent view."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from firm import private
from firm.actor import Actor
from firm.archive.form import FORMAT, LEFT_OUT, held, line_of
from firm.archive.manifest import MANIFEST, File, Manifest, written
from firm.audit import operations as audit
from firm.db import reading, transaction, use_case
from firm.ledger import queries as ledger

Progress = Callable[[int, int | None], None]
_STAMP = (1980, 1, 1, 0, 0, 0)
"""The moment of every member: the same rows give the same bytes."""


def export_all(
    path: Path,
    tables: Sequence[Table],
    *,
    revision: str,
    progress: Progress = lambda done, total: None,
    by: Actor,
    now: datetime,
) -> Manifest:
    """Write everything into a zip and return its manifest; the file appears whole or not at all."""
    note_export(path.name, by=by, now=now)
    partial = path.with_name(f".{path.name}.partial")
    try:
        private.touch(partial)
        with reading() as session, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            manifest = _write(session, archive, held(tables), revision, progress, now)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return manifest


@use_case
def note_export(name: str, *, by: Actor, now: datetime) -> None:
    """An export is on record before it is made, like every look at everything."""
    with transaction() as session:
        audit.record(session, "firm.exported", "firm", {"file": name}, by=by, now=now)


def _write(
    session: Session,
    archive: zipfile.ZipFile,
    tables: Sequence[Table],
    revision: str,
    progress: Progress,
    now: datetime,
) -> Manifest:
    files = {}
    for done, table in enumerate(tables):
        progress(done, len(tables))
        files[f"{table.name}.jsonl"] = _write_table(session, archive, table)
    manifest = Manifest(
        format=FORMAT,
        schema=revision,
        at=now.astimezone(UTC).isoformat(),
        files=files,
        left_out=LEFT_OUT,
        trial_balance=ledger.balances(session),
    )
    with archive.open(zipfile.ZipInfo(MANIFEST, _STAMP), "w") as file:
        file.write(written(manifest))
    progress(len(tables), len(tables))
    return manifest


def _write_table(session: Session, archive: zipfile.ZipFile, table: Table) -> File:
    digest, rows = hashlib.sha256(), 0
    member = zipfile.ZipInfo(f"{table.name}.jsonl", _STAMP)
    member.compress_type = zipfile.ZIP_DEFLATED
    keys = list(table.primary_key.columns)
    with archive.open(member, "w", force_zip64=True) as file:
        for row in session.execute(select(table).order_by(*keys)).mappings():
            line = (line_of(table, dict(row)) + "\n").encode()
            digest.update(line)
            file.write(line)
            rows += 1
    return File(rows, digest.hexdigest())


def counts(session: Session, tables: Sequence[Table]) -> dict[str, int]:
    """How many rows each table holds."""
    return {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
