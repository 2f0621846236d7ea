"""Taking in files of every kind: check one, or import it whole or not at all.

An import claims the firm's row first, so that of two at the same moment the second sees what the first one made.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.clients.importing import CLIENTS
from firm.db import reading, transaction, use_case
from firm.engagements.importing import ENGAGEMENTS
from firm.errors import Busy, NotFound
from firm.intake import rows
from firm.intake.desk import Kind, Progress, judge
from firm.intake.report import ImportRefused, Report
from firm.intake.rows import Rows
from firm.portfolio.importing import PACKAGES
from firm.profile.model import Profile
from payouts.terms.importing import TERMS
from staffing.assignments.importing import ASSIGNMENTS
from staffing.maintainers.importing import MAINTAINERS
from staffing.maintainers.model import Maintainer

KINDS: dict[str, Kind[Any]] = {
    kind.name: kind for kind in (CLIENTS, PACKAGES, MAINTAINERS, ENGAGEMENTS, ASSIGNMENTS, TERMS)
}
"""In the order in which a new firm imports them."""


class UnknownKind(NotFound):
    """Files hold one of the kinds."""


def _quietly(done: int, total: int | None) -> None:
    """Progress that nobody watches."""


def check(kind: str, raw: bytes, *, progress: Progress = _quietly, by: Actor, now: datetime) -> Report:
    """What importing the file would come to. Writes nothing, in a transaction that could not. Raises
    `UnreadableFile`, `UnknownKind`."""
    found = kind_of(kind)
    report = _report(found, raw)
    rows_of_file = rows.rows_of(raw, found.row, report)
    with reading() as session:
        judge(rows_of_file, found.desk(session, by=by, now=now), report, progress)
    return report


def import_file(kind: str, raw: bytes, *, progress: Progress = _quietly, by: Actor, now: datetime) -> Report:
    """Import a file, all of its lines in one commit. May be repeated: what is known already stays as it is.

    Raises `ImportRefused` with the whole report if any line is refused, and `UnreadableFile`, `UnknownKind`.
    """
    found = kind_of(kind)
    report = _report(found, raw)
    rows_of_file = rows.rows_of(raw, found.row, report)
    try:
        return _take_in(found, rows_of_file, report, progress, by=by, now=now)
    except IntegrityError as error:
        if not _is_double(error):
            raise
        raise Busy("Somebody else added one of these at the same moment; import the file again.") from error


def template(kind: str) -> str:
    """The header of a kind's file with one made-up line. Raises `UnknownKind`."""
    found = kind_of(kind)
    return rows.template(found.row, found.example)


def kind_of(name: str) -> Kind[Any]:
    """A kind by its name. Raises `UnknownKind`."""
    if name not in KINDS:
        raise UnknownKind(f"There is no kind of file named {name!r}; a file holds one of {', '.join(KINDS)}.")
    return KINDS[name]


def _report(kind: Kind[Any], raw: bytes) -> Report:
    return Report(kind.name, hashlib.sha256(raw).hexdigest())


def _is_double(error: IntegrityError) -> bool:
    """Whether a row with the same name came in between our look and our writing."""
    return getattr(error.orig, "sqlstate", None) == "23505" or "UNIQUE constraint" in str(error.orig)


@use_case
def _take_in(
    kind: Kind[Any], rows_of_file: Rows[Any], before: Report, progress: Progress, *, by: Actor, now: datetime
) -> Report:
    report = Report(before.kind, before.sha256, before.total, refused=list(before.refused))
    with transaction() as session:
        _claim(session)
        desk = kind.desk(session, by=by, now=now)
        judge(rows_of_file, desk, report, progress)
        if report.refused:
            raise ImportRefused(report)
        desk.write()
        report.id = ids.new("imp")
        facts = {"kind": kind.name, "sha256": report.sha256, "lines": report.total}
        counts = {"new": report.new, "known": report.known}
        audit.record(session, "file.imported", report.id, facts | counts, by=by, now=now)
    return report


def _claim(session: Session) -> None:
    """One import at a time, and nobody's time is assigned beside it. On SQLite a writer is alone anyway."""
    session.execute(select(Profile.id).with_for_update())
    session.execute(select(Maintainer.id).order_by(Maintainer.id).with_for_update())
