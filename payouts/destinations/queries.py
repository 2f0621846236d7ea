"""Finding destinations: who can be paid where, and what stands in the way."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from firm.db import AnyRow
from firm.errors import NotFound
from firm.listing import WHOLE, Slice, where_given
from payouts.destinations.model import Destination
from payouts.destinations.rules import moment_text


class DestinationNotFound(NotFound):
    """No destination has this id."""


@dataclass(frozen=True, slots=True)
class Way:
    """What a run needs to know of a maintainer's destination. `obstacle` says why it may not be used, or nothing."""

    id: str
    maintainer_id: str
    rail: str
    holder: str
    obstacle: str = ""
    account: str | None = None
    country: str = ""


def find(session: Session, key: str) -> Destination:
    """A destination by id. Raises `DestinationNotFound`."""
    found = session.get(Destination, key)
    if found is None:
        raise DestinationNotFound(f"There is no destination {key!r}.")
    return found


def page(
    session: Session,
    part: Slice = WHOLE,
    *,
    maintainer_id: str | None = None,
    state: str | None = None,
    now: datetime | None = None,
) -> list[Destination]:
    """Destinations in the order in which they were proposed; of one maintainer, in the state that they are in now."""
    query = where_given(select(Destination), (Destination.maintainer_id, maintainer_id))
    if state is not None and now is not None:
        query = query.where(_is_shown_as(state, now))
    return list(session.scalars(part.of(query, Destination.id)))


def in_force(session: Session, maintainer_id: str) -> Destination | None:
    """The destination that was confirmed last, live or still cooling off, or None."""
    mine = Destination.maintainer_id == maintainer_id, Destination.state == "confirmed"
    return session.scalar(select(Destination).where(*mine))


def pending(session: Session, maintainer_id: str, *, now: datetime) -> Destination | None:
    """The proposal that waits for somebody to confirm it, or None."""
    return session.scalar(select(Destination).where(Destination.maintainer_id == maintainer_id, _waiting(now)))


def was_ever_confirmed(session: Session, maintainer_id: str) -> bool:
    """Whether the maintainer ever had a destination: only then can anything have been paid to them."""
    mine = Destination.maintainer_id == maintainer_id, Destination.usable_from.is_not(None)
    return session.scalar(select(Destination.id).where(*mine).limit(1)) is not None


def live(session: Session, *, now: datetime) -> dict[str, Way]:
    """The way to every maintainer who has a destination or a proposal of one, by maintainer id.

    Where a change is proposed, the way is the one in force, held; where a first one is, the proposal, held.
    """
    rows = session.execute(
        select(
            Destination.id,
            Destination.maintainer_id,
            Destination.rail,
            Destination.holder,
            Destination.account,
            Destination.country,
            Destination.state,
            Destination.created_at,
            Destination.usable_from,
        )
        .where(or_(Destination.state == "confirmed", _waiting(now)))
        .order_by(Destination.maintainer_id, Destination.state)
    ).all()
    ways: dict[str, Way] = {}
    for row in rows:
        earlier = ways.get(row.maintainer_id)
        if row.state == "confirmed":
            ways[row.maintainer_id] = _way(row, _cooling_off(row.usable_from, now))
        elif earlier is None:
            ways[row.maintainer_id] = _way(row, _unconfirmed("destination", row.created_at))
        else:
            ways[row.maintainer_id] = _held(earlier, _unconfirmed("change of destination", row.created_at))
    return ways


def changed_since(session: Session, destination_ids: Collection[str], *, now: datetime) -> set[str]:
    """Those of the destinations that may not be paid to now: no longer in force, cooling off, or to be changed."""
    if not destination_ids:
        return set()
    # A range instead of a list: a run has thousands of payouts.
    asked = Destination.id.between(min(destination_ids), max(destination_ids))
    changing = select(Destination.maintainer_id).where(_waiting(now))
    usable = and_(
        Destination.state == "confirmed",
        Destination.usable_from <= now,
        Destination.maintainer_id.not_in(changing),
    )
    return set(destination_ids) - set(session.scalars(select(Destination.id).where(asked, usable)))


def count_waiting(session: Session, *, now: datetime) -> int:
    """How many proposals wait for somebody to confirm them."""
    return session.scalar(select(func.count()).select_from(Destination).where(_waiting(now))) or 0


def _is_shown_as(state: str, now: datetime) -> ColumnElement[bool]:
    """What `Destination.state_at` says, as a condition."""
    row = Destination
    conditions = {
        "live": and_(row.state == "confirmed", row.usable_from <= now),
        "confirmed": and_(row.state == "confirmed", or_(row.usable_from.is_(None), row.usable_from > now)),
        "proposed": _waiting(now),
        "expired": or_(row.state == "expired", and_(row.state == "proposed", row.expires_at <= now)),
    }
    return conditions.get(state, row.state == state)


def _waiting(now: datetime) -> ColumnElement[bool]:
    return and_(Destination.state == "proposed", Destination.expires_at > now)


def _way(row: AnyRow, obstacle: str) -> Way:
    return Way(row.id, row.maintainer_id, row.rail, row.holder, obstacle, row.account, row.country)


def _held(way: Way, obstacle: str) -> Way:
    return Way(way.id, way.maintainer_id, way.rail, way.holder, obstacle, way.account, way.country)


def _cooling_off(usable_from: datetime, now: datetime) -> str:
    if usable_from <= now:
        return ""
    return f"has a destination that was changed; it is usable from {moment_text(usable_from)} on"


def _unconfirmed(what: str, proposed_at: datetime) -> str:
    return (
        f"has a {what} that was proposed on {moment_text(proposed_at)} and that nobody has confirmed; confirm or"
        " reject it first"
    )
