"""Reading an archive into an empty firm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.archive.form import held
from firm.archive.loading import Loading, Ways
from firm.archive.opening import InvalidArchive, checked, opened
from firm.archive.writing import counts
from firm.audit import operations as audit
from firm.audit import sequencer
from firm.db import transaction, use_case
from firm.errors import InvariantBroken, Refused
from firm.invariant import Walk
from firm.ledger import queries as ledger
from firm.recovery import operations as recovery

NUMBERED = ("journal_entry", "audit_record", "balance_delta")
"""Tables that the database numbers: the next number comes after those read in."""


class NotEmpty(Refused):
    """An archive is read into an empty database only."""


@use_case
def import_archive(
    path: Path,
    tables: Sequence[Table],
    *,
    revision: str,
    ways: Ways,
    walks: Sequence[Walk] = (),
    by: Actor,
    now: datetime,
) -> int:
    """Read everything in, in one transaction, and say how many rows. Raises `InvalidArchive`, `NotEmpty`.

    The trial balance must come out as the manifest has it, and each of `walks` must find nothing; otherwise nothing
    comes in. The digests of the manifest show an accident, and the walks what somebody changed on purpose. The books
    send nothing until they are reconciled: the firm they were taken from may be at work still.
    """
    with opened(path) as archive:
        manifest = checked(archive, held(tables), revision)
        with transaction() as session:
            if any(counts(session, held(tables)).values()):
                raise NotEmpty("This database holds a firm already; read the archive into an empty one.")
            try:
                rows = Loading(session, archive, ways).load(held(tables))
            except (OverflowError, UnicodeEncodeError) as error:
                raise InvalidArchive("The archive holds a value that no column takes.") from error
            except DBAPIError as error:
                raise InvalidArchive(
                    f"The books refuse what the archive holds: {str(error.orig).splitlines()[0]}."
                ) from error
            _advance_numbers(session)
            _refuse_changed(session, walks)
            if ledger.balances(session) != manifest.trial_balance:
                raise InvariantBroken("The trial balance of what was read in is not that of the archive.")
            audit.record(session, "firm.imported", "firm", {"rows": rows, "at": manifest.at}, by=by, now=now)
            begun = recovery.begun(source="archive", taken_at=manifest.taken_at, chain=sequencer.head(session), now=now)
            recovery.begin(session, begun, by=by, now=now)
    return rows


def _refuse_changed(session: Session, walks: Sequence[Walk]) -> None:
    for walk in walks:
        for breach in walk.breaches(session):
            said = ", ".join(f"{name} {value}" for name, value in breach.items())
            raise InvalidArchive(f"The archive was changed since it was written ({walk.name}): {said}.")


def _advance_numbers(session: Session) -> None:
    if session.get_bind().dialect.name != "postgresql":
        return
    for name in NUMBERED:
        session.execute(
            text(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'),"  # noqa: S608
                f" (SELECT COALESCE(MAX(id), 0) + 1 FROM {name}), false)"
            )
        )
