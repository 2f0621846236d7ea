"""The scheme's reasons for which a payment is rejected or returned, as sentences (ISO 20022 external codes)."""

from __future__ import annotations

SENTENCES = {
    "AC01": "the account number is wrong",
    "AC03": "the creditor's account number is wrong",
    "AC04": "the account is closed",
    "AC06": "the account is blocked",
    "AC13": "the account is a consumer's where none may be",
    "AG01": "the account may not take such payments",
    "AG02": "the bank does not know this kind of payment",
    "AM01": "the amount is zero",
    "AM02": "the amount is larger than allowed",
    "AM03": "the currency is not allowed",
    "AM04": "the firm's account holds too little money",
    "AM05": "the bank has this payment already",
    "AM09": "the amount is not the expected one",
    "AM10": "the control sum is wrong",
    "BE01": "the account belongs to somebody of another name",
    "BE04": "the payee's address is missing",
    "CNOR": "the payee's bank does not take part in the scheme",
    "CUST": "the payer or payee asked for it",
    "DNOR": "the firm's bank does not take part in the scheme",
    "DT01": "the day of execution is none",
    "DUPL": "it was paid twice",
    "ED05": "it could not be settled between the banks",
    "FF01": "the file is not as the bank needs it",
    "FOCR": "it comes back because it was recalled",
    "FRAD": "it is held to be fraudulent",
    "MD07": "the account's holder has died",
    "MS02": "the payee refused it without a reason",
    "MS03": "the bank gives no reason",
    "NARR": "the bank says why in words",
    "NOAS": "the payee did not answer",
    "RC01": "the BIC is wrong",
    "RC07": "the BIC of the payee's bank is wrong",
    "RR01": "the payer's account or identification is missing, as the law needs it",
    "RR02": "the payer's name or address is missing, as the law needs it",
    "RR03": "the payee's name or address is missing, as the law needs it",
    "RR04": "the law does not allow it",
    "TECH": "something went wrong at the bank",
    "TM01": "the file came after the bank's hour",
    "UPAY": "the payment was not due",
}


def sentence(code: str, words: str) -> str:
    """ "AC04: the account is closed", with the bank's own words behind it where it gave some."""
    known = SENTENCES.get(code)
    said = ": ".join(part for part in (code, known) if part) or "the bank gives no reason"
    return f"{said} ({words})" if words else said
