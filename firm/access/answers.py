"""Answers to keyed requests: a request sent again under its key gets the first answer, byte for byte.

A key belongs to one principal and one route. It is claimed in the first transaction that the request writes, and
its answer is stored in the last: for a request of one transaction, key, effect and answer are one commit. Two
requests under one key meet at the key's row: the second waits for the first one's commit and gets its answer.
Between the transactions of a longer piece of work the key is running; if the process dies there, the key is free
again after a minute, and the same request goes on where the work stopped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, delete, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from firm.access.model import keyed_answer
from firm.actor import Actor
from firm.audit import operations as audit
from firm.columns import UtcMoment
from firm.db import claim, last_transaction, reading, transaction, use_case
from firm.driver_errors import is_lock_wait
from firm.errors import Busy, Invalid

KEPT = timedelta(days=30)
GIVEN_UP_AFTER = timedelta(minutes=1)


class KeyUsedForOtherContent(Invalid):
    """One key stands for one request."""


class StillRunning(Busy):
    """The first request under this key has not been answered yet."""


class KeyTaken(Busy):
    """Another request under this key came first while this one began."""


@dataclass(frozen=True, slots=True)
class Key:
    """Whose key, for what, the digest of the request it stands for, and when this request began."""

    principal: str
    route: str
    key: str
    request_sha256: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered; `headers` are those that belong to the answer, such as Location."""

    status: int
    content_type: str
    headers: Mapping[str, str]
    body: bytes


_SAME = (
    keyed_answer.c.principal == bindparam("principal"),
    keyed_answer.c.route == bindparam("route"),
    keyed_answer.c.key == bindparam("key"),
)
_FOUND = select(keyed_answer).where(*_SAME, keyed_answer.c.started_at > bindparam("oldest", type_=UtcMoment))
_THERE = select(keyed_answer.c.key).where(*_SAME)


def find(key: Key) -> Answer | None:
    """The answer that the key has, or None when it is free. Raises `KeyUsedForOtherContent`, `StillRunning`."""
    with reading() as session:
        found = session.execute(_FOUND, _named(key)).one_or_none()
    if found is None:
        return None
    if found.request_sha256 != key.request_sha256:
        raise KeyUsedForOtherContent("This Idempotency-Key was used for another request; use a new one.")
    if found.status is not None:
        return Answer(found.status, found.content_type, json.loads(found.headers), found.body)
    if found.started_at > key.started_at - GIVEN_UP_AFTER:
        raise StillRunning("The first request under this Idempotency-Key is still running; try again.")
    return None


def take(session: Session, key: Key) -> None:
    """Claim a key that `find` found free. Raises `KeyTaken` when another request has come first."""
    if key.request_sha256.startswith("00"):
        # One request in 256 clears away for all: each would find next to nothing.
        session.execute(delete(keyed_answer).where(keyed_answer.c.started_at <= _oldest(key)))
    try:
        if session.execute(_THERE, _named(key)).one_or_none() is not None and _take_over(session, key):
            return
        with session.begin_nested():
            session.execute(insert(keyed_answer), _row(key))
    except IntegrityError:
        raise KeyTaken("Another request under this Idempotency-Key has come first; try again.") from None
    except DBAPIError as error:
        if not is_lock_wait(error):
            raise
        raise StillRunning("The first request under this Idempotency-Key is still running; try again.") from None


@use_case
def keep(key: Key, answer: Answer) -> None:
    """Store the answer of a key in the commit of the request's last effect.

    Raises `StillRunning` and undoes that effect when the key was given up meanwhile and another request has it.
    """
    values = {
        "status": answer.status,
        "content_type": answer.content_type,
        "headers": json.dumps(dict(answer.headers)),
        "body": answer.body,
    }
    with last_transaction() as session:
        mine = (*_is(key), keyed_answer.c.started_at == key.started_at, keyed_answer.c.status.is_(None))
        if claim(session, update(keyed_answer).where(*mine).values(**values)):
            return
        # A request that was refused before it wrote anything has not claimed its key yet.
        take(session, key)
        session.execute(update(keyed_answer).where(*_is(key)).values(**values))


@use_case
def note_shown_again(key: Key, *, by: Actor, now: datetime) -> None:
    """Put on record that a secret was opened and shown once more, to who asked for it the first time."""
    with transaction() as session:
        audit.record(session, "answer.shown-again", key.principal, {"route": key.route}, by=by, now=now)


@use_case
def forget(key: Key) -> None:
    """Free a key whose request failed on our side: the same request may be tried again under it."""
    with transaction() as session:
        mine = (*_is(key), keyed_answer.c.started_at == key.started_at, keyed_answer.c.status.is_(None))
        session.execute(delete(keyed_answer).where(*mine))


def _take_over(session: Session, key: Key) -> bool:
    """Take a key that was given up, or whose answer need not be kept any more."""
    given_up = keyed_answer.c.status.is_(None) & (keyed_answer.c.started_at <= key.started_at - GIVEN_UP_AFTER)
    free = update(keyed_answer).where(*_is(key), given_up | (keyed_answer.c.started_at <= _oldest(key)))
    empty = {"status": None, "content_type": None, "headers": None, "body": None}
    return claim(session, free.values(**_row(key), **empty))


def _oldest(key: Key) -> datetime:
    return key.started_at - KEPT


def _row(key: Key) -> dict[str, object]:
    return {
        "principal": key.principal,
        "route": key.route,
        "key": key.key,
        "request_sha256": key.request_sha256,
        "started_at": key.started_at,
    }


def _named(key: Key) -> dict[str, object]:
    return {"principal": key.principal, "route": key.route, "key": key.key, "oldest": _oldest(key)}


def _is(key: Key) -> tuple[ColumnElement[bool], ...]:
    columns = keyed_answer.c
    return columns.principal == key.principal, columns.route == key.route, columns.key == key.key
