"""What a client cares about: the packages that an engagement names, and the two answers about each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest, whole
from firm.db import transaction, use_case
from firm.engagements import queries
from firm.engagements.model import Engagement, Interest
from firm.errors import Invalid, NotFound, Refused, within
from firm.particulars import checked_words
from firm.portfolio import queries as portfolio
from firm.portfolio.model import Package

MOST_MONTHS_TO_REPLACE = 1200


class InvalidInterest(Invalid):
    """An answer about a package that nobody can mean."""


class InterestTwice(Invalid):
    """An engagement names each package once."""


class InterestNotNamed(NotFound):
    """Only what an engagement names can be taken back."""


class LastInterest(Refused):
    """A client that cares about no package has no engagement."""


@dataclass(frozen=True, slots=True)
class NamedInterest:
    """A package, by id or name, and the two answers about it."""

    package: str
    may_stop: bool
    months_to_replace: int


@use_case
def name_interests(
    engagement_id: str, interests: Sequence[NamedInterest], *, by: Actor, now: datetime
) -> list[Interest]:
    """Add interests to an engagement, also after its signature: needs change. Raises `InterestTwice`."""
    with transaction() as session:
        engagement = queries.find(session, engagement_id)
        before = digest(on_record(session, engagement))
        add_interests(session, engagement.id, interests)
        facts, after = {"packages": [interest.package for interest in interests]}, on_record(session, engagement)
        audit.record(
            session, "engagement.interests-named", engagement.id, facts, before=before, after=after, by=by, now=now
        )
        return queries.interests_of(session, engagement.id)


@use_case
def withdraw_interest(engagement_id: str, package: str, *, reason: str, by: Actor, now: datetime) -> list[Interest]:
    """Take back an interest that an engagement names. Raises `InterestNotNamed`, and `LastInterest` once signed."""
    reason = checked_words(reason, "Say why it is withdrawn: the reason stays on record.", field="reason", most=500)
    with transaction() as session:
        engagement = queries.find(session, engagement_id)
        # Of two at the same moment, the second looks when the first is in the books.
        before = digest(on_record(session, engagement))
        target = portfolio.find(session, package)
        named = {interest.package_id: interest for interest in queries.interests_of(session, engagement.id)}
        if target.id not in named:
            raise InterestNotNamed(f"The engagement does not name {target.name}.")
        if len(named) == 1 and engagement.state != "draft":
            raise LastInterest("A signed engagement names at least one package; name the right one first.")
        session.delete(named[target.id])
        session.flush()
        facts, after = {"package": target.id, "reason": reason}, on_record(session, engagement)
        audit.record(
            session, "engagement.interest-withdrawn", engagement.id, facts, before=before, after=after, by=by, now=now
        )
        return queries.interests_of(session, engagement.id)


def on_record(session: Session, engagement: Engagement) -> dict[str, Any]:
    """What the audit log holds of an engagement: itself, with its interests. Nobody else changes it meanwhile."""
    session.flush()
    session.execute(select(Engagement.id).where(Engagement.id == engagement.id).with_for_update())
    return whole(engagement, queries.interests_of(session, engagement.id))


def add_interests(session: Session, engagement_id: str, interests: Sequence[NamedInterest]) -> None:
    """Add interests within somebody's transaction. Raises `InterestTwice`, `InvalidInterest`."""
    known = {interest.package_id for interest in queries.interests_of(session, engagement_id)}
    for number, interest in enumerate(interests):
        package = portfolio.find(session, interest.package)
        with within(f"interests/{number}"):
            session.add(new_interest(engagement_id, package, interest, known=known))
        known.add(package.id)
    session.flush()


def new_interest(engagement_id: str, package: Package, interest: NamedInterest, *, known: Collection[str]) -> Interest:
    """An interest that is in no session yet. Raises `InterestTwice` for a package that is known there."""
    if not 0 <= interest.months_to_replace <= MOST_MONTHS_TO_REPLACE:
        sentence = f"Replacing it takes 0 to {MOST_MONTHS_TO_REPLACE} engineer-months."
        raise InvalidInterest(sentence, field="months_to_replace")
    if package.id in known:
        raise InterestTwice(f"The engagement names {package.name} already.", field="package")
    return Interest(
        id=ids.new("int"),
        engagement_id=engagement_id,
        package_id=package.id,
        may_stop=interest.may_stop,
        months_to_replace=interest.months_to_replace,
    )
