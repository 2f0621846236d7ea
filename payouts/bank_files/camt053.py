"""Reading a statement of the firm's account (camt.053.001.02 and .08), and checking that it adds up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from xml.etree.ElementTree import Element

from firm.money import Money
from payouts.bank_files import reasons
from payouts.bank_files.discretion import clean
from payouts.bank_files.markup import InvalidBankFile, all_of, day_of, id_of, money_of, required, text_of
from payouts.bank_files.messages import Movement, Statement

VERSIONS = ("001.02", "001.08")
_OPENING = ("OPBD", "PRCD", "ITBD")
_CLOSING = ("CLBD", "ITBD")
_NO_REFERENCE = ("", "NOTPROVIDED", "NOTAVAILABLE", "NONREF")


def read(root: Element, version: str) -> Statement:
    """The file's statements as one: they are of one account and follow one another. Raises `InvalidBankFile`."""
    report = root.find("BkToCstmrStmt")
    found = [] if report is None else list(all_of(report, "Stmt"))
    if report is None or not found:
        raise InvalidBankFile("The file is a statement without a statement in it.")
    message_id = required(report, "GrpHdr/MsgId", "its message id")
    statements = [_statement(one, message_id, version) for one in found]
    for before, after in pairwise(statements):
        if before.iban != after.iban:
            raise InvalidBankFile("The file holds statements of several accounts; ask the bank for one account a file.")
        if before.closing != after.opening:
            raise InvalidBankFile(
                f"The statement {after.number} begins with {after.opening}, where the one before ends with"
                f" {before.closing}; ask the bank for the statement in between."
            )
    first, last = statements[0], statements[-1]
    movements = tuple(movement for one in statements for movement in one.movements)
    return Statement(message_id, version, first.number, first.iban, first.opening, last.closing, movements)


def _statement(node: Element, message_id: str, version: str) -> Statement:
    number = required(node, "Id", "a statement's number")
    iban = "".join((node.findtext("Acct/Id/IBAN") or "").split()).upper()
    if not iban:
        raise InvalidBankFile(f"The statement {number} does not say by IBAN which account it is of.")
    opening, closing = _balance(node, _OPENING, first=True), _balance(node, _CLOSING, first=False)
    if opening is None or closing is None:
        raise InvalidBankFile(f"The statement {number} lacks its opening or its closing balance.")
    movements = tuple(movement for entry in all_of(node, "Ntry") for movement in _movements(entry))
    _refuse_wrong_sum(number, opening, closing, movements)
    return Statement(message_id, version, number, iban, opening, closing, movements)


def _balance(node: Element, codes: Sequence[str], *, first: bool) -> Money | None:
    """The balance of the first of these kinds that is there; of several the first or the last."""
    for code in codes:
        found = [one for one in all_of(node, "Bal") if one.findtext("Tp/CdOrPrtry/Cd") == code]
        if found:
            chosen = found[0] if first else found[-1]
            amount = _amount(chosen, "Amt")
            return amount if _direction(chosen) == "credit" else -amount
    return None


def _refuse_wrong_sum(number: str, opening: Money, closing: Money, movements: Sequence[Movement]) -> None:
    total = opening.minor
    for one in movements:
        if one.amount.currency != opening.currency or closing.currency != opening.currency:
            raise InvalidBankFile(f"The statement {number} is in {opening.currency}, yet not all of its amounts are.")
        if one.status == "BOOK":
            total += one.amount.minor if one.direction == "credit" else -one.amount.minor
    if total != closing.minor:
        raise InvalidBankFile(
            f"The statement {number} does not add up: it begins with {opening}, and its entries lead to"
            f" {Money(total, opening.currency)}, not to {closing}; take it from the bank again, unchanged."
        )


def _movements(entry: Element) -> Iterator[Movement]:
    """An entry's payments where it names them one by one, else the entry itself."""
    amount, details = _amount(entry, "Amt"), list(all_of(entry, "NtryDtls/TxDtls"))
    if len(details) < 2:
        yield _movement(entry, details[0] if details else None, amount)
        return
    parts = [_movement(entry, one, _amount_of_part(one, amount.currency)) for one in details]
    if sum(part.amount.minor for part in parts) != amount.minor:
        raise InvalidBankFile(f"An entry over {amount} does not add up: its payments come to another sum.")
    yield from parts


def _movement(entry: Element, detail: Element | None, amount: Money) -> Movement:
    reference = text_of(entry, "AcctSvcrRef", most=35) or text_of(entry, "NtryRef", most=35)
    own = text_of(detail, "Refs/AcctSvcrRef", most=35) if detail is not None else ""
    batch = entry.find("NtryDtls/Btch")
    places = [(batch, ""), (detail, "Refs/")]
    ids = [id_of(node, f"{place}{name}") for node, place in places if node is not None for name in _IDS]
    end_to_end = id_of(detail, "Refs/EndToEndId") if detail is not None else ""
    return Movement(
        direction=_direction(entry),
        amount=amount,
        status=_status(entry),
        booked_on=_day(entry),
        reference=own or reference,
        end_to_end_id="" if end_to_end in _NO_REFERENCE else end_to_end,
        file_ids=tuple(dict.fromkeys(one for one in ids if one not in _NO_REFERENCE)),
        returned=_returned(detail),
        text=_words(entry, detail),
    )


_IDS = ("MsgId", "PmtInfId")


def _status(entry: Element) -> str:
    """Since version 04 the status is a code inside of the element."""
    return text_of(entry, "Sts/Cd", most=4) or text_of(entry, "Sts", most=4)


def _day(entry: Element) -> date | None:
    found = day_of(entry.find("BookgDt"))
    if found is None and _status(entry) == "BOOK":
        raise InvalidBankFile("The file holds a booked entry without its day; take it from the bank again, unchanged.")
    return found


def _amount_of_part(detail: Element, currency: str) -> Money:
    """One payment's part of an entry, in the account's currency."""
    for path in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"):
        node = detail.find(path)
        if node is not None and node.get("Ccy") == currency:
            return money_of(node)
    raise InvalidBankFile("An entry of several payments does not say the amount of each; ask the bank for details.")


def _amount(node: Element, path: str) -> Money:
    found = node.find(path)
    if found is None:
        raise InvalidBankFile("The file lacks an amount; take it from the bank again, unchanged.")
    return money_of(found)


def _direction(node: Element) -> str:
    found = {"DBIT": "debit", "CRDT": "credit"}.get((node.findtext("CdtDbtInd") or "").strip())
    if found is None:
        raise InvalidBankFile("The file holds an amount that is neither debit nor credit.")
    return found


def _returned(detail: Element | None) -> str | None:
    found = detail.find("RtrInf") if detail is not None else None
    if found is None:
        return None
    words = " ".join(text_of(one, ".", most=105) for one in all_of(found, "AddtlInf"))
    return reasons.sentence(text_of(found, "Rsn/Cd", most=4) or text_of(found, "Rsn/Prtry", most=35), words)[:300]


def _words(entry: Element, detail: Element | None) -> str | None:
    """Who and what for, in the bank's words, for the person who looks at the line."""
    found = []
    if detail is not None:
        parties = ("Cdtr", "Dbtr") if _direction(entry) == "debit" else ("Dbtr", "Cdtr")
        names = [text_of(detail, f"RltdPties/{parties[0]}/{name}") for name in ("Nm", "Pty/Nm")]
        found = [*names, *(text_of(one, ".") for one in all_of(detail, "RmtInf/Ustrd"))]
    return clean(" ".join([*(text for text in found if text), text_of(entry, "AddtlNtryInf")]), most=140) or None
