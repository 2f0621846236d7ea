"""Reading a status report: what became of a file of ours (pain.002.001.03 and .10)."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from payouts.bank_files import reasons
from payouts.bank_files.markup import InvalidBankFile, all_of, day_of, id_of, money_of, required, text_of
from payouts.bank_files.messages import Status, StatusReport

VERSIONS = ("001.03", "001.10")


def read(root: Element, version: str) -> StatusReport:
    """Raises `InvalidBankFile`."""
    report = root.find("CstmrPmtStsRpt")
    if report is None:
        raise InvalidBankFile("The file is a status report without a report in it.")
    created = day_of(report.find("GrpHdr/CreDtTm"))
    if created is None:
        raise InvalidBankFile("The file lacks its day (GrpHdr/CreDtTm); take it from the bank again, unchanged.")
    return StatusReport(
        message_id=required(report, "GrpHdr/MsgId", "its message id"),
        version=version,
        original_message_id=required(report, "OrgnlGrpInfAndSts/OrgnlMsgId", "the id of the file it is about"),
        created_on=created,
        statuses=tuple(_statuses(report)),
    )


def _statuses(report: Element) -> Iterator[Status]:
    for group in all_of(report, "OrgnlGrpInfAndSts"):
        if group.find("GrpSts") is not None:
            yield Status("group", required(group, "GrpSts", "a status", most=4), reason=_reason(group))
    for payment in all_of(report, "OrgnlPmtInfAndSts"):
        name = id_of(payment, "OrgnlPmtInfId")
        if payment.find("PmtInfSts") is not None:
            code = required(payment, "PmtInfSts", "a status", most=4)
            yield Status("payment", code, payment_id=name, reason=_reason(payment))
        for transaction in all_of(payment, "TxInfAndSts"):
            yield _of_transaction(transaction, name)


def _of_transaction(transaction: Element, payment_id: str) -> Status:
    amount = transaction.find("OrgnlTxRef/Amt/InstdAmt")
    return Status(
        "transaction",
        required(transaction, "TxSts", "a status", most=4),
        end_to_end_id=id_of(transaction, "OrgnlEndToEndId"),
        payment_id=payment_id,
        amount=None if amount is None else money_of(amount),
        reason=_reason(transaction),
        on=day_of(transaction.find("FctvIntrBkSttlmDt")),
    )


def _reason(node: Element) -> str | None:
    """The reasons in one sentence; None where the bank gives none."""
    found = [
        reasons.sentence(
            text_of(one, "Rsn/Cd", most=4) or text_of(one, "Rsn/Prtry", most=35),
            " ".join(text for text in (text_of(words, ".", most=105) for words in all_of(one, "AddtlInf")) if text),
        )
        for one in all_of(node, "StsRsnInf")
    ]
    return "; ".join(found)[:300] or None
