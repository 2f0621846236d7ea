"""Allowances shared by all workers: so much in a window of time, counted in the database.

A worker does not write for each request. It takes a small share of the window's allowance at a time and spends it
in memory, so that together the workers never go over the limit; what a worker took and did not spend is lost until
the next window.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from firm.access.model import allowance, token_use
from firm.db import transaction, use_case
from firm.errors import ChambersError

WAITED = 2
"""So many windows ahead may be of requests that came later; more is a clock that was set back."""


class TooMany(ChambersError):
    """The allowance of this window is spent. `retry_after` is in whole seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Limit:
    """So many in so long. Windows begin at multiples of their length."""

    name: str
    most: int
    window: timedelta

    def window_at(self, now: datetime) -> datetime:
        length = int(self.window.total_seconds())
        return datetime.fromtimestamp(int(now.timestamp()) // length * length, UTC)

    def seconds_left(self, now: datetime) -> int:
        length = int(self.window.total_seconds())
        return length - int(now.timestamp()) % length


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of an allowance as far as this worker knows, and in how many seconds it is whole again."""

    limit: Limit
    left: int
    seconds: int


class Shares:
    """What this worker has taken of the present windows and not yet spent."""

    def __init__(self, limit: Limit, *, share: int) -> None:
        self._limit = limit
        self._share = share
        self._lock = threading.Lock()
        self._taken: dict[str, tuple[datetime, int, int]] = {}

    def spend(self, subject: str, *, now: datetime, token_id: str | None = None) -> Standing:
        """Spend one. Raises `TooMany`."""
        window = self._limit.window_at(now)
        with self._lock:
            known, mine, left = self._taken.get(subject, (window, 0, self._limit.most))
            if known != window:
                mine, left = 0, self._limit.most
        if mine == 0 and left > 0:
            # The refusal is remembered: a flood of requests must not become a flood of transactions.
            try:
                mine, left = take(self._limit, subject, self._share, now=now, token_id=token_id)
            except TooMany:
                self._remember(subject, window, 0, 0)
                raise
        if mine == 0:
            raise _too_many(self._limit, now)
        self._remember(subject, window, mine - 1, left)
        return Standing(self._limit, left + mine - 1, self._limit.seconds_left(now))

    def _remember(self, subject: str, window: datetime, mine: int, left: int) -> None:
        with self._lock:
            if len(self._taken) > 10_000:
                self._taken.clear()
            self._taken[subject] = (window, mine, left)


@use_case
def take(limit: Limit, subject: str, share: int, *, now: datetime, token_id: str | None = None) -> tuple[int, int]:
    """Take up to a share of the subject's allowance: how many were taken, and how many are left for all.

    Notes beside it that the token is in use. Raises `TooMany`.
    """
    key, window = _key(limit, subject), limit.window_at(now)
    with transaction() as session:
        _insert_if_absent(session, allowance, {"subject": key, "window_at": window, "used": 0})
        mine = select(allowance.c.window_at, allowance.c.used).where(allowance.c.subject == key).with_for_update()
        row = session.execute(mine).one()
        # A request that waited may be of the window before: it counts in the newer one, which it must not begin anew.
        if window < row.window_at <= window + WAITED * limit.window:
            window = row.window_at
        used = row.used if row.window_at == window else 0
        taken = min(share, limit.most - used)
        if taken <= 0:
            raise _too_many(limit, now)
        values = {"window_at": window, "used": used + taken}
        session.execute(update(allowance).where(allowance.c.subject == key).values(**values))
        if token_id is not None:
            _insert_if_absent(session, token_use, {"token_id": token_id, "last_used_at": now})
            session.execute(update(token_use).where(token_use.c.token_id == token_id).values(last_used_at=now))
    return taken, limit.most - used - taken


def spend(limit: Limit, subject: str, *, now: datetime) -> None:
    """Spend one, at once and for all workers. Raises `TooMany`."""
    take(limit, subject, 1, now=now)


def _insert_if_absent(session: Session, table: Table, row: dict[str, object]) -> None:
    insert = {"postgresql": postgresql, "sqlite": sqlite}[session.get_bind().dialect.name].insert
    session.execute(insert(table).values(**row).on_conflict_do_nothing())


def _key(limit: Limit, subject: str) -> str:
    return f"{limit.name}:{subject}"[:100]


def _too_many(limit: Limit, now: datetime) -> TooMany:
    seconds = limit.seconds_left(now)
    return TooMany(f"That was more than {limit.most} in {limit.window}; try again in {seconds} s.", retry_after=seconds)
