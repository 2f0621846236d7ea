"""Booking the lines of the firm's balance at the provider, each once.

Transfers and their reversals are in the books already, by the payouts they pay: of those only the fee is booked here.
Fees cost; top-ups and the provider's payouts to the firm's bank go between two accounts of ours. A type that this
version does not know is kept and told to a person, and nothing is guessed.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.db import transaction, use_case
from firm.ledger import accounts, journal, periods
from firm.ledger.entry import Entry, Line
from firm.month import Month
from firm.profile import operations as profiles
from payouts.adjustments import fees
from payouts.provider_events import rows
from payouts.provider_events.model import ProviderMovement
from payouts.rails.stripe.values import BalanceTransaction
from payouts.runs import queries as runs
from payouts.terms import queries as terms

OF_PAYOUTS = frozenset({"transfer", "transfer_refund", "transfer_cancel", "transfer_failure"})
COSTS = frozenset({"stripe_fee", "stripe_fx_fee", "tax_fee", "application_fee_refund"})
BETWEEN_OUR_ACCOUNTS = frozenset({"topup", "topup_reversal", "payout", "payout_cancel", "payout_failure"})


@use_case
def note(line: BalanceTransaction, *, provider: str, pays_from: str, by: Actor, now: datetime) -> bool:
    """Keep a line of the balance and book what follows from it. False if it was here already."""
    with transaction() as session:
        row = _row(line, provider, now)
        if not rows.insert_new(session, ProviderMovement, row, ("provider", "reference")):
            return False
        movement = session.get_one(ProviderMovement, row["id"])
        facts = {"reference": line.id, "type": line.kind, "net": str(line.net)}
        verb = f"provider-movement.{movement.treatment}"
        audit.record(session, verb, movement.id, facts, after=movement, by=by, now=now)
        _book(session, line, lines(line, pays_from), provider, by=by, now=now)
        _charge_payee(session, line, by=by, now=now)
        return True


def lines(line: BalanceTransaction, pays_from: str) -> tuple[Line, ...]:
    """The postings that a line of the balance makes; none where the books know of it or nobody knows what it is."""
    if line.kind in OF_PAYOUTS:
        found = [Line(accounts.PAYMENT_FEES, line.fee), Line(pays_from, -line.fee)]
    elif line.kind in COSTS:
        found = [Line(accounts.PAYMENT_FEES, -line.net), Line(pays_from, line.net)]
    elif line.kind in BETWEEN_OUR_ACCOUNTS:
        found = [
            Line(pays_from, line.net),
            Line(accounts.PAYMENT_FEES, line.fee),
            Line(accounts.BANK, -line.amount),
        ]
    else:
        found = []
    return tuple(one for one in found if one.amount.minor)


def treatment(kind: str) -> str:
    """What is made of a type of line."""
    if kind in OF_PAYOUTS:
        return "paid-out"
    return "booked" if kind in COSTS | BETWEEN_OUR_ACCOUNTS else "unknown"


def _book(
    session: Session, line: BalanceTransaction, postings: tuple[Line, ...], provider: str, *, by: Actor, now: datetime
) -> None:
    if not postings:
        return
    on, adjusts = _day(session, line.created_at, now)
    accounts.open_currency(session, line.net.currency)
    entry = Entry(f"provider-movement:{provider}:{line.id}", on, f"{line.kind}, {line.id}", postings, adjusts=adjusts)
    journal.post(session, entry, by=by, now=now)


def _charge_payee(session: Session, line: BalanceTransaction, *, by: Actor, now: datetime) -> None:
    """Where the payee's terms say so, what a transfer cost is theirs."""
    if line.kind != "transfer" or line.fee.minor <= 0 or line.source is None:
        return
    payout = runs.sent_as(session, line.source)
    on, _ = _day(session, line.created_at, now)
    if payout is None or not terms.payee_bears_fees(session, payout.maintainer_id, Month.of(on)):
        return
    fees.charge(
        session,
        payout_id=payout.id,
        maintainer_id=payout.maintainer_id,
        fee=line.fee,
        on=on,
        reference=line.source,
        by=by,
        now=now,
    )


def _day(session: Session, made_at: datetime, now: datetime) -> tuple[date, Month | None]:
    """The day of the books. What comes late is booked today, and says which month of the books it adjusts."""
    profile = profiles.current(session)
    made_on, today = (moment.astimezone(profile.zone).date() for moment in (made_at, now))
    month = Month(made_on.year, made_on.month)
    if month < profile.first_month:
        return today, None
    return (today, month) if periods.is_closed(session, month) else (made_on, None)


def _row(line: BalanceTransaction, provider: str, now: datetime) -> dict[str, object]:
    return {
        "id": ids.new("mov"),
        "provider": provider,
        "reference": line.id,
        "type": line.kind[:120],
        "amount_minor": line.amount.minor,
        "fee_minor": line.fee.minor,
        "net_minor": line.net.minor,
        "currency": line.net.currency,
        "source": line.source,
        "made_at": line.created_at,
        "seen_at": now,
        "treatment": treatment(line.kind),
    }
