"""What a provider says became of a payout after it was sent: carried out, and taken back in parts."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.db import claim, transaction, use_case
from firm.errors import InvariantBroken
from firm.ledger import accounts, journal
from firm.ledger import queries as ledger
from firm.ledger.entry import Entry, credit, debit
from firm.ledger.journal import EntryNotFound
from firm.money import Money
from firm.profile import operations as profiles
from payouts.rails.rail import Description
from payouts.runs import queries
from payouts.runs.model import Payout, PayoutAttempt
from payouts.runs.sending import _finish_run, _move, _record_move

KNOWN_SENT = ("sent", "settled", "returned")
# The payout's id is the end of the source of each of its reversals.
_PARTS = text(
    "SELECT substr(e.source, length(e.source) - 29) AS payout_id, SUM(-p.amount_minor) AS minor FROM posting p"
    " JOIN journal_entry e ON e.id = p.entry_id"
    " WHERE p.account = 'liabilities:payables' AND e.source LIKE 'payout-reversed:%' GROUP BY substr(e.source, length(e.source) - 29)"
)


class SentAfterAll(InvariantBroken):
    """The provider has a payment that our books hold for never made: somebody has to look before anything is paid."""


@use_case
def note_sent(payout_id: str, *, reference: str, rail: Description, by: Actor, now: datetime) -> Payout:
    """Take the provider's word that a payout was carried out, whoever of us heard it first. May be repeated.

    Raises `SentAfterAll` when the books say that it was not, or was carried out as another payment.
    """
    with transaction() as session:
        payout = queries.find_payout(session, payout_id)
        if payout.state == "sent" and payout.reference == reference and rail.settles_when_sent:
            return _settle(session, payout, rail, by=by, now=now)
        if payout.state in KNOWN_SENT and payout.reference == reference:
            return payout
        live = update(PayoutAttempt).where(
            PayoutAttempt.payout_id == payout.id, PayoutAttempt.state.in_(["sending", "unknown"])
        )
        ended = {"state": "sent", "leased_until": now, "finished_at": now, "detail": reference}
        if payout.state not in ("sending", "unknown") or not claim(session, live.values(**ended)):
            raise SentAfterAll(
                f"The provider shows {reference} for the payout {payout.id}, which is {payout.state} in our books."
            )
        _move(session, payout, ("sending", "unknown"), state="sent", reference=reference)
        sent = _record_move(session, "payout.sent", payout, {"detail": reference}, by=by, now=now)
        return _settle(session, sent, rail, by=by, now=now) if rail.settles_when_sent else sent


@use_case
def reverse(payout_id: str, *, reference: str, amount: Money, by: Actor, now: datetime) -> Payout:
    """Book that the provider took back a part of a settled payout, or all of it: that part is payable again.

    `reference` is the provider's name for the reversal; each is booked once, however often it is told. Raises
    `PayoutNotInState`, and `InvariantBroken` when more would come back than was paid.
    """
    with transaction() as session:
        payout = queries.find_payout(session, payout_id)
        # Claimed by a change of nothing: reversals of one payout are booked one after another.
        _move(session, payout, ("settled", "returned"), reference=payout.reference)
        source = f"payout-reversed:{reference}:{payout.id}"
        if _is_booked(session, source):
            return payout
        before = reversed_parts(session).get(payout.id, 0)
        if before + amount.minor > payout.amount_minor:
            raise InvariantBroken(f"More of the payout {payout.id} would come back than was paid.")
        entry = Entry(
            source,
            _today(session, now),
            f"Payout reversed, {reference}",
            (debit(accounts.STRIPE, amount), credit(accounts.PAYABLES, amount, maintainer_id=payout.maintainer_id)),
        )
        accounts.open_currency(session, amount.currency)
        journal.post(session, entry, by=by, now=now)
        if before + amount.minor == payout.amount_minor:
            reason = f"reversed by the provider, {reference}"
            _move(session, payout, ("settled",), state="returned", reason=reason[:500])
            _finish_run(session, payout.run_id)
        facts = {"reference": reference, "amount": str(amount)}
        return _record_move(session, "payout.reversed", payout, facts, by=by, now=now)


def reversed_parts(session: Session) -> dict[str, int]:
    """How much of each payout was taken back, in minor units, by payout; those of which nothing was are left out."""
    return {payout_id: int(minor) for payout_id, minor in session.execute(_PARTS)}


def _settle(session: Session, payout: Payout, rail: Description, *, by: Actor, now: datetime) -> Payout:
    on = _today(session, now)
    _move(session, payout, ("sent",), state="settled", settled_on=on)
    accounts.open_currency(session, payout.currency)
    entry = Entry(
        f"payout-settled:{payout.id}",
        on,
        f"Payout settled, {payout.reference}",
        (
            debit(accounts.IN_TRANSIT, payout.amount, maintainer_id=payout.maintainer_id),
            credit(rail.pays_from, payout.amount),
        ),
    )
    journal.post(session, entry, by=by, now=now)
    _finish_run(session, payout.run_id)
    return _record_move(session, "payout.settled", payout, {"reference": str(payout.reference)}, by=by, now=now)


def _is_booked(session: Session, source: str) -> bool:
    try:
        ledger.entry_of(session, source)
    except EntryNotFound:
        return False
    return True


def _today(session: Session, now: datetime) -> date:
    return now.astimezone(profiles.current(session).zone).date()
