"""Finding tiers, engagements and interests."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from firm.engagements.model import Engagement, Interest, Tier
from firm.engagements.rules import Term
from firm.errors import NotFound
from firm.listing import WHOLE, Slice, where_given
from firm.month import Month


class EngagementNotFound(NotFound):
    """No engagement has this id."""


class TierNotFound(NotFound):
    """No tier has this name, or not in this version."""


def find(session: Session, engagement_id: str) -> Engagement:
    """An engagement by id. Raises `EngagementNotFound`."""
    engagement = session.get(Engagement, engagement_id)
    if engagement is None:
        raise EngagementNotFound(f"There is no engagement {engagement_id!r}.")
    return engagement


def find_tier(session: Session, name: str, version: int | None = None) -> Tier:
    """A tier by name, in one version or its latest; or by id. Raises `TierNotFound`."""
    query = select(Tier).where(or_(Tier.name == name, Tier.id == name)).order_by(Tier.version.desc()).limit(1)
    if version is not None:
        query = query.where(Tier.version == version)
    tier = session.scalar(query)
    if tier is None:
        raise TierNotFound(f"There is no tier {name!r}; add it with `chambers tier add`.")
    return tier


def tiers(session: Session, part: Slice = WHOLE) -> list[Tier]:
    """Tiers in the order of their ids."""
    return list(session.scalars(part.of(select(Tier), Tier.id)))


def page(
    session: Session, part: Slice = WHOLE, *, client_id: str | None = None, state: str | None = None
) -> list[Engagement]:
    """Engagements in the order of their ids; of one client, in one state, or all."""
    query = where_given(select(Engagement), (Engagement.client_id, client_id), (Engagement.state, state))
    return list(session.scalars(part.of(query, Engagement.id)))


def running(month: Month) -> ColumnElement[bool]:
    """The condition that an engagement is signed and its term touches the month."""
    return and_(
        Engagement.state != "draft",
        Engagement.starts_on < month.next.first_day,
        or_(Engagement.ends_on.is_(None), Engagement.ends_on > month.first_day),
    )


def interests_of(session: Session, engagement_id: str, part: Slice = WHOLE) -> list[Interest]:
    """The interests that an engagement names, in the order of their ids."""
    return list(session.scalars(part.of(select(Interest).where(Interest.engagement_id == engagement_id), Interest.id)))


def interested(session: Session, package_id: str, month: Month) -> list[Engagement]:
    """The engagements running in the month whose clients named an interest in the package."""
    return list(
        session.scalars(
            select(Engagement)
            .join(Interest, Interest.engagement_id == Engagement.id)
            .where(Interest.package_id == package_id, running(month))
            .order_by(Engagement.id)
        )
    )


def term_of(engagement: Engagement) -> Term:
    return Term(engagement.fee, engagement.starts_on, engagement.ends_on)
