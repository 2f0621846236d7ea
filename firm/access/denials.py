"""Attempts that were denied, on record: at most one a minute for each token and route; a flood fills nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, select

from firm.access.limits import Limit, Shares, TooMany
from firm.access.model import ApiToken, Principal
from firm.access.rules import digest, well_formed
from firm.actor import Actor, Role
from firm.audit import operations as audit
from firm.db import db, reading, transaction, use_case

NOTED = Limit("denied", 1, timedelta(minutes=1))

_noted: WeakKeyDictionary[Engine, Shares] = WeakKeyDictionary()
"""Of all workers together one notes it; each remembers of each database that it is noted, and asks it no more."""


def note(by: Actor, route: str, reason: str, *, address: str = "", now: datetime) -> None:
    """Record that an actor was denied a route or command, unless this minute has it already.

    `address` is what was asked for, where there is one.
    """
    try:
        _noted.setdefault(db.engine, Shares(NOTED, share=1)).spend(f"{by.token_id}:{route}", now=now)
    except TooMany:
        return
    _record(by, route, reason, address, now=now)


def note_dead_token(secret: str, route: str, *, request_id: str | None, now: datetime) -> None:
    """Record that a token was tried which is revoked or over, or whose principal is shut out. Others leave nothing."""
    owner = _owner(secret, request_id)
    if owner is not None:
        note(owner, route, "the token opens nothing any more", now=now)


def _owner(secret: str, request_id: str | None) -> Actor | None:
    if not well_formed(secret):
        return None
    query = select(ApiToken.id, Principal.name, Principal.role).join(Principal, Principal.id == ApiToken.principal_id)
    with reading() as session:
        row = session.execute(query.where(ApiToken.digest == digest(secret))).one_or_none()
    return None if row is None else Actor(row.name, Role(row.role), row.id, request_id)


@use_case
def _record(by: Actor, route: str, reason: str, address: str, *, now: datetime) -> None:
    facts = {"reason": reason[:300]} | ({"address": address[:300]} if address else {})
    with transaction() as session:
        audit.record(session, "attempt.denied", route[:200], facts, by=by, now=now)
