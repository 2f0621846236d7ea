"""What must always hold of the chain, walked from its first link to its last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.audit import sequencer
from firm.audit.anchors import Anchor, AnchorBroken, last_on_record
from firm.audit.model import audit_link, audit_record
from firm.audit.rules import FIELDS, FIRST, link_hash
from firm.db import AnyRow
from firm.invariant import Walk

LONGEST_WAIT = timedelta(minutes=10)
STALE = timedelta(days=2)
"""Commands and the worker keep an anchor a day."""

PAGE = 2_000


def checks(anchors: Callable[[], Iterable[Anchor]], *, now: datetime) -> tuple[Walk, ...]:
    """The chain's checks, for the anchors kept outside and the moment of asking."""
    return (
        Walk(
            "audit-chain",
            "Every audit record is linked once, in order, and its hash binds it to all before it.",
            _first_break,
        ),
        Walk(
            "audit-anchored",
            "The chain holds every anchor that was signed and kept outside the database.",
            lambda session: _lost_anchors(session, anchors),
        ),
        Walk(
            "audit-anchors-kept",
            "No anchor that was kept is lost, and no chain goes on for two days without one.",
            lambda session: _missing_anchors(session, anchors, now),
        ),
        Walk(
            "audit-sequenced",
            "No audit record waits longer than ten minutes for its place in the chain.",
            lambda session: _left_waiting(session, now),
        ),
    )


def _first_break(session: Session) -> Iterator[dict[str, Any]]:
    """The first link that does not hold, with what is wrong; what follows a break proves nothing more."""
    before, expected = FIRST, 1
    for link in _links(session):
        if link.seq != expected:
            yield {"seq": expected, "wrong": "the link is missing"}
            return
        if link.id is None:
            yield {"seq": link.seq, "wrong": "its record is missing"}
            return
        before = link_hash(link.seq, before, link)
        if before != link.hash:
            yield {"seq": link.seq, "record": link.id, "wrong": "the record or the hash was changed, or links swapped"}
            return
        expected += 1
    if sequencer.head(session) != (expected - 1, before):
        yield {"seq": expected, "wrong": "links are missing at the end"}


def _lost_anchors(session: Session, anchors: Callable[[], Iterable[Anchor]]) -> Iterator[dict[str, Any]]:
    try:
        kept = list(anchors())
    except AnchorBroken as error:
        yield {"wrong": error.message}
        return
    for anchor in kept:
        found = session.scalar(select(audit_link.c.hash).where(audit_link.c.seq == anchor.seq))
        if found != anchor.hash:
            yield {"seq": anchor.seq, "anchored_at": str(anchor.at), "wrong": "the chain is not the one anchored"}
            return


def _missing_anchors(
    session: Session, anchors: Callable[[], Iterable[Anchor]], now: datetime
) -> Iterator[dict[str, Any]]:
    try:
        newest = max((anchor.seq for anchor in anchors()), default=0)
    except AnchorBroken:
        # What is wrong with the file is told once, by the check of what it holds.
        return
    on_record = last_on_record(session)
    if newest == 0 and (days := _age(session, now).days) > 0:
        yield {"wrong": f"no anchor of a chain that is {days} day{'' if days == 1 else 's'} old"}
    elif on_record is not None and on_record > newest:
        yield {"seq": on_record, "wrong": "it was anchored, and the anchor is not on file"}
    elif newest and (days := _age(session, now, newest + 1).days) >= STALE.days:
        yield {"seq": newest + 1, "wrong": f"no anchor for {days} days, in which the chain went on"}


def _age(session: Session, now: datetime, seq: int = 1) -> timedelta:
    """How long ago a link's record was written; zero where the link is not there."""
    linked = select(audit_record.c.at).join(audit_link, audit_link.c.record_id == audit_record.c.id)
    since = session.scalar(linked.where(audit_link.c.seq == seq))
    return timedelta(0) if since is None else now - since


def _left_waiting(session: Session, now: datetime) -> Iterator[dict[str, Any]]:
    unlinked = ~select(audit_link.c.seq).where(audit_link.c.record_id == audit_record.c.id).exists()
    query = select(audit_record.c.id, audit_record.c.at).where(unlinked, audit_record.c.at < now - LONGEST_WAIT)
    for row in session.execute(query.order_by(audit_record.c.id).limit(10)):
        yield {"record": row.id, "waiting_since": str(row.at)}


def _links(session: Session) -> Iterator[AnyRow]:
    columns = [audit_record.c[name] for name in FIELDS]
    query = (
        select(audit_link.c.seq, audit_link.c.hash, *columns)
        .join(audit_record, audit_record.c.id == audit_link.c.record_id, isouter=True)
        .order_by(audit_link.c.seq)
        .limit(PAGE)
    )
    last = -1
    while rows := session.execute(query.where(audit_link.c.seq > last)).all():
        yield from rows
        last = rows[-1].seq
