"""The arithmetic of adjustments, and what each moves in the books; amounts in minor units of the books' currency."""

from __future__ import annotations

from dataclasses import dataclass

from firm.ledger import accounts
from firm.ledger.entry import Line
from firm.money import BASIS, Money, portion

TITLES = {
    "correction": "Correction",
    "advance": "Advance",
    "advance-recovery": "Advance recovered",
    "withholding": "Tax withheld",
    "fee": "Payout fee",
}
AGAINST = {
    "correction": accounts.MAINTAINER_PAY,
    "advance": accounts.ADVANCES,
    "advance-recovery": accounts.ADVANCES,
    "withholding": accounts.WITHHELD,
    "fee": accounts.PAYMENT_FEES,
}
"""What each kind is booked against, the payable being the other side."""


@dataclass(frozen=True, slots=True)
class RecoveryRule:
    """How pay terms recover advances: a rate on what the month earned, or a fixed amount a month, or not at all."""

    rate_bp: int = 0
    fixed: int | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """What a month moved on one maintainer's payable before anything is deducted from it."""

    earned: int = 0
    corrected: int = 0
    fees: int = 0
    advanced: int = 0
    recovered: int = 0
    """Negative, as recoveries are."""
    withheld: int = 0
    """Negative, as withholding is."""


def recovery(rule: RecoveryRule, moved: Moved, outstanding: int) -> int:
    """What the month recovers of advances: never more than is outstanding, and never making the month negative.

    The month is what was earned, corrected and charged in it; what was advanced in it is not earned, and what it has
    recovered already counts against the rule.
    """
    wanted = rule.fixed if rule.fixed is not None else portion(max(moved.earned, 0), rule.rate_bp, BASIS)
    left = moved.earned + moved.corrected + moved.fees + moved.recovered + moved.withheld
    return max(min(wanted + moved.recovered, outstanding, left), 0)


def withholding(rate_bp: int, moved: Moved) -> int:
    """What is still to be withheld of a month, from all that it made payable: earnings, corrections and advances.

    An advance is withheld from when it is paid, so what recovers it lowers the base of its month. What the month has
    withheld already counts.
    """
    base = max(moved.earned + moved.corrected + moved.advanced + moved.recovered, 0)
    return max(portion(base, rate_bp, BASIS) + moved.withheld, 0)


def funded(amount: int, *, fund: int, drawn: int) -> int:
    """What a package's fund bears of a correction: up to what it holds, like an earning.

    A negative correction gives back to the fund, up to what the corrected month's earnings drew from it (`drawn`);
    the firm's residual bore the rest, and has it back.
    """
    return min(amount, max(fund, 0)) if amount > 0 else max(amount, -max(drawn, 0))


def lines_of(kind: str, amount: Money, funded: Money, *, maintainer_id: str, package_id: str) -> tuple[Line, ...]:
    """The lines of an adjustment's entry: the payable against what the kind is booked against, and the fund's part."""
    party = {"maintainer_id": maintainer_id}
    package = {"package_id": package_id} if kind == "correction" else {}
    lines = [Line(AGAINST[kind], amount, **party, **package), Line(accounts.PAYABLES, -amount, **party)]
    if funded:
        lines += [Line(accounts.PACKAGE_FUNDS, funded, package_id=package_id), Line(accounts.ALLOCATED, -funded)]
    # Debits stand first, as accountants write them.
    return tuple(sorted(lines, key=lambda line: line.amount.minor < 0))
