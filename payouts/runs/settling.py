"""What becomes of a payout after it was sent: settled by a proof, returned, reversed in parts; or withdrawn before."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.db import transaction, use_case
from firm.errors import InvariantBroken, Refused
from firm.ledger import accounts, journal
from firm.money import Money
from firm.particulars import checked_words
from firm.profile import operations as profiles
from payouts.rails.rail import Description, Sent
from payouts.runs import attempts, entries, queries, voiding
from payouts.runs.model import Payout, PayoutReversal
from payouts.runs.moves import PayoutNotInState, finish_run, move, record_move, today


class ReversedInPart(Refused):
    """A payout of which a part came back already does not come back as a whole."""


class LeftTooEarly(Refused):
    """Nothing leaves the bank for a run before somebody has approved it."""


class BackTooEarly(Refused):
    """Nothing comes back before it has left."""


class ProviderGivesBack(Refused):
    """What was paid from a balance at a provider comes back into it only by a reversal, which the provider tells."""


class SentAfterAll(InvariantBroken):
    """The provider has a payment that our books hold for never made: somebody has to look before anything is paid."""


@use_case
def settle(
    payout_id: str, *, reference: str, on: date, posted_on: date | None = None, by: Actor, now: datetime
) -> Payout:
    """Enter the proof that a sent payout left the bank, `on` the bank's day. Raises `PayoutNotInState`, `MonthClosed`,
    `LeftTooEarly`, and `InvalidParticulars` without a reference.

    `posted_on` is the day in the books where it is another one, because the bank's lies in a month that is closed.
    """
    ask = "Write the bank's reference: it is the proof that the money left."
    reference = checked_words(reference, ask, field="reference", most=100)
    with transaction() as session:
        profiles.refuse_far_ahead(session, on, now)
        payout = queries.find_payout(session, payout_id)
        _refuse_too_early(session, payout, on)
        changes = {"reference": reference, "settled_on": on, "paid_from": accounts.BANK}
        move(session, payout, ("sent",), state="settled", **changes)
        entry = entries.paid(payout, accounts.BANK, reference, posted_on or on)
        journal.post(session, entry, by=by, now=now)
        finish_run(session, payout.run_id)
        return record_move(session, "payout.settled", payout, {"reference": reference}, by=by, now=now)


def _refuse_too_early(session: Session, payout: Payout, on: date) -> None:
    """A day is left for a bank whose clocks are behind the firm's."""
    run = queries.find(session, payout.run_id)
    approved = run.approved_at and run.approved_at.astimezone(profiles.current(session).zone).date()
    if approved is not None and on < approved - timedelta(days=1):
        raise LeftTooEarly(
            f"{run.number} was approved on {approved.isoformat()}; its payout to {payout.payee_name} cannot have left"
            f" the bank on {on.isoformat()}. Look the day up in the bank's statement."
        )


def _refuse_back_too_early(session: Session, payout: Payout, on: date) -> None:
    _refuse_too_early(session, payout, on)
    if payout.settled_on is not None and on < payout.settled_on:
        raise BackTooEarly(
            f"The payout to {payout.payee_name} left the bank on {payout.settled_on.isoformat()}; it cannot have come"
            f" back on {on.isoformat()}. Look the day up in the bank's statement."
        )


@use_case
def give_back(payout_id: str, *, reason: str, on: date, by: Actor, now: datetime) -> Payout:
    """Enter that a payment came back, before or after it settled: the money is payable again.

    Raises `PayoutNotInState`, `ReversedInPart`, `ProviderGivesBack`, `MonthClosed`, `LeftTooEarly`, `BackTooEarly`, and
    `InvalidParticulars` without a reason.
    """
    reason = checked_words(reason, "Say why it came back: the payee may read it.", field="reason", most=500)
    with transaction() as session:
        profiles.refuse_far_ahead(session, on, now)
        payout = queries.find_payout(session, payout_id)
        _refuse_back_too_early(session, payout, on)
        return give_back_in(session, payout, reason=reason, on=on, by=by, now=now)


@use_case
def reject(payout_id: str, *, reason: str, on: date, by: Actor, now: datetime) -> Payout:
    """Enter that a bank did not carry a payout out: the money is payable again.

    Raises `PayoutNotInState` once it has settled, as one of the two is then not true.
    """
    with transaction() as session:
        payout = queries.find_payout(session, payout_id)
        if payout.state == "settled":
            raise PayoutNotInState(f"The payout to {payout.payee_name} has settled; its bank rejects it all the same.")
        return give_back_in(session, payout, reason=reason, on=on, by=by, now=now)


def give_back_in(
    session: Session, payout: Payout, *, reason: str, fee: Money | None = None, on: date, by: Actor, now: datetime
) -> Payout:
    """The same in the caller's transaction; `fee` is what a bank kept of a settled one, which the firm bears."""
    _refuse_word_for_provider(payout)
    if _reversed(session, payout.id):
        raise ReversedInPart(f"A part of the payout to {payout.payee_name} was reversed; enter the rest as reversed.")
    # Only from the state just read: where the money comes back from depends on it.
    expected = payout.state if payout.state == "settled" else "sent"
    move(session, payout, (expected,), state="returned", reason=reason)
    entry = entries.payable_again(payout, "returned", reason, on, fee=fee)
    journal.post(session, entry, by=by, now=now)
    finish_run(session, payout.run_id)
    facts = {"reason": reason} | ({} if fee is None else {"fee": str(fee)})
    return record_move(session, "payout.returned", payout, facts, by=by, now=now)


@use_case
def note_sent(
    payout_id: str, *, reference: str, at: datetime | None = None, rail: Description, by: Actor, now: datetime
) -> Payout:
    """Take the provider's word that a payout was carried out, whoever of us heard it first, and when. May be repeated.

    Raises `SentAfterAll` when the books say that it was not, or was carried out as another payment.
    """
    with transaction() as session:
        payout = queries.find_payout(session, payout_id)
        if payout.state in queries.SENT and payout.reference == reference:
            return payout
        attempt = attempts.live(session, payout.id)
        if attempt is None:
            raise SentAfterAll(
                f"The provider shows {reference} for the payout {payout.id}, which is {payout.state} in our books."
            )
        attempts.store_in(session, payout.id, attempt.id, Sent(reference, at), rail=rail, by=by, now=now)
        return queries.find_payout(session, payout.id)


@use_case
def reverse(payout_id: str, *, reference: str, amount: Money, by: Actor, now: datetime) -> Payout:
    """Book that the provider took back a part of a settled payout, or all of it: that part is payable again.

    `reference` is the provider's name for the reversal; each is booked once, however often it is told. Raises
    `PayoutNotInState`, and `InvariantBroken` when more would come back than was paid.
    """
    with transaction() as session:
        payout = queries.find_payout(session, payout_id)
        # Claimed by a change of nothing: reversals of one payout are booked one after another.
        move(session, payout, ("settled", "returned"), payee_name=payout.payee_name)
        if session.scalar(select(PayoutReversal.id).where(PayoutReversal.reference == reference)):
            return queries.find_payout(session, payout_id)
        before = _reversed(session, payout.id)
        if payout.state == "returned" or before + amount.minor > payout.amount_minor or payout.paid_from is None:
            raise InvariantBroken(f"More of the payout {payout.id} would come back than was paid.")
        on = today(session, now)
        reversal = PayoutReversal(
            id=ids.new("rev"),
            payout_id=payout.id,
            reference=reference,
            amount_minor=amount.minor,
            currency=amount.currency,
            reversed_on=on,
            created_at=now,
        )
        session.add(reversal)
        session.flush()
        journal.post(session, entries.taken_back(payout, payout.paid_from, reference, amount, on), by=by, now=now)
        if before + amount.minor == payout.amount_minor:
            move(session, payout, ("settled",), state="returned", reason=f"reversed by the provider, {reference}"[:500])
            finish_run(session, payout.run_id)
        facts = {"reference": reference, "amount": str(amount)}
        return record_move(session, "payout.reversed", payout, facts, by=by, now=now)


@use_case
def withdraw(payout_id: str, *, reason: str, by: Actor, now: datetime) -> Payout:
    """Take an approved payout back before it is sent, or while it waits for funds. Raises `PayoutNotInState`,
    and `InvalidParticulars` without a reason."""
    reason = checked_words(reason, "Say why it is taken back: the payee may read it.", field="reason", most=400)
    with transaction() as session:
        return voiding.void(session, queries.find_payout(session, payout_id), reason, by=by, now=now)


def _refuse_word_for_provider(payout: Payout) -> None:
    # One person's word would make payable what the payee still has, and the next run would pay it a second time.
    if payout.paid_from not in (None, accounts.BANK):
        raise ProviderGivesBack(
            f"The payout to {payout.payee_name} is in the payee's account at the provider, whatever their bank did with"
            f" it. To take it back, reverse the transfer {payout.reference} there ({payout.rail}): the money is payable"
            " again when the provider has told of the reversal."
        )


def _reversed(session: Session, payout_id: str) -> int:
    query = select(func.sum(PayoutReversal.amount_minor)).where(PayoutReversal.payout_id == payout_id)
    return int(session.scalar(query) or 0)
