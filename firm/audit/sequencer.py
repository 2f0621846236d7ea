"""The sequencer: gives committed records their numbers and hashes, in batches, behind those who write them.

Writers never wait for one another: they only insert. One sequencer at a time holds the lease; it takes whatever
records are committed and not in the chain yet, however late they came, and links them in one transaction a batch.
A sequencer that dies leaves a lease that runs out, and nothing half done.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from firm.audit.model import audit_link, audit_record, audit_sequencer
from firm.audit.rules import FIRST, link_hash
from firm.bulk import bulk_insert
from firm.db import AnyRow, claim, reading, transaction, use_case

BATCH = 2_000
LEASE = timedelta(minutes=1)
LOOK_BACK = 10_000
"""How many of the newest links are looked past for records that committed late; `run(whole=True)` looks at all."""


def run(*, now: datetime, whole: bool = False) -> int:
    """Link every committed record, and say how many. May be repeated; 0 when another sequencer is at work."""
    holder = f"{os.getpid()}-{secrets.token_hex(4)}"
    if not _take_lease(holder, now=now):
        return 0
    linked = 0
    while number := _link_batch(holder, whole=whole, now=now):
        linked += number
    _give_lease_back(holder, now=now)
    return linked


def head(session: Session) -> tuple[int, str]:
    """The number and hash of the newest link; (0, zeros) for an empty chain."""
    row = session.execute(select(audit_sequencer.c.seq, audit_sequencer.c.hash)).one_or_none()
    return (0, FIRST) if row is None else (row.seq, row.hash)


def hash_at(session: Session, seq: int) -> str | None:
    """The hash of a link; None for one that is not there."""
    return session.scalar(select(audit_link.c.hash).where(audit_link.c.seq == seq))


def waiting_since(*, now: datetime) -> timedelta:
    """How long the oldest record has been waiting for its place in the chain."""
    with reading() as session:
        oldest = session.scalar(select(func.min(audit_record.c.at)).where(_unlinked()))
    return timedelta(0) if oldest is None else now - oldest


@use_case
def _take_lease(holder: str, *, now: datetime) -> bool:
    with transaction() as session:
        engine = {"postgresql": postgresql, "sqlite": sqlite}[session.get_bind().dialect.name]
        empty = {"id": 1, "holder": "", "leased_until": now, "seq": 0, "hash": FIRST}
        session.execute(engine.insert(audit_sequencer).values(**empty).on_conflict_do_nothing())
        free = update(audit_sequencer).where(audit_sequencer.c.leased_until <= now)
        return claim(session, free.values(holder=holder, leased_until=now + LEASE))


@use_case
def _link_batch(holder: str, *, whole: bool, now: datetime) -> int:
    """Link up to a batch of records in the order of their ids. 0 when none is left, or the lease is lost."""
    with transaction() as session:
        mine = update(audit_sequencer).where(audit_sequencer.c.holder == holder)
        if not claim(session, mine.values(leased_until=now + LEASE)):
            return 0
        seq, before = head(session)
        records = _unlinked_records(session, seq, whole=whole)
        if not records:
            return 0
        links = []
        for number, record in enumerate(records, seq + 1):
            before = link_hash(number, before, record)
            links.append({"seq": number, "record_id": record.id, "hash": before})
        bulk_insert(session, audit_link, links)
        session.execute(mine.values(seq=links[-1]["seq"], hash=before))
        return len(links)


@use_case
def _give_lease_back(holder: str, *, now: datetime) -> None:
    with transaction() as session:
        mine = update(audit_sequencer).where(audit_sequencer.c.holder == holder)
        session.execute(mine.values(leased_until=now))


def _unlinked_records(session: Session, seq: int, *, whole: bool) -> Sequence[AnyRow]:
    query = select(audit_record).where(_unlinked()).order_by(audit_record.c.id).limit(BATCH)
    if not whole and seq > LOOK_BACK:
        recent = select(func.min(audit_link.c.record_id)).where(audit_link.c.seq > seq - LOOK_BACK)
        query = query.where(audit_record.c.id > recent.scalar_subquery())
    return session.execute(query).all()


def _unlinked() -> ColumnElement[bool]:
    return ~select(audit_link.c.seq).where(audit_link.c.record_id == audit_record.c.id).exists()
