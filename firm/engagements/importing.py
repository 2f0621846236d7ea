"""Engagements from a file, as drafts: a signature stays a person's act."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Annotated

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.clients.model import Client
from firm.clients.queries import ClientNotFound
from firm.engagements.interests import NamedInterest, new_interest
from firm.engagements.model import CYCLES, Engagement, Interest, Tier
from firm.engagements.operations import (
    Terms,
    facts_of,
    new_engagement,
    refuse_impossible,
)
from firm.engagements.queries import TierNotFound
from firm.intake.columns import Amount, Currency, Day, Name, YesNo, items, one_of, read_by, text_of, yes_or_no
from firm.intake.columns import whole as whole_number
from firm.intake.desk import Desk, Kind, blaming, refuse_contradiction
from firm.intake.report import LineRefused
from firm.intake.rows import Row
from firm.money import Money
from firm.portfolio.model import Package
from firm.portfolio.queries import PackageNotFound

MOST_NOTICE_DAYS = 730
MOST_MONTHS = 1_200


def _notice(text: str) -> int:
    days = whole_number(text)
    if days > MOST_NOTICE_DAYS:
        raise ValueError(f"A notice is at most {MOST_NOTICE_DAYS} days.")
    return days


def _interests(text: str) -> tuple[NamedInterest, ...]:
    """`ssh:no:24; age:yes:3`: package, may we stop, engineer-months to replace it."""
    found = []
    for item in items(text):
        parts = item.rsplit(":", 2)
        if len(parts) != 3 or not parts[0].strip():
            raise ValueError("Write each interest as package:may stop:months to replace, such as ssh:no:24.")
        months = whole_number(parts[2])
        if months > MOST_MONTHS:
            raise ValueError(f"The months to replace {parts[0].strip()} are at most {MOST_MONTHS}.")
        found.append(NamedInterest(parts[0].strip(), yes_or_no(parts[1]), months))
    return tuple(found)


class EngagementRow(Row):
    """A draft; client and first day are what it is known by."""

    client: Name
    tier: Annotated[str, text_of(60)]
    fee: Amount
    currency: Currency
    cycle: Annotated[str, one_of(tuple(CYCLES))]
    starts_on: Day
    ends_on: Day | None = None
    renews_on: Day | None = None
    notice_days: Annotated[int, read_by(_notice)] = 90
    subcontracting_allowed: YesNo = False
    po_number: Annotated[str, text_of(60)] | None = None
    interests: Annotated[tuple[NamedInterest, ...], read_by(_interests)] = ()


class EngagementDesk(Desk[EngagementRow]):
    """Knows clients, tiers and packages by name, and the engagements of each client by their first day."""

    def __init__(self, session: Session, *, by: Actor, now: datetime) -> None:
        super().__init__(session, by=by, now=now)
        self._clients = {client.name: client for client in session.scalars(select(Client))}
        self._tiers = {tier.name: tier for tier in session.scalars(select(Tier).order_by(Tier.version))}
        self._packages = {package.name: package for package in session.scalars(select(Package))}
        self._known = {
            (each.client_id, each.starts_on): each
            for each in session.scalars(select(Engagement).order_by(Engagement.id))
        }
        self._interests: dict[str, dict[str, Interest]] = {}
        for interest in session.scalars(select(Interest)):
            self._interests.setdefault(interest.engagement_id, {})[interest.package_id] = interest
        self._tier_names = dict(session.execute(select(Tier.id, Tier.name)).all())

    def settle(self, row: EngagementRow, columns: Collection[str]) -> bool:
        client = self._client(row.client)
        terms = _terms(row)
        refuse_impossible(terms)
        tier = self._tier(row.tier)
        known = self._known.get((client.id, row.starts_on))
        if known is not None:
            what = f"The engagement of {row.client} from {row.starts_on.isoformat()}"
            said, before = _facts(terms, row.tier), _facts(_terms_of(known), self._tier_names[known.tier_id])
            refuse_contradiction(what, before, said, columns)
            self._refuse_other_interests(what, known, row.interests)
            return False
        engagement = new_engagement(client.id, tier.id, terms, now=self.now)
        interests = self._named(engagement, row.interests)
        self._known[client.id, row.starts_on] = engagement
        self._interests[engagement.id] = {interest.package_id: interest for interest in interests}
        facts = facts_of(engagement)
        self.keep(engagement, *interests, verb="engagement.drafted", subject=engagement.id, facts=facts, in_parts=True)
        return True

    def _client(self, name: str) -> Client:
        if (client := self._clients.get(name)) is None:
            with blaming("client"):
                raise ClientNotFound(f"There is no client {name!r}; import clients first, or correct the name.")
        return client

    def _tier(self, name: str) -> Tier:
        if (tier := self._tiers.get(name)) is None:
            with blaming("tier"):
                raise TierNotFound(f"There is no tier {name!r}; add it with `chambers tier add`.")
        return tier

    def _package(self, name: str) -> Package:
        if (package := self._packages.get(name)) is None:
            raise PackageNotFound(f"There is no package {name!r}; import packages first, or correct the name.")
        return package

    def _named(self, engagement: Engagement, interests: Sequence[NamedInterest]) -> list[Interest]:
        found: dict[str, Interest] = {}
        with blaming("interests"):
            for interest in interests:
                package = self._package(interest.package)
                found[package.id] = new_interest(engagement.id, package, interest, known=found)
        return list(found.values())

    def _refuse_other_interests(self, what: str, known: Engagement, said: Sequence[NamedInterest]) -> None:
        """The line may name fewer interests than are known by now, and none of its own."""
        there = self._interests.get(known.id, {})
        for interest in said:
            with blaming("interests"):
                found = there.get(self._package(interest.package).id)
            if found is None or (found.may_stop, found.months_to_replace) != (
                interest.may_stop,
                interest.months_to_replace,
            ):
                before = "no interest" if found is None else _answers(found.may_stop, found.months_to_replace)
                raise LineRefused(
                    f"{what} is known with {before} for {interest.package}, not"
                    f" {_answers(interest.may_stop, interest.months_to_replace)}; add interests with"
                    " `chambers engagement interest`.",
                    column="interests",
                )


def _answers(may_stop: bool, months: int) -> str:
    return f"{'yes' if may_stop else 'no'}:{months}"


def _terms(row: EngagementRow) -> Terms:
    with blaming("currency"):
        Money.zero(row.currency)
    with blaming("fee"):
        fee = Money.parse(row.fee, row.currency)
    return Terms(
        fee=fee,
        cycle=row.cycle,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        renews_on=row.renews_on,
        notice_days=row.notice_days,
        subcontracting_allowed=row.subcontracting_allowed,
        po_number=row.po_number,
    )


def _terms_of(engagement: Engagement) -> Terms:
    return Terms(
        fee=engagement.fee,
        cycle=engagement.cycle,
        starts_on=engagement.starts_on,
        ends_on=engagement.ends_on,
        renews_on=engagement.renews_on,
        notice_days=engagement.notice_days,
        subcontracting_allowed=engagement.subcontracting_allowed,
        po_number=engagement.po_number,
    )


def _facts(terms: Terms, tier: str) -> dict[str, object]:
    """What a line and an engagement are compared by, column by column."""
    facts: dict[str, object] = {
        name: getattr(terms, name)
        for name in ("fee", "cycle", "ends_on", "renews_on", "notice_days", "subcontracting_allowed", "po_number")
    }
    return {"tier": tier, "currency": terms.fee.currency} | facts


ENGAGEMENTS = Kind(
    "engagements",
    EngagementRow,
    EngagementDesk,
    {
        "client": "Acme",
        "tier": "gold",
        "fee": "10000.00",
        "currency": "USD",
        "cycle": "yearly",
        "starts_on": "2026-10-01",
        "notice_days": "90",
        "subcontracting_allowed": "yes",
        "interests": "golang.org/x/crypto/ssh:no:24; filippo.io/age:no:12",
    },
)
