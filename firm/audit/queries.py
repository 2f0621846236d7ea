"""Reading the history of a thing, a person, or everything."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.audit import sequencer
from firm.audit.model import audit_link, audit_record
from firm.db import AnyRow
from firm.errors import NotFound


class RecordNotFound(NotFound):
    """No record has this place in the chain."""


def page(
    session: Session,
    *,
    subject: str | None = None,
    actor: str | None = None,
    verb: str | None = None,
    after: int = 0,
    limit: int = 50,
) -> Sequence[AnyRow]:
    """Records in the order of the chain, after one of them: nothing can come before what has a number."""
    query = (
        select(audit_link.c.seq, audit_link.c.hash, audit_record)
        .join(audit_record, audit_record.c.id == audit_link.c.record_id)
        .where(audit_link.c.seq > after)
    )
    for column, value in (
        (audit_record.c.subject, subject),
        (audit_record.c.actor, actor),
        (audit_record.c.verb, verb),
    ):
        if value is not None:
            query = query.where(column == value)
    return session.execute(query.order_by(audit_link.c.seq).limit(limit)).all()


def find(session: Session, seq: int) -> AnyRow:
    """The record at a place in the chain, as `page` lists it. Raises `RecordNotFound`."""
    query = select(audit_link.c.seq, audit_link.c.hash, audit_record)
    row = session.execute(
        query.join(audit_record, audit_record.c.id == audit_link.c.record_id).where(audit_link.c.seq == seq)
    ).one_or_none()
    if row is None:
        raise RecordNotFound("There is no such audit record; one appears moments after its commit.")
    return row


def checkpoint(session: Session) -> dict[str, object]:
    """The head of the chain as papers print it: what was written before a paper cannot be changed behind it."""
    seq, head = sequencer.head(session)
    return {"seq": seq, "head": head[:16]}
