"""Making a backup from one consistent view, and removing the oldest."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import pyrage
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit import sequencer
from firm.backup import engines
from firm.backup.errors import BackupFailed
from firm.backup.form import FORMAT, Header, Packing, recipients_of
from firm.backup.places import PRIVATE, appear
from firm.db import reading, transaction, use_case
from firm.ledger import queries as ledger

_OURS = re.compile(r"chambers-\d{8}T\d{6}Z\.backup(\.age)?", re.ASCII)


def name_at(now: datetime, *, encrypted: bool) -> str:
    """The name of a backup in a folder of backups; names sort as their moments do."""
    return f"chambers-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.backup{'.age' if encrypted else ''}"


def make(
    path: Path,
    *,
    url: URL,
    schema: str,
    recipients: Sequence[str],
    programs: Path | None,
    by: Actor,
    now: datetime,
) -> Header:
    """Write a backup and say what is in it; plain without recipients. The file appears whole or not at all.

    Nobody who writes to the books waits for it. Raises `BackupFailed`, `Misconfigured`, `InvalidRecipient`.
    """
    keys = recipients_of(list(recipients))
    _note(path.name, encrypted=bool(keys), by=by, now=now)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with reading() as session:
            header = _header(session, schema, now)
            with engines.copy(session, url, programs) as database:
                _write(partial, Packing(header, database), keys)
        appear(partial, path)
    except OSError as error:
        raise BackupFailed(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return header


def remove_oldest(folder: Path, *, keep: int, made: Path | None = None) -> list[str]:
    """Remove all but the newest backups of a folder, and name them. Other files, and the one just made, are let be."""
    ours = sorted(path for path in folder.iterdir() if _OURS.fullmatch(path.name) and path.is_file())
    old = [path for path in ours[: max(0, len(ours) - keep)] if path != made]
    for path in old:
        path.unlink()
    return [path.name for path in old]


@use_case
def _note(name: str, *, encrypted: bool, by: Actor, now: datetime) -> None:
    """A backup is on record before it is made, like every look at everything."""
    with transaction() as session:
        audit.record(session, "firm.backed-up", "firm", {"file": name, "encrypted": encrypted}, by=by, now=now)


def _header(session: Session, schema: str, now: datetime) -> Header:
    seq, head = sequencer.head(session)
    return Header(
        format=FORMAT,
        engine=session.get_bind().dialect.name,
        schema=schema,
        at=now.astimezone(UTC).isoformat(),
        entries=ledger.number_of_entries(session),
        trial_balance=ledger.balances(session),
        chain_seq=seq,
        chain_hash=head,
    )


def _write(path: Path, packing: Packing, keys: Sequence[object]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        if keys:
            pyrage.encrypt_io(packing, file, keys)
        else:
            shutil.copyfileobj(cast("BinaryIO", packing), file)
        file.flush()
        os.fsync(file.fileno())
