"""Entering and finding rates."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import transaction, use_case
from firm.errors import Invalid, NotFound, Refused
from firm.exchange.model import ExchangeRate
from firm.exchange.rules import parse_rate
from firm.ledger import periods
from firm.listing import WHOLE, Slice
from firm.money import digits
from firm.month import Month
from firm.particulars import checked_words
from firm.profile import operations as profiles


class RateMissing(Refused):
    """Revenue in another currency cannot be recognized without the month's rate."""


class RateNotNeeded(Invalid):
    """The currency is the one in which the books are kept."""


class RateNotFound(NotFound):
    """Nobody has entered this currency's rate for this month."""


class RateInUse(Refused):
    """A month that has begun to close has used its rates."""


@use_case
def set_rate(currency: str, month: Month, rate: str, *, source: str, by: Actor, now: datetime) -> ExchangeRate:
    """Enter a month's rate, or correct it before the month is closed.

    Raises `InvalidRate`, `RateNotNeeded`, `RateInUse`.
    """
    digits(currency)
    value = parse_rate(rate)
    source = checked_words(source, "Say where the rate comes from, such as the central bank.", field="source", most=200)
    with transaction() as session:
        if currency == profiles.current(session).currency:
            raise RateNotNeeded(f"The books are in {currency}; it needs no rate.", field="currency")
        if periods.steps(session, month) or periods.is_closed(session, month):
            raise RateInUse(f"{month.name} has been recognized with its rates; they cannot change any more.")
        known = session.get(ExchangeRate, (currency, month))
        before = None if known is None else digest(known)
        row = session.merge(
            ExchangeRate(currency=currency, month=month, rate=value, source=source, set_at=now, set_by=by.name)
        )
        facts = {"rate": rate, "source": source}
        session.flush()
        audit.record(session, "rate.set", f"{currency}:{month}", facts, before=before, after=row, by=by, now=now)
    return row


def find(session: Session, currency: str, month: Month) -> ExchangeRate:
    """A currency's rate for a month. Raises `RateNotFound`."""
    row = session.get(ExchangeRate, (currency, month))
    if row is None:
        raise RateNotFound(f"No {currency!r} rate was entered for {month.name}.")
    return row


def is_known(session: Session, currency: str, month: Month) -> bool:
    """Whether the rate was entered."""
    return session.get(ExchangeRate, (currency, month)) is not None


def page(session: Session, month: Month, part: Slice = WHOLE) -> list[ExchangeRate]:
    """The rates that were entered for a month, by currency."""
    mine = select(ExchangeRate).where(ExchangeRate.month == month)
    return list(session.scalars(part.of(mine, ExchangeRate.currency)))


def rates_for(session: Session, month: Month, currencies: Collection[str]) -> dict[str, int]:
    """The rates of a month for these currencies. Raises `RateMissing`, naming the first that is not there."""
    if not currencies:
        return {}
    found = session.execute(
        select(ExchangeRate.currency, ExchangeRate.rate).where(
            ExchangeRate.month == month, ExchangeRate.currency.in_(currencies)
        )
    )
    rates: dict[str, int] = dict(found.all())
    for currency in sorted(set(currencies) - set(rates)):
        raise RateMissing(
            f"There is no {currency} rate for {month.name}; enter it with"
            f" `chambers rate set {currency} {month} RATE --source …`."
        )
    return rates


def currencies_of(session: Session, month: Month) -> list[str]:
    """The currencies that a rate was entered for, in a month."""
    mine = select(ExchangeRate.currency).where(ExchangeRate.month == month)
    return list(session.scalars(mine.order_by(ExchangeRate.currency)))
