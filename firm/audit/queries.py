"""Reading the history of a thing, a person, or everything."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.audit import sequencer
from firm.audit.model import audit_link, audit_record
from firm.db import AnyRow
from firm.listing import WHOLE, Slice, where_given


def page(
    session: Session,
    part: Slice = WHOLE,
    *,
    subject: str | None = None,
    actor: str | None = None,
    verb: str | None = None,
) -> Sequence[AnyRow]:
    """Records in the order of the chain, by their numbers: nothing can come before what has one."""
    query = select(audit_link.c.seq, audit_link.c.hash, audit_record).join(
        audit_record, audit_record.c.id == audit_link.c.record_id
    )
    table = audit_record.c
    query = where_given(query, (table.subject, subject), (table.actor, actor), (table.verb, verb))
    return session.execute(part.of(query, audit_link.c.seq)).all()


def checkpoint(session: Session) -> dict[str, object]:
    """The head of the chain as papers print it: what was written before a paper cannot be changed behind it."""
    seq, head = sequencer.head(session)
    return {"seq": seq, "head": head[:16]}
