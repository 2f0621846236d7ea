"""Reading the history of a thing, a person, or everything."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm import ids
from firm.audit import sequencer
from firm.audit.model import audit_link, audit_record
from firm.audit.search import EVERYTHING, Act, Search
from firm.db import AnyRow
from firm.errors import NotFound
from firm.listing import WHOLE, Slice

PREFIX = "aud"
"""What begins the ids of records: their numbers in the chain, as callers see them."""


class RecordNotFound(NotFound):
    """No record has this place in the chain."""


def page(session: Session, part: Slice = WHOLE, search: Search = EVERYTHING) -> Sequence[AnyRow]:
    """Records in the order of the chain, by their numbers: nothing can come before what has one."""
    query = (
        select(audit_link.c.seq, audit_link.c.hash, audit_record)
        .join(audit_record, audit_record.c.id == audit_link.c.record_id)
        .where(*search.conditions())
    )
    return session.execute(part.of(query, audit_link.c.seq)).all()


def find(session: Session, key: str) -> AnyRow:
    """The record of this id, which is its place in the chain, as `page` lists it. Raises `RecordNotFound`."""
    seq = ids.number_of(PREFIX, key)
    query = select(audit_link.c.seq, audit_link.c.hash, audit_record)
    row = session.execute(
        query.join(audit_record, audit_record.c.id == audit_link.c.record_id).where(audit_link.c.seq == seq)
    ).one_or_none()
    if row is None:
        raise RecordNotFound(f"There is no audit record {key!r}; one appears moments after its commit.")
    return row


def checkpoint(session: Session) -> dict[str, object]:
    """The head of the chain as papers print it: what was written before a paper cannot be changed behind it."""
    seq, head = sequencer.head(session)
    return {"seq": seq, "head": head[:16]}


def knows(session: Session, subject: str) -> bool:
    """Whether any record is of a thing by this very name, be it in the chain yet or not."""
    query = select(audit_record.c.id).where(audit_record.c.subject == subject).limit(1)
    return session.scalar(query) is not None


def acts_at(session: Session, moment: datetime, *, by: str, verbs: Collection[str]) -> list[Act]:
    """What somebody did at one moment, of these verbs, in the order of the records."""
    columns = audit_record.c
    query = select(columns.verb, columns.subject, columns.at).where(
        columns.at == moment, columns.actor == by, columns.verb.in_(verbs)
    )
    return [Act(*row) for row in session.execute(query.order_by(columns.id))]


def act(session: Session, record_id: int) -> Act:
    """What one record, by the number that the database gave it, is of."""
    columns = audit_record.c
    query = select(columns.verb, columns.subject, columns.at).where(columns.id == record_id)
    return Act(*session.execute(query).one())
