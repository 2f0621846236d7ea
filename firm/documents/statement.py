"""What a statement of the first template shows: a maintainer's month, from the opening balance to the closing one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firm.documents.wording import amount, day, head, month, named
from firm.money import Money
from firm.month import Month

EARNINGS = {
    "guarantee": "Guarantee",
    "growth-share": "Growth share",
    "fund-share": "Fund share",
    "fixed-fee": "Fixed fee",
    "adjustment": "Adjustment",
}
RAILS = {"sepa": "SEPA credit transfer", "manual": "Bank transfer", "stripe": "Stripe"}


def shown(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The words of a statement."""
    return head(figures, f"Statement for {month(figures['month'])}", figures["maintainer"]) | {
        "month": month(figures["month"]),
        "currency": figures["currency"],
        "corrects": figures.get("corrects") or "",
        "opening": amount(figures["opening"]),
        "earned": amount(figures["earned"]),
        "paid": amount(figures["paid"]),
        "closing": amount(figures["closing"]),
        "earnings": [earning(line) for line in figures["earnings"]],
        "payouts": [_payout(line) for line in figures["payouts"]],
        "closing_sentence": closing_sentence(figures),
    }


def earning(line: Mapping[str, Any]) -> dict[str, str]:
    """The words of a line of earnings; a self-billed invoice has the same."""
    adjusts = line.get("adjusts")
    return {
        "title": EARNINGS.get(line["kind"], line["kind"]),
        "package": line["package"] or "",
        "explanation": line["explanation"] + (f" (adjusts {month(adjusts)})" if adjusts else ""),
        "amount": amount(line["amount"]),
    }


def _payout(line: Mapping[str, Any]) -> dict[str, str]:
    return {
        "on": day(line["on"]),
        "rail": RAILS.get(line["rail"], line["rail"]),
        "reference": line["reference"],
        "amount": amount(line["amount"]),
    }


def closing_sentence(figures: Mapping[str, Any]) -> str:
    """Where the month ends, and where that goes. When it will be paid is not for a statement to promise."""
    closing = Money.parse(figures["closing"]["amount"], figures["closing"]["currency"])
    this = Month.parse(figures["month"])
    firm, on, following = figures["firm"]["name"], day(this.last_day.isoformat()), this.next.name
    if closing.minor < 0:
        return (
            f"On {on} you had been paid {named(-closing)} more than you had earned; "
            f"the difference is carried into {following} and set against what you earn."
        )
    if not closing:
        return f"On {on} nothing was open between {firm} and you."
    return f"On {on} {firm} owed you {named(closing)}, which is carried into {following}."
