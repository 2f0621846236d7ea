"""Recording money that arrived."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import case, update
from sqlalchemy.exc import IntegrityError

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.billing import queries
from firm.billing.model import Invoice, Receipt
from firm.db import claim, transaction, use_case
from firm.errors import Invalid, Refused
from firm.ledger import accounts, journal
from firm.ledger.entry import Entry, credit, debit
from firm.money import CurrencyMismatch, Money
from firm.particulars import checked_words
from firm.profile import operations as profiles


class InvalidReceipt(Invalid):
    """A receipt of nothing."""


class MoreThanOpen(Refused):
    """A receipt may not exceed what is open on its invoice."""


class ReceiptKnown(Refused):
    """One payment of the bank is recorded once."""


@use_case
def record(invoice: str, *, amount: Money, received_on: date, reference: str, by: Actor, now: datetime) -> Receipt:
    """Record money received for an invoice, given by id or number.

    `reference` is the bank's and makes the receipt unique. Raises `MoreThanOpen`, `ReceiptKnown`, `MonthClosed`,
    `DayAhead`.
    """
    if amount.minor <= 0:
        raise InvalidReceipt("A receipt is of an amount above zero.", field="amount")
    ask = "Write the bank's reference: it makes the receipt unique."
    reference = checked_words(reference, ask, field="reference", most=100)
    with transaction() as session:
        profiles.refuse_far_ahead(session, received_on, now, field="received_on")
        target = queries.find_invoice(session, invoice)
        if amount.currency != target.currency:
            raise CurrencyMismatch(f"Invoice {target.number} is in {target.currency}.", field="amount")
        # Claim before deciding: the row changes only while enough of it is open.
        received = Invoice.received_minor + amount.minor
        state = case((received == Invoice.total_minor, "paid"), else_="open")
        enough_open = update(Invoice).where(Invoice.id == target.id, received <= Invoice.total_minor)
        if not claim(session, enough_open.values(received_minor=received, state=state)):
            session.refresh(target)
            raise MoreThanOpen(
                f"{amount} is more than the {target.open_amount} open on {target.number}; record what belongs to it."
            )
        receipt = Receipt(
            id=ids.new("rec"),
            invoice_id=target.id,
            reference=reference,
            received_on=received_on,
            amount_minor=amount.minor,
            currency=amount.currency,
            created_at=now,
        )
        session.add(receipt)
        try:
            session.flush()
        except IntegrityError as error:
            raise ReceiptKnown(f"A receipt with the reference {reference!r} is recorded already.") from error
        party = {"client_id": target.client_id, "engagement_id": target.engagement_id}
        entry = Entry(
            f"receipt:{receipt.id}",
            received_on,
            f"Received for {target.number}",
            (debit(accounts.BANK, amount), credit(accounts.RECEIVABLES, amount, **party)),
        )
        journal.post(session, entry, by=by, now=now)
        audit.record(session, "receipt.recorded", receipt.id, {"invoice": target.number}, after=receipt, by=by, now=now)
    return receipt
