"""What a statement of the second template shows: adjustments, what is unpaid and why, and the year so far, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firm.documents.statement import EARNINGS, RAILS, closing_sentence
from firm.documents.wording import amount, day, head, month, named, sentence
from firm.money import Money

ADJUSTMENTS = {
    "correction": "Correction",
    "advance": "Advance",
    "advance-recovery": "Advance recovered",
    "withholding": "Tax withheld",
    "fee": "Payout fee",
}
UNPAID = {
    "planned": "is in {run}, which waits for its approval",
    "held": "is held back from {run}",
    "carried-over": "is carried over by {run} until it comes to enough to be paid",
    "reserved": "of what was paid out is reserved in {run} and has not left yet",
    "sending": "of what was paid out is being sent in {run}",
    "waiting-for-funds": "of what was paid out waits in {run} for the firm's account to hold enough",
    "unknown": "of what was paid out left in {run} without an answer yet, and is being looked up",
    "remainder": "was not part of the payout in {run} and stays payable",
}


def shown(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The words of a statement."""
    year = figures["year"]
    return head(figures, f"Statement for {month(figures['month'])}", figures["maintainer"]) | {
        "month": month(figures["month"]),
        "currency": figures["currency"],
        "corrects": _corrects(figures.get("corrects")),
        "opening": amount(figures["opening"]),
        "earned": amount(figures["earned"]),
        "adjusted": amount(figures["adjusted"]),
        "paid": amount(figures["paid"]),
        "closing": amount(figures["closing"]),
        "earnings": [_earning(line) for line in figures["earnings"]],
        "adjustments": [_adjustment(line) for line in figures["adjustments"]],
        "payouts": [_payout(line) for line in figures["payouts"]],
        "closing_sentence": closing_sentence(figures),
        "unpaid": [*map(_unpaid, figures["unpaid"]), *_advanced(figures["advanced"])],
        "year": {
            "title": f"{year['year']} until the end of {month(figures['month'])}",
            "earned": amount(year["earned"]),
            "withheld": amount(year["withheld"]),
            "paid": amount(year["paid"]),
        },
    }


def _corrects(corrects: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if corrects is None:
        return None
    return {
        "number": corrects["number"],
        "issued_on": day(corrects["issued_on"]),
        "reason": sentence(corrects["reason"]),
        "differences": [
            {"what": one["what"], "was": one["was"] or "nothing", "is": one["is"] or "nothing"}
            for one in corrects["differences"]
        ],
    }


def _earning(line: Mapping[str, Any]) -> dict[str, str]:
    return {
        "title": EARNINGS.get(line["kind"], line["kind"]),
        "package": line["package"] or "",
        "explanation": line["explanation"],
        "amount": amount(line["amount"]),
    }


def _adjustment(line: Mapping[str, Any]) -> dict[str, str]:
    title = ADJUSTMENTS.get(line["kind"], line["kind"])
    return {
        "number": line["number"],
        "title": f"{title}, reversed" if line["reversal"] else title,
        "package": line["package"] or "",
        "explanation": line["reason"] + (f" (adjusts {month(line['adjusts'])})" if line["adjusts"] else ""),
        "amount": amount(line["amount"]),
    }


def _payout(line: Mapping[str, Any]) -> dict[str, str]:
    rail = RAILS.get(line["rail"], line["rail"])
    came_back = line["amount"]["amount"].startswith("-")
    reason = f"Came back: {line['reason']}" if came_back and line["reason"] else "Came back" if came_back else ""
    exchange = line["exchange"]
    converted = (
        f"Paid as {named(Money.parse(exchange['amount'], exchange['currency']))} at {exchange['rate']}"
        if exchange
        else ""
    )
    return {
        "on": day(line["on"]),
        "rail": rail,
        "run": line["run"],
        "reference": ". ".join(filter(None, [line["reference"], reason, converted])),
        "amount": amount(line["amount"]),
    }


def _unpaid(one: Mapping[str, Any]) -> str:
    money = named(Money.parse(one["amount"]["amount"], one["amount"]["currency"]))
    words = UNPAID.get(one["why"], f"is {one['why']} in {{run}}").format(run=one["run"])
    return f"{money} {words}" + (f": {one['reason'].rstrip('.')}." if one["reason"] else ".")


def _advanced(advanced: Mapping[str, str] | None) -> list[str]:
    if advanced is None:
        return []
    money = named(Money.parse(advanced["amount"], advanced["currency"]))
    return [f"{money} of what you were advanced is outstanding and will be recovered from what you earn."]
