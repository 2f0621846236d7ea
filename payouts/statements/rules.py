"""What a statement says, from the figures of the books."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from firm.money import Money, total
from payouts.adjustments.model import Adjustment
from payouts.earnings.queries import Earning


@dataclass(frozen=True, slots=True)
class Payment:
    """A movement of the payable by a payout: what was reserved for one, or came back from one (negative).

    `run` is the number of its run, `reference` the rail's own name for the payment once there is one, and `left` what
    the payout left of what was payable when it was reserved.
    """

    on: date
    rail: str
    run: str
    reference: str | None
    reason: str | None
    amount: Money
    left: Money


@dataclass(frozen=True, slots=True)
class Waiting:
    """Money that a run has in its hands on the day of issue: in which state, and why."""

    state: str
    run: str
    reason: str | None
    amount: Money


ON_ITS_WAY = ("reserved", "sending", "waiting-for-funds", "unknown")
"""States of payouts whose money has left the payable; in the others it is part of the closing balance."""


@dataclass(frozen=True, slots=True)
class Year:
    """From the first month of the calendar year to this one."""

    year: int
    earned: Money
    """Earnings and corrections."""
    withheld: Money
    paid: Money


@dataclass(frozen=True, slots=True)
class Account:
    """One maintainer's month in the books: opening + earned + adjusted - paid = closing."""

    maintainer_id: str
    closing: Money
    earnings: Sequence[Earning]
    adjustments: Sequence[Adjustment]
    payments: Sequence[Payment]
    year: Year
    waiting: Sequence[Waiting] = ()
    advanced: Money | None = None
    """What is outstanding of advances, if anything is."""

    @property
    def earned(self) -> Money:
        return total((line.amount for line in self.earnings), self.closing.currency)

    @property
    def adjusted(self) -> Money:
        return total((line.amount for line in self.adjustments), self.closing.currency)

    @property
    def paid(self) -> Money:
        return total((payment.amount for payment in self.payments), self.closing.currency)

    @property
    def opening(self) -> Money:
        """It follows from what moved."""
        return self.closing - self.earned - self.adjusted + self.paid


def lines_of(account: Account, package_names: Mapping[str, str]) -> dict[str, object]:
    """The amounts of a statement as JSON values."""
    return {
        "currency": account.closing.currency,
        "opening": shown(account.opening),
        "earnings": [_earning(line, package_names) for line in account.earnings],
        "earned": shown(account.earned),
        "adjustments": [_adjustment(line, package_names) for line in account.adjustments],
        "adjusted": shown(account.adjusted),
        "payouts": [_payout(payment) for payment in account.payments],
        "paid": shown(account.paid),
        "closing": shown(account.closing),
        "unpaid": unpaid(account),
        "advanced": None if account.advanced is None else shown(account.advanced),
        "year": _year(account.year),
    }


def _earning(line: Earning, package_names: Mapping[str, str]) -> dict[str, object]:
    return {
        "kind": line.kind,
        "package": package_names.get(line.package_id),
        "explanation": line.explanation,
        "amount": shown(line.amount),
    }


def _adjustment(line: Adjustment, package_names: Mapping[str, str]) -> dict[str, object]:
    return {
        "number": line.number,
        "kind": line.kind,
        "reversal": line.reverses_id is not None,
        "package": package_names.get(line.package_id),
        "reason": line.reason,
        "adjusts": None if line.adjusts_month is None else str(line.adjusts_month),
        "amount": shown(line.amount),
    }


def _payout(payment: Payment) -> dict[str, object]:
    return {
        "on": payment.on.isoformat(),
        "rail": payment.rail,
        "run": payment.run,
        "reference": payment.reference,
        "reason": payment.reason,
        "amount": shown(payment.amount),
        "exchange": None,
    }


def _year(year: Year) -> dict[str, object]:
    return {
        "year": year.year,
        "earned": shown(year.earned),
        "withheld": shown(year.withheld),
        "paid": shown(year.paid),
    }


def unpaid(account: Account) -> list[dict[str, object]]:
    """What could not be paid out, or is on its way: what runs have in their hands, and what the last one left."""
    found: list[dict[str, object]] = [
        {"why": one.state, "run": one.run, "reason": one.reason, "amount": shown(one.amount)}
        for one in account.waiting
        if one.state in ON_ITS_WAY or one.amount <= account.closing
    ]
    last = next((payment for payment in reversed(account.payments) if payment.amount.minor > 0), None)
    if last is not None and 0 < last.left.minor <= account.closing.minor:
        found.append({"why": "remainder", "run": last.run, "reason": None, "amount": shown(last.left)})
    return found


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> list[dict[str, str]]:
    """What a corrected statement says otherwise than another of the same month, each thing in words."""
    old, new = _told(before), _told(after)
    return [
        {"what": what, "was": old.get(what, ""), "is": new.get(what, "")}
        for what in sorted({*old, *new})
        if old.get(what, "") != new.get(what, "")
    ]


def _told(figures: Mapping[str, object]) -> dict[str, str]:
    """Everything on a statement that is not an amount, by what it is called."""
    told: dict[str, str] = {}
    for whose, key in (("Your", "maintainer"), ("The firm's", "firm")):
        party = _mapping(figures[key])
        told[f"{whose} name"] = str(party["name"])
        told[f"{whose} address"] = ", ".join(map(str, _list(party["address"])))
    told["The firm's e-mail address"] = str(_mapping(figures["firm"])["email"])
    for name, words in (("earnings", ("explanation", "package")), ("adjustments", ("reason", "package"))):
        for number, line in enumerate(_list(figures.get(name, [])), 1):
            for word in words:
                told[f"The {word} in line {number} of the {name}"] = str(_mapping(line)[word] or "")
    for number, line in enumerate(_list(figures["payouts"]), 1):
        one = _mapping(line)
        # Statements of the first template name the run as the reference.
        told[f"The run of payout {number}"] = str(one.get("run", one["reference"]))
        told[f"The rail's reference of payout {number}"] = str((one.get("reference") if "run" in one else "") or "")
    return told


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []


def shown(amount: Money) -> dict[str, str]:
    return {"amount": amount.decimal, "currency": amount.currency}


def frozen(figures: Mapping[str, object]) -> tuple[str, str]:
    """The figures as canonical JSON, and its SHA-256."""
    text = json.dumps(figures, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text, hashlib.sha256(text.encode()).hexdigest()
