"""What a bank sends, written by hand for the examples: status reports and statements of both versions."""

from __future__ import annotations

from collections.abc import Sequence

from tests.payouts.euros import FIRM_IBAN

SPACE = "urn:iso:std:iso:20022:tech:xsd"


def status_report(
    original: str,
    *transactions: str,
    group: str = "",
    payment: str = "",
    message_id: str = "BANK-STATUS-1",
    version: str = "001.10",
    created: str = "2026-11-02T10:15:00+01:00",
    reason: str = "",
) -> bytes:
    """A pain.002 about a file of ours; `transactions` are parts made by `transaction`."""
    said = _reason(reason)
    group_part = f"<GrpSts>{group}</GrpSts>{said}" if group else ""
    payment_part = f"<PmtInfSts>{payment}</PmtInfSts>{said}" if payment else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{SPACE}:pain.002.{version}"><CstmrPmtStsRpt>
  <GrpHdr><MsgId>{message_id}</MsgId><CreDtTm>{created}</CreDtTm></GrpHdr>
  <OrgnlGrpInfAndSts><OrgnlMsgId>{original}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
    {group_part}</OrgnlGrpInfAndSts>
  <OrgnlPmtInfAndSts><OrgnlPmtInfId>{original}-1</OrgnlPmtInfId>{payment_part}
    {"".join(transactions)}</OrgnlPmtInfAndSts>
</CstmrPmtStsRpt></Document>""".encode()


def transaction(end_to_end: str, code: str, *, reason: str = "", amount: str = "") -> str:
    reference = f'<OrgnlTxRef><Amt><InstdAmt Ccy="EUR">{amount}</InstdAmt></Amt></OrgnlTxRef>' if amount else ""
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{end_to_end}</OrgnlEndToEndId><TxSts>{code}</TxSts>"
        f"{_reason(reason)}{reference}</TxInfAndSts>"
    )


def statement(
    *entries: str,
    opening: str = "5000.00",
    closing: str,
    number: str = "2026-11-03",
    message_id: str = "BANK-STMT-1",
    version: str = "001.08",
    iban: str = FIRM_IBAN,
    currency: str = "EUR",
    namespace: str = "",
) -> bytes:
    """A camt.053 of one statement. A balance that begins with a minus is a debit."""
    space = namespace or f"{SPACE}:camt.053.{version}"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{space}"><BkToCstmrStmt>
  <GrpHdr><MsgId>{message_id}</MsgId><CreDtTm>2026-11-04T02:00:00+01:00</CreDtTm></GrpHdr>
  {part(*entries, opening=opening, closing=closing, number=number, iban=iban, currency=currency)}
</BkToCstmrStmt></Document>""".encode()


def part(*entries: str, opening: str, closing: str, number: str, iban: str = FIRM_IBAN, currency: str = "EUR") -> str:
    """One `Stmt`."""
    return f"""<Stmt><Id>{number}</Id><Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>{currency}</Ccy></Acct>
    {_balance("OPBD", opening, currency)}{_balance("CLBD", closing, currency)}
    {"".join(entries)}</Stmt>"""


def entry(
    direction: str,
    amount: str,
    *details: str,
    on: str = "2026-11-03",
    reference: str = "NTRY-1",
    status: str = "BOOK",
    batch: str = "",
    version: str = "001.08",
    currency: str = "EUR",
    words: str = "",
) -> str:
    """One `Ntry`; `batch` is the `PmtInfId` of a file booked as one sum."""
    said = status if version == "001.02" else f"<Cd>{status}</Cd>"
    batched = f"<Btch><PmtInfId>{batch}</PmtInfId></Btch>" if batch else ""
    inner = f"<NtryDtls>{batched}{''.join(details)}</NtryDtls>" if batched or details else ""
    told = f"<AddtlNtryInf>{words}</AddtlNtryInf>" if words else ""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts>{said}</Sts>'
        f"<BookgDt><Dt>{on}</Dt></BookgDt><AcctSvcrRef>{reference}</AcctSvcrRef>{inner}{told}</Ntry>"
    )


def detail(
    end_to_end: str, *, amount: str = "", returned: str = "", reference: str = "", words: str = "", version: str = ""
) -> str:
    """One `TxDtls`, with the bank's reason where it returns a payment."""
    own = f"<AcctSvcrRef>{reference}</AcctSvcrRef>" if reference else ""
    money = f'<Amt Ccy="EUR">{amount}</Amt>' if amount else ""
    if version == "001.02" and amount:
        money = f"<AmtDtls><TxAmt>{money}</TxAmt></AmtDtls>"
    back = f"<RtrInf><Rsn><Cd>{returned}</Cd></Rsn></RtrInf>" if returned else ""
    said = f"<RmtInf><Ustrd>{words}</Ustrd></RmtInf>" if words else ""
    return f"<TxDtls><Refs>{own}<EndToEndId>{end_to_end}</EndToEndId></Refs>{money}{said}{back}</TxDtls>"


def _balance(code: str, amount: str, currency: str) -> str:
    direction = "DBIT" if amount.startswith("-") else "CRDT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{amount.lstrip("-")}</Amt><CdtDbtInd>{direction}</CdtDbtInd></Bal>'
    )


def _reason(reason: str) -> str:
    return f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""


def joined(parts: Sequence[str]) -> bytes:
    """A camt.053 of several statements."""
    return (
        f'<Document xmlns="{SPACE}:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>BANK-STMT-7</MsgId>'
        f"<CreDtTm>2026-11-04T02:00:00</CreDtTm></GrpHdr>{''.join(parts)}</BkToCstmrStmt></Document>"
    ).encode()
