"""Reading from the books what a month's statements account for, in a few set reads for everybody or for one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.db import AnyRow
from firm.ledger import accounts
from firm.ledger import queries as ledger
from firm.money import Money
from firm.month import Month
from payouts.adjustments import queries as adjustments
from payouts.earnings.queries import Earning, earned, earned_by_maintainer
from payouts.runs import entries
from payouts.runs.model import PayoutRun, payout
from payouts.statements.rules import Account, Payment, Waiting, Year

WAITING = (
    "planned",
    "held",
    "carried-over",
    "reserved",
    "sending",
    "waiting-for-funds",
    "unknown",
)
"""States of payouts in which the money has not gone: each is said on the statement, in words of its template."""


def accounts_of(session: Session, month: Month, currency: str, *, maintainer_id: str | None = None) -> list[Account]:
    """Every maintainer's month: those with an opening balance, earnings, adjustments or payments in it."""
    closing = _closing(session, month, currency, maintainer_id)
    lines = _earnings(session, month, maintainer_id)
    adjusted = adjustments.of_month(session, month, maintainer_id=maintainer_id)
    payments = _payments(session, month, currency, maintainer_id)
    years = _years(session, month, currency, maintainer_id)
    zero = Money.zero(currency)
    found = [
        Account(
            maintainer_id=key,
            closing=closing.get(key, zero),
            earnings=lines.get(key, []),
            adjustments=adjusted.get(key, []),
            payments=payments.get(key, []),
            year=years.get(key, Year(month.year, zero, zero, zero)),
        )
        for key in sorted({*closing, *lines, *adjusted, *payments})
    ]
    return [_with_left(one) for one in found if one.opening or one.earnings or one.adjustments or one.payments]


def with_prospects(session: Session, found: Sequence[Account], currency: str) -> list[Account]:
    """The accounts with what is under way on the day of issue: money in runs, and advances outstanding."""
    waiting = _waiting(session, currency)
    advanced = adjustments.outstanding(session, currency)
    return [
        replace(one, waiting=waiting.get(one.maintainer_id, ()), advanced=advanced.get(one.maintainer_id, one.advanced))
        for one in found
    ]


def _closing(session: Session, month: Month, currency: str, maintainer_id: str | None) -> dict[str, Money]:
    """Payables at the end of the month: today's kept balances less what later months moved."""
    owed = ledger.balances_by(session, accounts.PAYABLES, currency, "maintainer_id")
    later = ledger.moved_after(session, accounts.PAYABLES, currency, month)
    zero = Money.zero(currency)
    keys = {*owed, *later} if maintainer_id is None else {maintainer_id} & {*owed, *later}
    return {key: later.get(key, zero) - owed.get(key, zero) for key in keys}


def _earnings(session: Session, month: Month, maintainer_id: str | None) -> dict[str, list[Earning]]:
    found: dict[str, list[Earning]] = defaultdict(list)
    for line in earned(session, month, maintainer_id=maintainer_id):
        found[line.maintainer_id].append(line)
    return found


def _payments(session: Session, month: Month, currency: str, maintainer_id: str | None) -> dict[str, list[Payment]]:
    """What payouts moved on payables in the month: debits were reserved for one, credits came back.

    `left` is, until the opening balance is known, only what moved in the month before and with the payment.
    """
    movements = ledger.movements(session, accounts.PAYABLES, currency, month)
    mine = [m for m in movements if maintainer_id in (None, m.maintainer_id)]
    ways = _ways(session, {entries.payout_of(m.source) for m in mine} - {""})
    moved: dict[str, Money] = defaultdict(lambda: Money.zero(currency))
    found: dict[str, list[Payment]] = defaultdict(list)
    for movement in mine:
        moved[movement.maintainer_id] -= movement.amount
        if payout_id := entries.payout_of(movement.source):
            way = ways[payout_id]
            came_back = movement.amount.minor < 0
            found[movement.maintainer_id].append(
                Payment(
                    on=movement.on,
                    rail=way.rail,
                    run=way.number,
                    reference=way.reference,
                    reason=way.reason if came_back else None,
                    amount=movement.amount,
                    left=moved[movement.maintainer_id],
                )
            )
    return found


def _with_left(account: Account) -> Account:
    payments = [replace(one, left=account.opening + one.left) for one in account.payments]
    return replace(account, payments=payments)


def _ways(session: Session, payout_ids: Collection[str]) -> dict[str, AnyRow]:
    """The rail of each payout, the number of its run, the rail's own reference, and why it came back."""
    if not payout_ids:
        return {}
    # A range instead of a list: a month has thousands of payouts, and their ids follow one another.
    rows = session.execute(
        select(payout.c.id, payout.c.rail, payout.c.reference, payout.c.reason, PayoutRun.number)
        .join(PayoutRun, PayoutRun.id == payout.c.run_id)
        .where(payout.c.id.between(min(payout_ids), max(payout_ids)))
    )
    return {row.id: row for row in rows}


def _years(session: Session, month: Month, currency: str, maintainer_id: str | None) -> dict[str, Year]:
    first = Month(month.year, 1)
    lines = earned_by_maintainer(session, first, month, maintainer_id=maintainer_id)
    adjusted = adjustments.totals(session, first, month, maintainer_id=maintainer_id)
    paid = ledger.moved_between(
        session, accounts.PAYABLES, currency, first, month, sources="payout", maintainer_id=maintainer_id
    )
    return {
        key: Year(
            month.year,
            Money(lines.get(key, 0) + adjusted.get(key, {}).get("correction", 0), currency),
            Money(-adjusted.get(key, {}).get("withholding", 0), currency),
            paid.get(key, Money.zero(currency)),
        )
        for key in {*lines, *adjusted, *paid}
    }


def _waiting(session: Session, currency: str) -> dict[str, list[Waiting]]:
    """What runs have in their hands: the latest payout of each person, if its money has not gone."""
    latest = select(func.max(payout.c.id)).where(payout.c.currency == currency).group_by(payout.c.maintainer_id)
    query = (
        select(payout.c.maintainer_id, payout.c.state, payout.c.reason, payout.c.amount_minor, PayoutRun.number)
        .join(PayoutRun, PayoutRun.id == payout.c.run_id)
        .where(payout.c.id.in_(latest), payout.c.state.in_(WAITING))
        .order_by(payout.c.id)
    )
    found: dict[str, list[Waiting]] = defaultdict(list)
    for row in session.execute(query):
        found[row.maintainer_id].append(Waiting(row.state, row.number, row.reason, Money(row.amount_minor, currency)))
    return found
