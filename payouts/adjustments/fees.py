"""What a rail takes for a payout: an expense of the firm, which the payee bears where the terms say so."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.ledger import accounts, journal
from firm.ledger.entry import Entry, credit, debit
from firm.money import Money
from payouts.adjustments import booking
from payouts.adjustments.booking import Item
from payouts.adjustments.model import Adjustment, adjustment


def book(
    session: Session,
    *,
    payout_id: str,
    maintainer_id: str,
    fee: Money,
    on: date,
    reference: str,
    borne_by_payee: bool,
    paid_from: str = accounts.BANK,
    by: Actor,
    now: datetime,
) -> Adjustment | None:
    """Book the fee of one payout, once, and the adjustment that charges it to the payee if the payee bears it.

    The payout arrived whole, so what the payee bears is set against the next one. Raises `AlreadyPosted`.
    """
    expense = (debit(accounts.PAYMENT_FEES, fee, maintainer_id=maintainer_id), credit(paid_from, fee))
    journal.post(
        session, Entry(f"payout-fee:{payout_id}", on, f"Fee of a payout in {reference}", expense), by=by, now=now
    )
    if not borne_by_payee:
        return None
    return charge(
        session, payout_id=payout_id, maintainer_id=maintainer_id, fee=fee, on=on, reference=reference, by=by, now=now
    )


def is_charged(session: Session, payout_id: str) -> bool:
    """Whether a payout's fee was set against the payee already, also if that was taken back since."""
    return session.scalar(select(adjustment.c.id).where(adjustment.c.payout_id == payout_id).limit(1)) is not None


def charge(
    session: Session,
    *,
    payout_id: str,
    maintainer_id: str,
    fee: Money,
    on: date,
    reference: str,
    by: Actor,
    now: datetime,
) -> Adjustment:
    """Set a fee that is in the books already against the next payout; the one it was taken for arrived whole."""
    reason = f"What the transfer in {reference} cost"
    item = Item(maintainer_id, "fee", -fee, reason, on, payout_id=payout_id)
    return booking.book(session, [item], booking.take_numbers(session, on, 1), by=by, now=now)[0]
