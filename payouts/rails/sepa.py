"""The SEPA rail: a credit transfer initiation file, pain.001.001.09 (ISO 20022, EPC implementation guidelines).

The same batch gives the same bytes. Text is transliterated to the Latin characters that every bank of the scheme
takes; what has no equivalent becomes a full stop.
"""

from __future__ import annotations

import re
import unicodedata
from xml.etree import ElementTree as ET

from firm.errors import Misconfigured
from firm.money import Money, total
from payouts.rails.rail import Absent, Batch, Description, Order, Outcome, Payee, Payer, Sent

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_OUTSIDE = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
_EQUIVALENTS = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "&": "+",
        "þ": "th",
        "Þ": "Th",
    }
)


class SepaRail:
    """Sending adds the order to the run's file; nothing leaves the house before a person takes it to the bank."""

    def describe(self) -> Description:
        return Description("sepa", "SEPA credit transfer", needs_iban=True, currencies=frozenset({"EUR"}))

    def send(self, order: Order) -> Outcome:
        return Sent(reference=end_to_end_id(order))

    def find(self, order: Order) -> Outcome | Absent:
        return Absent()

    def file(self, batch: Batch, payer: Payer | None) -> str | None:
        if payer is None:
            raise Misconfigured(
                "A SEPA file needs the account it pays from; set it with `chambers firm bank-account --iban …`."
            )
        return credit_transfer(batch, payer)


def end_to_end_id(order: Order) -> str:
    """The reference that travels with the payment: at most 35 characters."""
    return order.payout_id.replace("_", "-")[:35]


def credit_transfer(batch: Batch, payer: Payer) -> str:
    """The whole file as text."""
    document = ET.Element("Document", {"xmlns": NAMESPACE})
    initiation = ET.SubElement(document, "CstmrCdtTrfInitn")
    sums = {
        "NbOfTxs": str(len(batch.orders)),
        "CtrlSum": total((order.amount for order in batch.orders), "EUR").decimal,
    }
    _header(initiation, batch, payer, sums)
    payment = _payment(initiation, batch, payer, sums)
    for order in batch.orders:
        _transfer(payment, order)
    ET.indent(document, "  ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(document, encoding="unicode") + "\n"


def latin(text: str, *, at_most: int) -> str:
    """Text in the scheme's basic Latin characters: accents dropped, the rest replaced by full stops."""
    plain = unicodedata.normalize("NFKD", text.translate(_EQUIVALENTS))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return _OUTSIDE.sub(".", " ".join(plain.split()))[:at_most].strip() or "NOTPROVIDED"


def _header(initiation: ET.Element, batch: Batch, payer: Payer, sums: dict[str, str]) -> None:
    header = ET.SubElement(initiation, "GrpHdr")
    _text(header, "MsgId", batch.message_id)
    _text(header, "CreDtTm", batch.created_at.strftime("%Y-%m-%dT%H:%M:%S") + "Z")
    for name, value in sums.items():
        _text(header, name, value)
    _text(ET.SubElement(header, "InitgPty"), "Nm", latin(payer.name, at_most=70))


def _payment(initiation: ET.Element, batch: Batch, payer: Payer, sums: dict[str, str]) -> ET.Element:
    payment = ET.SubElement(initiation, "PmtInf")
    _text(payment, "PmtInfId", f"{batch.message_id}-1")
    _text(payment, "PmtMtd", "TRF")
    _text(payment, "BtchBookg", "true")
    for name, value in sums.items():
        _text(payment, name, value)
    _text(payment, "PmtTpInf/SvcLvl/Cd", "SEPA")
    _text(payment, "ReqdExctnDt/Dt", batch.execute_on.isoformat())
    _text(payment, "Dbtr/Nm", latin(payer.name, at_most=70))
    _text(payment, "DbtrAcct/Id/IBAN", payer.iban)
    if payer.bic:
        _text(payment, "DbtrAgt/FinInstnId/BICFI", payer.bic)
    else:
        _text(payment, "DbtrAgt/FinInstnId/Othr/Id", "NOTPROVIDED")
    _text(payment, "ChrgBr", "SLEV")
    return payment


def _transfer(payment: ET.Element, order: Order) -> None:
    transfer = ET.SubElement(payment, "CdtTrfTxInf")
    _text(transfer, "PmtId/EndToEndId", end_to_end_id(order))
    _amount(transfer, order.amount)
    payee: Payee = order.payee
    if payee.bic:
        _text(transfer, "CdtrAgt/FinInstnId/BICFI", payee.bic)
    _text(transfer, "Cdtr/Nm", latin(payee.name, at_most=70))
    _text(transfer, "CdtrAcct/Id/IBAN", payee.iban or "")
    _text(transfer, "RmtInf/Ustrd", latin(order.memo, at_most=140))


def _amount(transfer: ET.Element, amount: Money) -> None:
    element = ET.SubElement(ET.SubElement(transfer, "Amt"), "InstdAmt", {"Ccy": amount.currency})
    element.text = amount.decimal


def _text(parent: ET.Element, path: str, text: str) -> None:
    for name in path.split("/"):
        parent = ET.SubElement(parent, name)
    parent.text = text
