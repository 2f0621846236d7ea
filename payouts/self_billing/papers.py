"""What self-billed invoices and credit notes say: their figures, and the sums read back from them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from firm.documents.figures import read, shown
from firm.errors import InvariantBroken
from firm.money import Money, total
from firm.month import Month
from firm.profile.model import Profile
from payouts.self_billing.model import SelfBillingAgreement
from payouts.self_billing.rules import Sums, Vat, sums

KIND = "self-billed-invoice"
TEMPLATE = 1
CORRECTION = "correction"


class LinesDoNotAddUp(InvariantBroken):
    """The lines of a statement are not what it says was earned."""


def parties(agreement: SelfBillingAgreement, profile: Profile) -> dict[str, Any]:
    """Who bills whom, as it is on the day of issue."""
    return {
        "firm": profile.letterhead(),
        "supplier": {
            "name": agreement.supplier_name,
            "address": agreement.supplier_address.splitlines(),
            "vat_id": agreement.supplier_vat_id,
        },
        "customer": {"name": profile.name, "address": profile.address.splitlines(), "vat_id": profile.vat_id},
        "agreement": {"consented_on": agreement.consented_on.isoformat(), "from_on": agreement.from_on.isoformat()},
    }


def head(number: str, issued_on: date, month: Month, statement: str) -> dict[str, Any]:
    """What every paper of the kind begins with; the supply is the work of the whole month."""
    return {
        "kind": KIND,
        "template": TEMPLATE,
        "number": number,
        "issued_on": issued_on.isoformat(),
        "month": str(month),
        "supplied_from": month.first_day.isoformat(),
        "supplied_to": month.last_day.isoformat(),
        "statement": statement,
    }


def billed(statement: Mapping[str, Any], vat: Vat) -> dict[str, Any]:
    """Lines and sums of an invoice for what a statement says was earned, and what corrects earlier months.

    Advances, their recovery, withholding and fees are no part of what was supplied. Raises `LinesDoNotAddUp`.
    """
    earned = read(statement["earned"])
    lines = [_line(line, line["explanation"], None) for line in statement["earnings"]]
    if total((read(line["amount"]) for line in lines), earned.currency) != earned:
        raise LinesDoNotAddUp(f"The lines of statement {statement['number']} do not come to {earned}.")
    corrections = [line for line in statement.get("adjustments", []) if line["kind"] == CORRECTION]
    lines += [_line(line, line["reason"], line["adjusts"]) for line in corrections]
    net = total((read(line["amount"]) for line in lines), earned.currency)
    return {"currency": net.currency, "lines": lines, "vat": _treatment(vat), **_sums(sums(net, vat))}


def taken_back(original: Mapping[str, Any]) -> dict[str, Any]:
    """The lines and sums of an invoice, each with the other sign."""
    lines = [line | {"amount": shown(-read(line["amount"]))} for line in original["lines"]]
    return {
        "currency": original["currency"],
        "lines": lines,
        "vat": original["vat"],
        **{name: shown(-read(original[name])) for name in ("net", "vat_amount", "gross")},
    }


def minor_sums(figures: Mapping[str, Any]) -> dict[str, int]:
    """The sums as the columns that the database checks."""
    net, vat, gross = (_minor(figures[name]) for name in ("net", "vat_amount", "gross"))
    return {"net_minor": net, "vat_minor": vat, "gross_minor": gross}


def _minor(value: Mapping[str, str]) -> int:
    amount: Money = read(value)
    return amount.minor


def _line(line: Mapping[str, Any], explanation: str, adjusts: str | None) -> dict[str, Any]:
    shared = {name: line[name] for name in ("kind", "package", "amount")}
    return shared | {"explanation": explanation, "adjusts": adjusts}


def _treatment(vat: Vat) -> dict[str, Any]:
    return {"treatment": vat.treatment, "rate_bp": vat.rate_bp, "exemption": vat.exemption}


def _sums(found: Sums) -> dict[str, Any]:
    return {"net": shown(found.net), "vat_amount": shown(found.vat), "gross": shown(found.gross)}
