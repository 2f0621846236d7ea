"""Drafting, signing and ending engagements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.clients import queries as clients
from firm.db import claim, transaction, use_case
from firm.engagements import queries
from firm.engagements.interests import NamedInterest, add_interests, on_record
from firm.engagements.model import CYCLES, Engagement, Tier
from firm.engagements.rules import BLOCKING_CLAUSES, blocked
from firm.errors import EndsAlready, EndTooEarly, Invalid, Refused
from firm.ledger import accounts, periods
from firm.money import Money
from firm.month import Month
from firm.particulars import checked_name, checked_words, outside_of_books
from firm.profile import operations as profiles

RECOGNIZED = "recognition"
"""The step of a close after which an engagement's month is earned as it stood then."""


class EngagementWithoutInterests(Refused):
    """Nobody knows what a client without interests pays for."""


class ClauseRefused(Refused):
    """The agreement holds a clause that the firm never signs."""


class NotADraft(Refused):
    """Only a draft can be signed, and its terms stand from then on."""


MOST_NOTICE_DAYS = 730


class SameEngagement(Refused):
    """The same terms twice would bill a client twice."""


class InvalidEngagement(Invalid):
    """Terms that no engagement can have."""


class EngagementNotSigned(Refused):
    """Only a signed engagement can be ended."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an engagement agrees on."""

    fee: Money
    cycle: str
    starts_on: date
    ends_on: date | None = None
    renews_on: date | None = None
    notice_days: int = 90
    subcontracting_allowed: bool = False
    po_number: str | None = None
    clauses: Sequence[str] = ()


@use_case
def add_tier(*, name: str, entitlements: Sequence[str] = (), by: Actor, now: datetime) -> Tier:
    """Add a tier, or the next version of one. Engagements keep the version they were sold on."""
    name = checked_name(name, most=60)
    ask = "Write what the tier entitles to, or leave the entitlement out."
    lines = [checked_words(line, ask, field="entitlements", most=200) for line in entitlements]
    with transaction() as session:
        last = session.scalar(select(func.max(Tier.version)).where(Tier.name == name))
        tier = Tier(
            id=ids.new("tir"),
            name=name,
            version=(last or 0) + 1,
            entitlements="\n".join(lines),
            created_at=now,
        )
        session.add(tier)
        audit.record(
            session, "tier.added", tier.id, {"name": name, "version": tier.version}, after=tier, by=by, now=now
        )
    return tier


@use_case
def draft(
    *,
    client: str,
    tier: str,
    fee: Money,
    cycle: str,
    starts_on: date,
    ends_on: date | None = None,
    renews_on: date | None = None,
    notice_days: int = 90,
    subcontracting_allowed: bool = False,
    po_number: str | None = None,
    clauses: Sequence[str] = (),
    interests: Sequence[NamedInterest] = (),
    duplicate_of: str | None = None,
    by: Actor,
    now: datetime,
) -> Engagement:
    """Draft an engagement for a client and a tier, given by id or name. Raises when either is unknown.

    Raises `SameEngagement` where the client has one of the same terms, unless that is named as `duplicate_of`.
    """
    terms = Terms(
        fee=fee,
        cycle=cycle,
        starts_on=starts_on,
        ends_on=ends_on,
        renews_on=renews_on,
        notice_days=notice_days,
        subcontracting_allowed=subcontracting_allowed,
        po_number=po_number,
        clauses=tuple(clauses),
    )
    refuse_impossible(terms)
    with transaction() as session:
        engagement = new_engagement(
            clients.find(session, client).id, queries.find_tier(session, tier).id, terms, now=now
        )
        _refuse_same(session, engagement, duplicate_of)
        session.add(engagement)
        session.flush()
        add_interests(session, engagement.id, interests)
        facts, after = facts_of(engagement), on_record(session, engagement)
        audit.record(session, "engagement.drafted", engagement.id, facts, after=after, by=by, now=now)
    return engagement


def _refuse_same(session: Session, engagement: Engagement, duplicate_of: str | None) -> None:
    columns = ("client_id", "tier_id", "fee_minor", "currency", "cycle_months", "starts_on", "ends_on")
    alike = [getattr(Engagement, name).is_not_distinct_from(getattr(engagement, name)) for name in columns]
    query = select(Engagement).where(*alike, Engagement.state != "ended").order_by(Engagement.id)
    found = list(session.scalars(query))
    if found and duplicate_of not in {one.id for one in found}:
        raise SameEngagement(
            f"There is a {found[0].state} engagement of the same client, tier, fee and start already ({found[0].id})."
            " If a second one is meant, name it as the one that this is a duplicate of."
        )


def checked_po_number(text: str) -> str:
    """The number of a purchase order. Raises `InvalidParticulars`."""
    ask = "Write the number of the client's purchase order, or leave it out."
    return checked_words(text, ask, field="po_number", most=60)


def refuse_impossible(terms: Terms) -> None:
    """Raises `InvalidEngagement` for terms that no agreement can have."""
    for name in ("starts_on", "ends_on", "renews_on"):
        day = getattr(terms, name)
        if day is not None and (sentence := outside_of_books(day)):
            raise InvalidEngagement(sentence, field=name)
    if terms.renews_on is not None and terms.renews_on <= terms.starts_on:
        raise InvalidEngagement("An engagement renews after it starts.", field="renews_on")
    if not 0 <= terms.notice_days <= MOST_NOTICE_DAYS:
        raise InvalidEngagement(f"Notice is given 0 to {MOST_NOTICE_DAYS} days ahead.", field="notice_days")
    if terms.cycle not in CYCLES:
        raise InvalidEngagement(f"{terms.cycle!r} is no billing cycle; use one of {', '.join(CYCLES)}.", field="cycle")
    if terms.po_number is not None:
        checked_po_number(terms.po_number)
    if terms.fee.minor <= 0:
        raise InvalidEngagement("A retainer's monthly fee is above zero.", field="fee")
    if terms.ends_on is not None and terms.ends_on <= terms.starts_on:
        raise InvalidEngagement(
            "An engagement ends after it starts; `ends_on` is the first day it no longer runs.", field="ends_on"
        )


def new_engagement(client_id: str, tier_id: str, terms: Terms, *, now: datetime) -> Engagement:
    """A draft that is in no session yet."""
    return Engagement(
        id=ids.new("eng"),
        client_id=client_id,
        tier_id=tier_id,
        fee_minor=terms.fee.minor,
        currency=terms.fee.currency,
        cycle_months=CYCLES[terms.cycle],
        starts_on=terms.starts_on,
        ends_on=terms.ends_on,
        renews_on=terms.renews_on,
        notice_days=terms.notice_days,
        subcontracting_allowed=terms.subcontracting_allowed,
        po_number=terms.po_number,
        clauses="\n".join(terms.clauses),
        state="draft",
        created_at=now,
    )


def facts_of(engagement: Engagement) -> dict[str, str]:
    """What the audit record of a new draft says."""
    fee = engagement.fee
    return {"client": engagement.client_id, "fee": fee.decimal, "currency": fee.currency}


@use_case
def sign(engagement_id: str, *, by: Actor, now: datetime) -> Engagement:
    """Sign a draft. Raises `NotADraft`, `EngagementWithoutInterests`, `ClauseRefused`."""
    with transaction() as session:
        engagement = queries.find(session, engagement_id)
        before = digest(on_record(session, engagement))
        drafted = update(Engagement).where(Engagement.id == engagement_id, Engagement.state == "draft")
        signed = claim(session, drafted.values(state="signed", signed_at=now))
        session.refresh(engagement)
        if not signed:
            raise NotADraft(f"The engagement is {engagement.state} already; draft another one to change terms.")
        _refuse_unsignable(session, engagement)
        accounts.open_currency(session, engagement.currency)
        after = on_record(session, engagement)
        audit.record(session, "engagement.signed", engagement.id, {}, before=before, after=after, by=by, now=now)
    return engagement


@use_case
def set_po_number(engagement_id: str, po_number: str, *, by: Actor, now: datetime) -> Engagement:
    """Enter the client's purchase order number, also after the signature; invoices issued before stay as they are."""
    number = checked_po_number(po_number)
    with transaction() as session:
        engagement = queries.find(session, engagement_id)
        before = digest(on_record(session, engagement))
        engagement.po_number = number
        session.flush()
        facts = {"po_number": number}
        after = on_record(session, engagement)
        audit.record(
            session, "engagement.po-number-set", engagement.id, facts, before=before, after=after, by=by, now=now
        )
    return engagement


@use_case
def end(engagement_id: str, *, on: date, by: Actor, now: datetime) -> Engagement:
    """End a signed engagement on the first day it no longer runs, not within a month that is recognized.

    An end that is set may come earlier, and never later: what was worked out with it would stay as it is. Raises
    `EngagementNotSigned`, `EndTooEarly`, `EndsAlready`.
    """
    with transaction() as session:
        engagement = queries.find(session, engagement_id)
        if engagement.state == "draft":
            raise EngagementNotSigned("Only a signed engagement can be ended, and this is a draft; sign it first.")
        if on <= engagement.starts_on:
            raise EndTooEarly(f"It starts on {engagement.starts_on.isoformat()}; end it on a day after that.")
        if engagement.ends_on is not None and on > engagement.ends_on:
            raise EndsAlready(
                f"It ends on {engagement.ends_on.isoformat()} already; sign another for what comes after."
            )
        _refuse_recognized(session, on)
        before = digest(on_record(session, engagement))
        engagement.ends_on = on
        engagement.state = "ended"
        facts = {"on": on.isoformat()}
        after = on_record(session, engagement)
        audit.record(session, "engagement.ended", engagement.id, facts, before=before, after=after, by=by, now=now)
    return engagement


def _refuse_recognized(session: Session, on: date) -> None:
    """Have the first open month to ourselves: nobody recognizes it while the end of what it recognizes changes."""
    first = profiles.current(session).first_month
    first_open = periods.earliest_open(session, first=first)
    if Month.of(on) >= first_open:
        periods.hold(session, first_open)
    unrecognized = periods.first_without(session, RECOGNIZED, first_open)
    if Month.of(on) < unrecognized:
        raise EndTooEarly(f"The engagement has been recognized until {unrecognized.previous.name}; end it later.")


def _refuse_unsignable(session: Session, engagement: Engagement) -> None:
    for clause in blocked(engagement.clauses.splitlines()):
        raise ClauseRefused(f"The clause {clause} is never signed; offer instead: {BLOCKING_CLAUSES[clause]}.")
    if not queries.interests_of(session, engagement.id):
        raise EngagementWithoutInterests(
            "The engagement names no interest; add at least one package that the client cares about, then sign."
        )
