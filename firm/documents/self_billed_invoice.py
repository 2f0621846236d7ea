"""What a self-billed invoice or credit note shows: the supplier's invoice, as the customer writes it.

"Self-billing" and "Reverse charge" are the words that article 226 (10a and 11a) of Directive 2006/112/EC asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firm.documents.statement import earning
from firm.documents.wording import amount, day, head, month

BASIS = 100


def shown(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The words of a self-billed invoice; with `credits`, of the credit note that takes one back."""
    credits = figures["credits"]
    name = "Self-billed credit note" if credits else "Self-billed invoice"
    return head(figures, name, figures["supplier"]) | {
        "name": name,
        "month": month(figures["month"]),
        "supplied": f"{day(figures['supplied_from'])} to {day(figures['supplied_to'])}",
        "statement": figures["statement"],
        "currency": figures["currency"],
        "supplier": _party(figures["supplier"]),
        "customer": _party(figures["customer"]),
        "self_billing": _self_billing(figures),
        "credits": _credits(credits) if credits else "",
        "reason": credits["reason"] if credits else "",
        "lines": [earning(line) for line in figures["lines"]],
        "net": amount(figures["net"]),
        "vat_label": _vat_label(figures["vat"]),
        "vat": amount(figures["vat_amount"]),
        "gross": amount(figures["gross"]),
        "gross_label": "Total credited" if credits else "Total",
        "treatment": _treatment(figures["vat"]),
    }


def rate(rate_bp: int) -> str:
    """A rate as people write it: 19 %, 5.5 %."""
    whole, rest = divmod(rate_bp, BASIS)
    fraction = f".{rest:02d}".rstrip("0") if rest else ""
    return f"{whole}{fraction} %"


def _party(party: Mapping[str, Any]) -> dict[str, Any]:
    vat_id = party["vat_id"]
    return {
        "name": party["name"],
        "address": list(party["address"]),
        "vat_id": f"VAT ID {vat_id}" if vat_id else "",
    }


def _self_billing(figures: Mapping[str, Any]) -> str:
    consented_on = day(figures["agreement"]["consented_on"])
    return f"Issued by the customer in the supplier's name, as agreed on {consented_on}."


def _credits(credits: Mapping[str, Any]) -> str:
    return f"This credit note takes back invoice {credits['number']} of {day(credits['issued_on'])}."


def _vat_label(vat: Mapping[str, Any]) -> str:
    return f"VAT {rate(vat['rate_bp'])}" if vat["rate_bp"] else "VAT"


def _treatment(vat: Mapping[str, Any]) -> dict[str, str]:
    """The legal words on VAT: a heading that the law wants, and what it means."""
    if vat["treatment"] == "reverse-charge":
        return {"title": "Reverse charge", "text": "VAT is to be accounted for by the customer."}
    if vat["exemption"]:
        return {"title": "No VAT is charged", "text": vat["exemption"]}
    return {"title": "", "text": ""}
