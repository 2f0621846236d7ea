"""The rail: what it takes, and the file it writes."""

from __future__ import annotations

import re

from firm.errors import Misconfigured
from firm.money import Money
from payouts.rails.rail import Absent, Batch, Description, Found, Order, Outcome, Payer, Refused, Sent
from payouts.rails.sepa import references, writing
from payouts.rails.sepa.latin import is_writable

_MEMBERS = (
    "AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS SE "
    "SI SK SM VA"
)
MEMBERS = frozenset(_MEMBERS.split())
"""The countries whose IBANs the scheme reaches."""

LARGEST = Money(99_999_999_999, "EUR")
"""The scheme's most for one payment: 999,999,999.99."""

_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?", re.ASCII)


class SepaRail:
    """Sending adds the order to the run's file; nothing leaves the house before a person takes it to the bank."""

    def describe(self) -> Description:
        return Description(
            "sepa",
            "SEPA credit transfer",
            needs_iban=True,
            currencies=frozenset({"EUR"}),
            countries=MEMBERS,
            writes_files=True,
        )

    def send(self, order: Order) -> Outcome:
        objection = _objection(order)
        return Refused(objection) if objection else Sent(reference=references.end_to_end_id(order.payout_id))

    def find(self, order: Order) -> Found:
        return Absent()

    def file(self, batch: Batch, payer: Payer | None) -> str | None:
        if payer is None:
            raise Misconfigured(
                "A SEPA file needs the account it pays from; set it with `chambers firm bank-account --iban …`."
            )
        if payer.bic and _BIC.fullmatch(payer.bic) is None:
            raise Misconfigured(
                "The BIC of the firm's account is none; set it with `chambers firm bank-account --bic …`."
            )
        return writing.credit_transfer(batch, payer)


def _objection(order: Order) -> str | None:
    """Why a bank would not take the order, as a sentence; None for most. It never repeats the account."""
    payee, amount = order.payee, order.amount
    if amount.currency != "EUR":
        return f"SEPA pays euros only, not {amount.currency}; pay it over another rail."
    if not 1 <= amount.minor <= LARGEST.minor:
        return f"SEPA pays between 0.01 and {LARGEST} at once; pay it over another rail."
    if not payee.iban:
        return "SEPA pays to an IBAN, and the destination has none; set it anew."
    if payee.iban[:2] not in MEMBERS:
        return f"SEPA does not reach accounts in {payee.iban[:2]}; set a destination on another rail."
    if payee.bic and _BIC.fullmatch(payee.bic) is None:
        return "The BIC of the payee's bank is none; set the destination anew, with its BIC or without."
    if not is_writable(payee.name):
        return "Banks write names in Latin letters; set the destination anew, with its holder as the bank writes it."
    return None
