"""What payouts do in the books: reserved, paid, and payable again."""

from __future__ import annotations

from datetime import date

from firm.ledger import accounts
from firm.ledger.entry import Entry, credit, debit
from firm.money import Money
from payouts.runs.model import Payout

PAYOUT = "payout"
"""How the sources of all entries of payouts begin, alone or with a dash and what happened."""
RETURNED = f"{PAYOUT}-returned:"


def reserved(payout: Payout, run: str, on: date) -> Entry:
    """The run is approved: what was payable is in transit."""
    whose = payout.maintainer_id
    return Entry(
        f"payout:{payout.id}",
        on,
        f"Payout in {run}",
        (
            debit(accounts.PAYABLES, payout.amount, maintainer_id=whose),
            credit(accounts.IN_TRANSIT, payout.amount, maintainer_id=whose),
        ),
    )


def paid(payout: Payout, paid_from: str, reference: str, on: date) -> Entry:
    """The money left: what was in transit is paid from an account of ours."""
    return Entry(
        f"payout-settled:{payout.id}",
        on,
        f"Payout settled, {reference}",
        (
            debit(accounts.IN_TRANSIT, payout.amount, maintainer_id=payout.maintainer_id),
            credit(paid_from, payout.amount),
        ),
    )


def payable_again(payout: Payout, cause: str, reason: str, on: date, *, fee: Money | None = None) -> Entry:
    """What is in transit, or left already, is owed again in full: it was refused, returned or voided.

    Of what left already a bank may have kept a fee, which is the firm's expense.
    """
    whose = payout.maintainer_id
    back = [debit(accounts.IN_TRANSIT, payout.amount, maintainer_id=whose)]
    if payout.paid_from:
        kept = [] if fee is None else [debit(accounts.PAYMENT_FEES, fee)]
        back = [debit(payout.paid_from, payout.amount if fee is None else payout.amount - fee), *kept]
    return Entry(
        f"payout-{cause}:{payout.id}",
        on,
        f"Payable again: {reason}"[:500],
        (*back, credit(accounts.PAYABLES, payout.amount, maintainer_id=whose)),
    )


def taken_back(payout: Payout, paid_from: str, reference: str, amount: Money, on: date) -> Entry:
    """The provider gave a part of what had left back to us: that part is owed again."""
    return Entry(
        f"payout-reversed:{reference}:{payout.id}",
        on,
        f"Payout reversed, {reference}",
        (debit(paid_from, amount), credit(accounts.PAYABLES, amount, maintainer_id=payout.maintainer_id)),
    )


def payout_of(source: str) -> str:
    """The payout whose entry it is ("payout:pay_…", "payout-reversed:trr_…:pay_…"), or nothing for other entries."""
    kind, _, behind = source.partition(":")
    return behind.rpartition(":")[2] if kind == PAYOUT or kind.startswith(f"{PAYOUT}-") else ""
