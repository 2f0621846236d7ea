"""Finding statements, and reading from the books what they account for."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from firm.db import AnyRow
from firm.errors import NotFound
from firm.ledger import accounts
from firm.ledger import queries as ledger
from firm.money import Money
from firm.month import Month
from payouts.earnings.queries import Earning, earned
from payouts.runs import queries as runs
from payouts.statements.model import statement
from payouts.statements.rules import Account, Payment, account_of


class StatementNotFound(NotFound):
    """No statement has this id or number."""


def find(session: Session, key: str) -> AnyRow:
    """A statement by id or number. Raises `StatementNotFound`."""
    row = session.execute(select(statement).where(or_(statement.c.id == key, statement.c.number == key))).one_or_none()
    if row is None:
        raise StatementNotFound(f"There is no statement {key!r}.")
    return row


def of_month(session: Session, maintainer_id: str, month: Month) -> AnyRow:
    """A maintainer's latest statement of a month. Raises `StatementNotFound`."""
    row = session.execute(
        select(statement)
        .where(statement.c.maintainer_id == maintainer_id, statement.c.month == month)
        .order_by(statement.c.version.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise StatementNotFound(
            f"There is no statement of {month.name} for this maintainer; it is issued when the month closes."
        )
    return row


def page(
    session: Session,
    *,
    maintainer_id: str | None = None,
    month: Month | None = None,
    after: str = "",
    limit: int = 50,
) -> list[AnyRow]:
    """Statements in the order of their ids, after one of them."""
    query = select(statement).where(statement.c.id > after).order_by(statement.c.id).limit(limit)
    if maintainer_id is not None:
        query = query.where(statement.c.maintainer_id == maintainer_id)
    if month is not None:
        query = query.where(statement.c.month == month)
    return list(session.execute(query))


def figures(row: AnyRow) -> Mapping[str, object]:
    """The frozen figures of a statement."""
    found: Mapping[str, object] = json.loads(row.figures)
    return found


def accounts_of(session: Session, month: Month, currency: str) -> list[Account]:
    """Every maintainer's month: those with an opening balance, earnings or payments in it."""
    closing = _closing(session, month, currency)
    lines = _earnings(session, month)
    payments = _payments(session, month, currency)
    zero = Money.zero(currency)
    found = [
        account_of(key, closing.get(key, zero), lines.get(key, []), payments.get(key, []))
        for key in sorted({*closing, *lines, *payments})
    ]
    return [account for account in found if account.opening or account.earnings or account.payments]


def _closing(session: Session, month: Month, currency: str) -> dict[str, Money]:
    """Payables at the end of the month: today's kept balances less what later months moved."""
    owed = ledger.balances_by(session, accounts.PAYABLES, currency, "maintainer_id")
    later = ledger.moved_after(session, accounts.PAYABLES, currency, month)
    zero = Money.zero(currency)
    return {key: later.get(key, zero) - owed.get(key, zero) for key in {*owed, *later}}


def _earnings(session: Session, month: Month) -> dict[str, list[Earning]]:
    found: dict[str, list[Earning]] = defaultdict(list)
    for line in earned(session, month):
        found[line.maintainer_id].append(line)
    return found


def _payments(session: Session, month: Month, currency: str) -> dict[str, list[Payment]]:
    """What payouts moved on payables in the month: debits were reserved for one, credits came back."""
    found: dict[str, list[Payment]] = defaultdict(list)
    movements = ledger.movements(session, accounts.PAYABLES, currency, month)
    by_payout = [(m.source.rpartition(":")[2], m) for m in movements if m.source.startswith("payout")]
    ways = runs.rails_and_numbers(session, {payout_id for payout_id, _ in by_payout})
    for payout_id, movement in by_payout:
        rail, number = ways[payout_id]
        found[movement.maintainer_id].append(Payment(movement.on, rail, number, movement.amount))
    return found
