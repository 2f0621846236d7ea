"""Answers to keyed requests: a request sent again under its key gets the first answer, byte for byte.

A key belongs to one principal and one route. It is claimed before the work begins and gets its answer afterwards,
in a commit of its own: if the process dies in between, the key is free again after a minute, and the natural keys
of the books (a receipt's reference, an entry's source) refuse what would be done twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm.access.model import keyed_answer
from firm.db import claim, transaction, use_case
from firm.errors import Busy, Invalid

KEPT = timedelta(days=30)
GIVEN_UP_AFTER = timedelta(minutes=1)


class KeyUsedForOtherContent(Invalid):
    """One key stands for one request."""


class StillRunning(Busy):
    """The first request under this key has not been answered yet."""


@dataclass(frozen=True, slots=True)
class Key:
    """Whose key, for what, and the digest of the request it stands for."""

    principal: str
    route: str
    key: str
    request_sha256: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    status: int
    content_type: str
    body: bytes


@use_case
def begin(key: Key, *, now: datetime) -> Answer | None:
    """Claim the key, or return the answer it has. Raises `KeyUsedForOtherContent`, `StillRunning`."""
    with transaction() as session:
        session.execute(delete(keyed_answer).where(keyed_answer.c.started_at < now - KEPT))
        row = session.execute(select(keyed_answer).where(*_is(key))).one_or_none()
        if row is None:
            _claim(session, key, now)
            return None
        if row.request_sha256 != key.request_sha256:
            raise KeyUsedForOtherContent("This Idempotency-Key was used for another request; use a new one.")
        if row.status is not None:
            return Answer(row.status, row.content_type, row.body)
        abandoned = update(keyed_answer).where(*_is(key), keyed_answer.c.started_at < now - GIVEN_UP_AFTER)
        if not claim(session, abandoned.values(started_at=now)):
            raise StillRunning("The first request under this Idempotency-Key is still running; try again.")
    return None


@use_case
def finish(key: Key, answer: Answer) -> None:
    """Store the answer of a claimed key."""
    with transaction() as session:
        values = {"status": answer.status, "content_type": answer.content_type, "body": answer.body}
        session.execute(update(keyed_answer).where(*_is(key)).values(**values))


@use_case
def forget(key: Key) -> None:
    """Free a key whose request failed on our side: the same request may be tried again under it."""
    with transaction() as session:
        session.execute(delete(keyed_answer).where(*_is(key)))


def _claim(session: Session, key: Key, now: datetime) -> None:
    row = {
        "principal": key.principal,
        "route": key.route,
        "key": key.key,
        "request_sha256": key.request_sha256,
        "started_at": now,
    }
    try:
        with session.begin_nested():
            session.execute(insert(keyed_answer), row)
    except IntegrityError:
        raise StillRunning("The first request under this Idempotency-Key is still running; try again.") from None


def _is(key: Key) -> tuple[ColumnElement[bool], ...]:
    columns = keyed_answer.c
    return columns.principal == key.principal, columns.route == key.route, columns.key == key.key
