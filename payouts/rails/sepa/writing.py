"""Writing the file: one group of payments from the firm's account, checked in tests against the published schema."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from firm.money import Money, total
from payouts.rails.rail import Batch, Order, Payer
from payouts.rails.sepa import references
from payouts.rails.sepa.calendar import business_day
from payouts.rails.sepa.latin import ABSENT, latin

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
MOST_NAME = 70


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


def _header(initiation: ET.Element, batch: Batch, payer: Payer, sums: dict[str, str]) -> None:
    header = ET.SubElement(initiation, "GrpHdr")
    _text(header, "MsgId", batch.message_id)
    _text(header, "CreDtTm", batch.created_at.strftime("%Y-%m-%dT%H:%M:%S") + "Z")
    for name, value in sums.items():
        _text(header, name, value)
    _text(ET.SubElement(header, "InitgPty"), "Nm", latin(payer.name, at_most=MOST_NAME))


def _payment(initiation: ET.Element, batch: Batch, payer: Payer, sums: dict[str, str]) -> ET.Element:
    payment = ET.SubElement(initiation, "PmtInf")
    _text(payment, "PmtInfId", references.payment_id(batch.message_id))
    _text(payment, "PmtMtd", "TRF")
    _text(payment, "BtchBookg", "true")
    for name, value in sums.items():
        _text(payment, name, value)
    _text(payment, "PmtTpInf/SvcLvl/Cd", "SEPA")
    _text(payment, "ReqdExctnDt/Dt", business_day(batch.execute_on).isoformat())
    _text(payment, "Dbtr/Nm", latin(payer.name, at_most=MOST_NAME))
    _text(payment, "DbtrAcct/Id/IBAN", payer.iban)
    if payer.bic:
        _text(payment, "DbtrAgt/FinInstnId/BICFI", payer.bic)
    else:
        # The schema demands an agent here; this word is the scheme's own for "the IBAN says it".
        _text(payment, "DbtrAgt/FinInstnId/Othr/Id", ABSENT)
    _text(payment, "ChrgBr", "SLEV")
    return payment


def _transfer(payment: ET.Element, order: Order) -> None:
    transfer = ET.SubElement(payment, "CdtTrfTxInf")
    _text(transfer, "PmtId/EndToEndId", references.end_to_end_id(order.payout_id))
    _amount(transfer, order.amount)
    if order.payee.bic:
        _text(transfer, "CdtrAgt/FinInstnId/BICFI", order.payee.bic)
    _text(transfer, "Cdtr/Nm", latin(order.payee.name, at_most=MOST_NAME))
    _text(transfer, "CdtrAcct/Id/IBAN", order.payee.iban or "")
    _remittance(transfer, references.payment_reference(order))


def _remittance(transfer: ET.Element, reference: str) -> None:
    """The structured reference instead of the memo: the scheme takes one of the two."""
    information = ET.SubElement(ET.SubElement(ET.SubElement(transfer, "RmtInf"), "Strd"), "CdtrRefInf")
    kind = ET.SubElement(information, "Tp")
    _text(kind, "CdOrPrtry/Cd", "SCOR")
    _text(kind, "Issr", "ISO")
    _text(information, "Ref", reference)


def _amount(transfer: ET.Element, amount: Money) -> None:
    element = ET.SubElement(ET.SubElement(transfer, "Amt"), "InstdAmt", {"Ccy": amount.currency})
    element.text = amount.decimal


def _text(parent: ET.Element, path: str, text: str) -> None:
    for name in path.split("/"):
        parent = ET.SubElement(parent, name)
    parent.text = text
