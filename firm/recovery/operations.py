"""From books just read in to books that are trusted again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.model import audit_record
from firm.audit.rules import digest
from firm.db import transaction, use_case
from firm.errors import Refused
from firm.particulars import checked_words
from firm.recovery.model import Restoration


class NotReconciled(Refused):
    """The books were restored, and nobody has said yet that they agree with the world."""


class NothingToReconcile(Refused):
    """The books were never restored, or are reconciled already."""


class Unfinished(Refused):
    """A restore that was interrupted before its books were compared with the backup."""


def begun(*, source: str, taken_at: datetime, chain: tuple[int, str], now: datetime) -> Restoration:
    """The row that keeps books from sending: it goes in together with them."""
    return Restoration(
        id=ids.new("rst"),
        source=source,
        taken_at=taken_at,
        restored_at=now,
        chain_seq=chain[0],
        chain_hash=chain[1],
    )


def begin(session: Session, one: Restoration, *, by: Actor, now: datetime) -> None:
    """Note in the caller's transaction that these books were read in: from here on nothing is sent."""
    session.add(one)
    session.flush()
    put_on_record(session, one, by=by, now=now)


def put_on_record(session: Session, one: Restoration, *, by: Actor, now: datetime) -> None:
    """The audit record of a reading-in."""
    facts = {"source": one.source, "taken_at": one.taken_at.isoformat(), "chain_seq": one.chain_seq}
    audit.record(session, "firm.restored", one.id, facts, after=one, by=by, now=now)


def waiting(session: Session) -> Restoration | None:
    """The newest restoration that nobody has reconciled."""
    query = select(Restoration).where(Restoration.reconciled_at.is_(None)).order_by(Restoration.id.desc()).limit(1)
    return session.scalars(query).one_or_none()


def refuse_unreconciled(session: Session) -> None:
    """Raises `NotReconciled` while these books may not send anything."""
    found = waiting(session)
    if found is not None:
        raise NotReconciled(
            f"These books were restored as of {found.taken_at:%Y-%m-%d %H:%M} UTC and send nothing yet: look at "
            "`chambers reconcile`, compare with the bank, and say so with `chambers reconcile --note`."
        )


def all_ids(session: Session) -> list[str]:
    """The ids of all restorations."""
    return list(session.scalars(select(Restoration.id)))


def ever(session: Session) -> bool:
    """Whether these books were ever read in: then what they promise may have been done elsewhere, from lost ones."""
    return session.scalar(select(Restoration.id).limit(1)) is not None


@use_case
def reconcile(*, note: str, by: Actor, now: datetime) -> list[Restoration]:
    """Say that these books agree with the world: from now on they send again.

    Raises `InvalidParticulars`, `NothingToReconcile`, `Unfinished`.
    """
    note = checked_words(note, "Say how it was checked: the note stays on record.", field="note", most=500)
    with transaction() as session:
        query = select(Restoration).where(Restoration.reconciled_at.is_(None)).order_by(Restoration.id)
        found = list(session.scalars(query.with_for_update()))
        if not found:
            raise NothingToReconcile("There is no restoration that waits to be reconciled.")
        for one in found:
            _refuse_unfinished(session, one)
            before = digest(one)
            one.reconciled_at, one.reconciled_by, one.note = now, by.name, note
            session.flush()
            facts = {"note": one.note}
            audit.record(session, "firm.reconciled", one.id, facts, before=before, after=one, by=by, now=now)
        return found


def _refuse_unfinished(session: Session, one: Restoration) -> None:
    noted = exists().where(audit_record.c.verb == "firm.restored", audit_record.c.subject == one.id)
    if not session.scalar(select(noted)):
        raise Unfinished("The restore of these books did not come to its end; move them aside and restore once more.")
