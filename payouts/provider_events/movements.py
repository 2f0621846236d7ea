"""Booking the lines of the firm's balance at the provider, each once.

Transfers and their reversals are in the books already, by the payouts they pay: of those only the fee is booked here.
Fees cost; top-ups and the provider's payouts to the firm's bank go between two accounts of ours. A type that this
version does not know is kept and told to a person, and nothing is guessed.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.db import reading, transaction, use_case
from firm.ledger import accounts, journal, periods
from firm.ledger.entry import Entry, Line
from firm.money import Money
from firm.month import Month
from firm.profile import operations as profiles
from payouts.adjustments import fees
from payouts.provider_events import rows
from payouts.provider_events.model import ProviderMovement
from payouts.rails.stripe.values import BalanceTransaction, Transfer
from payouts.runs import queries as runs
from payouts.runs.model import Payout
from payouts.runs.moves import move
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


def charge_late(found: Transfer, *, provider: str, by: Actor, now: datetime) -> bool:
    """Charge the fee of a transfer whose line was noted before its payout was known to have left. May be repeated.

    Whoever heard of the payout first, its transfer is looked at again by the next sweep, and this is asked then.
    """
    with reading() as session:
        owed = _owed(session, found, provider) is not None
    return owed and _charge_late(found, provider, by=by, now=now)


@use_case
def _charge_late(found: Transfer, provider: str, *, by: Actor, now: datetime) -> bool:
    with transaction() as session:
        payout = runs.sent_as(session, found.id)
        if payout is None:
            return False
        # Claimed by a change of nothing: of two that look at the transfer at once one charges.
        move(session, payout, runs.SENT, payee_name=payout.payee_name)
        line = _owed(session, found, provider)
        if line is None:
            return False
        on, _ = _day(session, line.made_at, now)
        _charge(session, payout, Money(line.fee_minor, line.currency), on, by=by, now=now)
        return True


def _owed(session: Session, found: Transfer, provider: str) -> ProviderMovement | None:
    """The line whose fee the payee bears and was not charged, because the payout had not left when it was noted."""
    line = _line_of(session, found, provider)
    if line is None or line.type != "transfer" or line.fee_minor <= 0:
        return None
    payout = runs.sent_as(session, found.id)
    if payout is None:
        return None
    left = [one.finished_at for one in runs.attempts_of(session, payout.id) if one.state == "sent"]
    too_early = any(moment is not None and moment >= line.seen_at for moment in left)
    # By the terms of the month in which it was taken: a later change of them is no reason to charge.
    made_on = line.made_at.astimezone(profiles.current(session).zone).date()
    bears = terms.payee_bears_fees(session, payout.maintainer_id, Month.of(made_on))
    return line if too_early and bears and not fees.is_charged(session, payout.id) else None


def _line_of(session: Session, found: Transfer, provider: str) -> ProviderMovement | None:
    line = (ProviderMovement.provider == provider, ProviderMovement.reference == found.balance_transaction)
    return session.scalar(select(ProviderMovement).where(*line))


def _charge_payee(session: Session, line: BalanceTransaction, *, by: Actor, now: datetime) -> None:
    """Where the payee's terms say so, what a transfer cost is theirs."""
    if line.kind != "transfer" or line.fee.minor <= 0 or line.source is None:
        return
    payout = runs.sent_as(session, line.source)
    on, _ = _day(session, line.created_at, now)
    if payout is not None and terms.payee_bears_fees(session, payout.maintainer_id, Month.of(on)):
        _charge(session, payout, line.fee, on, by=by, now=now)


def _charge(session: Session, payout: Payout, fee: Money, on: date, *, by: Actor, now: datetime) -> None:
    fees.charge(
        session,
        payout_id=payout.id,
        maintainer_id=payout.maintainer_id,
        fee=fee,
        on=on,
        reference=payout.reference or payout.id,
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
