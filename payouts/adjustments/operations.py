"""Making adjustments by hand: corrections, advances, fees, withholding, and reversing any of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm.actor import Actor, Role
from firm.db import transaction, use_case
from firm.errors import Invalid, Refused
from firm.ledger import accounts
from firm.ledger import queries as ledger
from firm.money import Money
from firm.month import Month
from firm.portfolio import queries as portfolio
from firm.profile import operations as profiles
from firm.profile.model import Profile
from payouts.adjustments import booking, queries, rules
from payouts.adjustments.booking import Item
from payouts.adjustments.model import Adjustment
from staffing.maintainers import queries as maintainers

MADE_BY_HAND = ("correction", "advance", "withholding", "fee")


class InvalidAdjustment(Invalid):
    """An adjustment that cannot be."""


class LeadDecides(Refused):
    """Only the lead makes this adjustment."""


class AlreadyReversed(Refused):
    """It was reversed already, or is a reversal that cannot be."""


class AdvanceRecovered(Refused):
    """More of the advance was recovered than its reversal would leave."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An adjustment to make. `amount` is what it does to the payable; package by id or name.

    `on` is the day it is booked, by default today; `adjusts` the earlier month that it mends or concerns.
    """

    maintainer: str
    kind: str
    amount: Money
    reason: str
    adjusts: Month | None = None
    package: str | None = None
    on: date | None = None


@use_case
def make(draft: Draft, *, by: Actor, now: datetime) -> Adjustment:
    """Book an adjustment in an open month.

    Raises `InvalidAdjustment`, `LeadDecides`, `MonthClosed`, `MaintainerNotFound`, `PackageNotFound`.
    """
    _refuse_impossible(draft)
    with transaction() as session:
        profile = profiles.current(session)
        item = _item(session, draft, profile, now)
        # First of all: of two adjustments at the same moment the second sees what the first has moved.
        booking.hold(session)
        number = booking.take_numbers(session, item.on, 1)[0]
        _refuse_unless_lead(session, item, profile, by)
        return booking.book(session, [_charged(session, item)], [number], by=by, now=now)[0]


@use_case
def reverse(key: str, *, reason: str, on: date | None = None, by: Actor, now: datetime) -> Adjustment:
    """Take an adjustment back by a further one that refers to it, in an open month.

    Raises `AlreadyReversed`, `AdvanceRecovered`, and as `make` does.
    """
    with transaction() as session:
        profile = profiles.current(session)
        original = queries.find(session, key)
        if original.reverses_id is not None:
            raise AlreadyReversed(f"{original.number} is a reversal itself; make the adjustment anew instead.")
        day = _day(on, profile, now)
        if Month.of(day) < original.month:
            sentence = f"{original.number} was booked in {original.month.name}; reverse it then or later."
            raise InvalidAdjustment(sentence, field="on")
        item = _negation(original, reason, day)
        booking.hold(session)
        number = booking.take_numbers(session, day, 1)[0]
        _refuse_unless_lead(session, item, profile, by)
        _refuse_recovered(session, item)
        try:
            return booking.book(session, [_charged(session, item)], [number], by=by, now=now)[0]
        except IntegrityError as error:
            raise AlreadyReversed(f"{original.number} has been reversed already.") from error


def _refuse_impossible(draft: Draft) -> None:
    if draft.kind not in MADE_BY_HAND:
        raise InvalidAdjustment(f"An adjustment made by hand is one of {', '.join(MADE_BY_HAND)}.", field="kind")
    if not draft.amount:
        raise InvalidAdjustment("An adjustment of nothing is left out.", field="amount")
    if not draft.reason.strip():
        raise InvalidAdjustment("Say why, in a sentence that the maintainer can read.", field="reason")
    if draft.kind == "advance" and draft.amount.minor < 0:
        raise InvalidAdjustment("An advance is paid: write a positive amount.", field="amount")
    if draft.kind in ("withholding", "fee") and draft.amount.minor > 0:
        raise InvalidAdjustment(f"A {draft.kind} takes from what is payable: write a negative amount.", field="amount")
    if draft.kind == "correction" and draft.adjusts is None:
        raise InvalidAdjustment("A correction names the earlier month that it mends.", field="adjusts")
    if draft.kind != "correction" and draft.package is not None:
        raise InvalidAdjustment("Only a correction is charged to a package.", field="package")


def _item(session: Session, draft: Draft, profile: Profile, now: datetime) -> Item:
    day = _day(draft.on, profile, now)
    if draft.amount.currency != profile.currency:
        raise InvalidAdjustment(f"Adjustments are in {profile.currency}, the currency of the books.", field="amount")
    if draft.adjusts is not None and not profile.first_month <= draft.adjusts < Month.of(day):
        raise InvalidAdjustment(
            f"An adjustment booked in {Month.of(day).name} concerns a month before it, from"
            f" {profile.first_month.name} on, when the books begin.",
            field="adjusts",
        )
    return Item(
        maintainer_id=maintainers.find(session, draft.maintainer).id,
        kind=draft.kind,
        amount=draft.amount,
        reason=draft.reason,
        on=day,
        adjusts=draft.adjusts,
        package_id="" if draft.package is None else portfolio.find(session, draft.package).id,
    )


def _day(on: date | None, profile: Profile, now: datetime) -> date:
    today = now.astimezone(profile.zone).date()
    if on is not None and on > today:
        raise InvalidAdjustment("An adjustment is booked today or on an earlier day of an open month.", field="on")
    return on or today


def _negation(original: Adjustment, reason: str, on: date) -> Item:
    if not reason.strip():
        raise InvalidAdjustment("Say why, in a sentence that the maintainer can read.", field="reason")
    earlier = original.month if original.month < Month.of(on) else None
    return Item(
        maintainer_id=original.maintainer_id,
        kind=original.kind,
        amount=-original.amount,
        reason=reason,
        on=on,
        adjusts=original.adjusts_month or earlier,
        package_id=original.package_id,
        funded=-original.funded_minor,
        reverses_id=original.id,
    )


def _charged(session: Session, item: Item) -> Item:
    """The item with what the package's fund bears of it."""
    if item.kind != "correction" or not item.package_id or item.adjusts is None:
        return item
    if item.reverses_id is not None and item.amount.minor < 0:
        # What the original drew goes back whole.
        return item
    fund = -ledger.balance_of(session, accounts.PACKAGE_FUNDS, item.amount.currency, package_id=item.package_id).minor
    # A reversal draws at most what the original gave back.
    wanted = item.amount.minor if item.reverses_id is None else item.funded
    drawn = queries.drawn_from_fund(session, item.package_id, item.adjusts)
    return replace(item, funded=rules.funded(wanted, fund=fund, drawn=drawn))


def _refuse_unless_lead(session: Session, item: Item, profile: Profile, by: Actor) -> None:
    """Raises `LeadDecides` for advances, and for what exceeds the firm's limit with all that this person adjusted."""
    if by.role is Role.LEAD:
        return
    if item.kind == "advance":
        raise LeadDecides("An advance is granted by the lead.")
    moved = queries.gross_by(session, by.name, item.maintainer_id, Month.of(item.on)) + abs(item.amount.minor)
    if moved > profile.adjustment_limit_minor:
        limit = Money(profile.adjustment_limit_minor, profile.currency)
        raise LeadDecides(
            f"This would bring {by.name}'s adjustments of one maintainer in {Month.of(item.on).name} to"
            f" {Money(moved, profile.currency)}; beyond {limit} the lead makes them."
        )


def _refuse_recovered(session: Session, item: Item) -> None:
    if item.kind != "advance":
        return
    outstanding = queries.outstanding(session, item.amount.currency).get(item.maintainer_id)
    if outstanding is None or outstanding < -item.amount:
        left = outstanding or Money.zero(item.amount.currency)
        raise AdvanceRecovered(
            f"Only {left} of what was advanced is outstanding; the rest was recovered. Reverse the recovery first."
        )
