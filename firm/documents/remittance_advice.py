"""What a remittance advice shows: one payment, and the months and corrections it pays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firm.documents.figures import read
from firm.documents.statement import RAILS
from firm.documents.wording import amount, day, head, month, named

MASK = "•••• "


def shown(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The words of a remittance advice."""
    last4 = figures["account_last4"]
    return head(figures, "Remittance advice", figures["maintainer"]) | {
        "sent_on": day(figures["sent_on"]),
        "currency": figures["currency"],
        "run": figures["run"],
        "rail": RAILS.get(figures["rail"], figures["rail"]),
        "reference": figures["reference"],
        "payee": figures["payee"],
        "account": f"{MASK}{last4}" if last4 else "",
        "introduction": _introduction(figures),
        "lines": [_line(line) for line in figures["lines"]],
        "total": amount(figures["total"]),
        "closing_sentence": _closing(figures),
    }


def _introduction(figures: Mapping[str, Any]) -> str:
    paid, on = named(read(figures["total"])), day(figures["sent_on"])
    return f"On {on} {figures['firm']['name']} sent you {paid}. This is what it pays for."


def _line(line: Mapping[str, Any]) -> dict[str, str]:
    return {
        "month": month(line["month"]),
        "text": _text(line),
        "whole": amount(line["whole"]),
        "amount": amount(line["amount"]),
    }


def _text(line: Mapping[str, Any]) -> str:
    what = "Earnings, as your statement of the month explains them" if line["kind"] == "earnings" else line["text"]
    adjusts = f" (adjusts {month(line['adjusts'])})" if line["adjusts"] else ""
    return f"{what}{adjusts}"


def _closing(figures: Mapping[str, Any]) -> str:
    remaining = read(figures["remaining"])
    if not remaining:
        return "With this payment everything that was payable is paid."
    return f"{named(remaining)} stays payable and is carried into a later payment."
