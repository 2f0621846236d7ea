"""What a client signs: never without an interest, never with a clause that the firm does not accept."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask

from firm.clients import operations as clients
from firm.clients.queries import ClientNotFound
from firm.db import reading
from firm.engagements import operations as engagements
from firm.engagements import queries
from firm.engagements.interests import InterestTwice, NamedInterest, name_interests
from firm.engagements.operations import (
    ClauseRefused,
    EndsAlready,
    EndTooEarly,
    EngagementNotSigned,
    EngagementWithoutInterests,
    InvalidEngagement,
    NotADraft,
)
from firm.engagements.queries import EngagementNotFound, TierNotFound
from firm.money import InvalidMoney, Money
from firm.portfolio import operations as portfolio
from firm.portfolio.queries import PackageNotFound
from tests import lovelace
from tests.examples.refusals import refused
from tests.lovelace import BEFORE, LEAD, START, usd

SSH = NamedInterest("ssh", False, 24)


@pytest.fixture
def firm(app: Flask) -> Flask:
    """Lovelace with the package ssh, the client Acme, and a tier."""
    lovelace.establish()
    portfolio.adopt(name="ssh", ecosystem="Go", by=LEAD, now=BEFORE)
    clients.register(name="Acme", country="US", by=LEAD, now=BEFORE)
    engagements.add_tier(name="gold", entitlements=["Two meetings a year"], by=LEAD, now=BEFORE)
    return app


def draft(**changes: Any) -> str:
    values: dict[str, Any] = {
        "client": "Acme",
        "tier": "gold",
        "fee": usd("1000.00"),
        "cycle": "monthly",
        "starts_on": START,
        "interests": [SSH],
    }
    return engagements.draft(by=LEAD, now=BEFORE, **values | changes).id


def sign(engagement: str) -> object:
    return engagements.sign(engagement, by=LEAD, now=BEFORE)


def test_an_engagement_without_interests_is_not_signed_until_it_names_one(firm: Flask) -> None:
    engagement = draft(interests=[])
    with refused(EngagementWithoutInterests, "add at least one package that the client cares about, then sign"):
        sign(engagement)
    name_interests(engagement, [SSH], by=LEAD, now=BEFORE)
    sign(engagement)
    lovelace.assert_books_hold()


@pytest.mark.parametrize(
    ("clause", "instead"),
    [
        ("total-ip-assignment", "a license to what is delivered"),
        ("exclusivity", "a notice when we take on a direct competitor"),
        ("early-vulnerability-notice", "a response within hours of public disclosure"),
    ],
)
def test_a_blocked_clause_is_never_signed_and_something_is_offered_instead(
    firm: Flask, clause: str, instead: str
) -> None:
    engagement = draft(clauses=["liability-cap", clause])
    with refused(ClauseRefused, f"The clause {clause} is never signed; offer instead: {instead}"):
        sign(engagement)


def test_other_clauses_are_signed(firm: Flask) -> None:
    sign(draft(clauses=["liability-cap", "net-60"]))


def test_a_signature_is_given_once(firm: Flask) -> None:
    engagement = draft()
    sign(engagement)
    with refused(NotADraft, "The engagement is signed already; draft another one to change terms"):
        sign(engagement)
    with refused(EngagementNotFound, "There is no engagement 'eng_1'"):
        sign("eng_1")


def test_an_engagement_names_each_package_once(firm: Flask) -> None:
    with refused(InterestTwice, "The engagement names ssh already"):
        draft(interests=[SSH, SSH])
    engagement = draft()
    with refused(InterestTwice, "The engagement names ssh already"):
        name_interests(engagement, [SSH], by=LEAD, now=BEFORE)


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"cycle": "weekly"}, InvalidEngagement, "'weekly' is no billing cycle; use one of monthly, quarterly, yearly"),
        ({"fee": usd("0.00")}, InvalidEngagement, "A retainer's monthly fee is above zero"),
        ({"fee": usd("-1.00")}, InvalidEngagement, "A retainer's monthly fee is above zero"),
        ({"ends_on": START}, InvalidEngagement, "An engagement ends after it starts"),
        ({"client": "Globex"}, ClientNotFound, "There is no client 'Globex'"),
        ({"tier": "tin"}, TierNotFound, "There is no tier 'tin'; add it with `chambers tier add`"),
        ({"interests": [NamedInterest("left-pad", True, 0)]}, PackageNotFound, "There is no package 'left-pad'"),
    ],
    ids=["cycle", "free", "negative", "end", "client", "tier", "package"],
)
def test_a_draft_that_cannot_be_leaves_nothing_behind(
    firm: Flask, changes: dict[str, Any], kind: type, words: str
) -> None:
    with refused(kind, words):
        draft(**changes)


def test_a_fee_is_in_a_currency_that_exists(firm: Flask) -> None:
    with pytest.raises(InvalidMoney):
        draft(fee=Money.parse("10.00", "ABC"))


def test_an_engagement_keeps_the_version_of_the_tier_it_was_sold_on(firm: Flask) -> None:
    before = draft()
    engagements.add_tier(name="gold", entitlements=["Four meetings a year"], by=LEAD, now=BEFORE)
    after = draft()
    with reading() as session:
        old, new = (queries.find(session, key).tier_id for key in (before, after))
        assert [queries.find_tier(session, tier).version for tier in (old, new)] == [1, 2]
        assert queries.find_tier(session, "gold", version=1).id == old
        with pytest.raises(TierNotFound):
            queries.find_tier(session, "gold", version=3)


def test_only_a_signed_engagement_is_ended_and_after_its_start(firm: Flask) -> None:
    engagement = draft()
    with refused(EngagementNotSigned, "Only a signed engagement can be ended"):
        engagements.end(engagement, on=date(2026, 12, 1), by=LEAD, now=BEFORE)
    sign(engagement)
    with refused(EndTooEarly, "end it on a day after that"):
        engagements.end(engagement, on=START, by=LEAD, now=BEFORE)
    assert engagements.end(engagement, on=date(2026, 12, 1), by=LEAD, now=BEFORE).state == "ended"


def test_an_end_is_moved_earlier_and_never_later(firm: Flask) -> None:
    engagement = draft()
    sign(engagement)
    for on in (date(2026, 12, 11), date(2026, 12, 1)):
        assert engagements.end(engagement, on=on, by=LEAD, now=BEFORE).ends_on == on
    with refused(EndsAlready, "It ends on 2026-12-01 already; sign another for what comes after"):
        engagements.end(engagement, on=date(2026, 12, 2), by=LEAD, now=BEFORE)
