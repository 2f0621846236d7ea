"""Reading events, payee payouts and movements."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.errors import NotFound
from firm.money import Money
from payouts.provider_events.model import PayeePayout, ProviderEvent, ProviderMovement


class EventNotFound(NotFound):
    """No event has this id."""


def find_event(session: Session, event_id: str) -> ProviderEvent:
    """An event by our id. Raises `EventNotFound`."""
    found = session.get(ProviderEvent, event_id)
    if found is None:
        raise EventNotFound(f"There is no event {event_id!r}.")
    return found


def alarming(session: Session, *, since: datetime) -> list[ProviderEvent]:
    """Events that wait for something, and those of late that should not have come here."""
    waits = (ProviderEvent.state == "parked") | (ProviderEvent.received_at >= since)
    query = select(ProviderEvent).where(ProviderEvent.alarm.is_(True), waits)
    return list(session.scalars(query.order_by(ProviderEvent.id)))


def parked(session: Session, provider: str) -> list[str]:
    """The ids of events that wait for something."""
    query = select(ProviderEvent.id).where(ProviderEvent.provider == provider, ProviderEvent.state == "parked")
    return list(session.scalars(query.order_by(ProviderEvent.id)))


def not_paid_to_bank(session: Session) -> list[PayeePayout]:
    """The newest payout of each payee's account and currency, where a bank did not take it."""
    newest = (
        select(func.max(PayeePayout.made_at).label("made_at"), PayeePayout.account, PayeePayout.currency)
        .group_by(PayeePayout.account, PayeePayout.currency)
        .subquery()
    )
    query = (
        select(PayeePayout)
        .join(
            newest,
            (PayeePayout.made_at == newest.c.made_at)
            & (PayeePayout.account == newest.c.account)
            & (PayeePayout.currency == newest.c.currency),
        )
        .where(PayeePayout.state == "failed")
        .order_by(PayeePayout.id)
    )
    return list(session.scalars(query))


def payee_payouts_of(session: Session, maintainer_id: str) -> list[PayeePayout]:
    """What a payee's account sent on to the bank, newest first."""
    query = select(PayeePayout).where(PayeePayout.maintainer_id == maintainer_id)
    return list(session.scalars(query.order_by(PayeePayout.made_at.desc(), PayeePayout.id.desc())))


def unknown_movements(session: Session, provider: str) -> list[ProviderMovement]:
    """Lines of the balance that nothing here knows how to book."""
    query = select(ProviderMovement).where(
        ProviderMovement.provider == provider, ProviderMovement.treatment == "unknown"
    )
    return list(session.scalars(query.order_by(ProviderMovement.id)))


def moved(session: Session, provider: str) -> dict[str, Money]:
    """What all lines of the balance that were seen come to, by currency."""
    query = (
        select(ProviderMovement.currency, func.sum(ProviderMovement.net_minor))
        .where(ProviderMovement.provider == provider)
        .group_by(ProviderMovement.currency)
    )
    return {currency: Money(int(minor), currency) for currency, minor in session.execute(query)}
