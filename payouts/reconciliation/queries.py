"""Reading both what is compared on our side, and the differences there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from firm.errors import NotFound
from firm.ledger import queries as ledger
from firm.listing import WHOLE, Slice
from firm.money import Money
from payouts.differences.model import INCIDENTS, UNASKED, ReconciliationDifference
from payouts.differences.rules import payout_of
from payouts.provider_accounts.model import ProviderAccount
from payouts.reconciliation.rules import LEFT, OurPayout
from payouts.runs.model import Payout, PayoutAttempt, PayoutReversal, payout
from payouts.runs.sending import TO_SEND

PAID_OR_NOT = (*INCIDENTS, "payout-without-transfer")
"""The kinds that say who was paid, and not only how much or when."""

AT_ONCE = 500
"""How many ids are asked for in one statement: databases bound their number."""


class DifferenceNotFound(NotFound):
    """There is no such difference."""


def find(session: Session, key: str, *, locked: bool = False) -> ReconciliationDifference:
    """Raises `DifferenceNotFound`."""
    found = session.get(ReconciliationDifference, key, with_for_update=locked or None)
    if found is None:
        raise DifferenceNotFound(f"There is no difference {key!r}.")
    return found


def page(session: Session, part: Slice = WHOLE, *, state: str | None = None) -> list[ReconciliationDifference]:
    """Differences by id; `state` is "open" or "resolved", or None for both."""
    query = select(ReconciliationDifference)
    if state is not None:
        resolved = ReconciliationDifference.resolved_at
        query = query.where(resolved.is_(None) if state == "open" else resolved.is_not(None))
    return list(session.scalars(part.of(query, ReconciliationDifference.id)))


def all_open(session: Session) -> list[ReconciliationDifference]:
    """Every difference that is not resolved, the oldest first."""
    query = select(ReconciliationDifference).where(ReconciliationDifference.resolved_at.is_(None))
    return list(session.scalars(query.order_by(ReconciliationDifference.opened_at, ReconciliationDifference.id)))


def unexplained(session: Session) -> list[ReconciliationDifference]:
    """What is open and says that restored books may pay once more what was paid, or hold for paid what was not.

    A transfer for a payout that is still to be sent here is none of it: it is looked up before anything is sent.
    """
    of_money = ReconciliationDifference.kind.in_(PAID_OR_NOT), ReconciliationDifference.resolved_at.is_(None)
    query = select(ReconciliationDifference).where(*of_money).order_by(ReconciliationDifference.id)
    found = list(session.scalars(query))
    named = {payout_of(one.our_side) for one in found if one.kind == UNASKED}
    to_send = select(payout.c.id).where(payout.c.id.in_(sorted(named)), payout.c.state.in_(TO_SEND))
    looked_up = set(session.scalars(to_send))
    return [one for one in found if one.kind != UNASKED or payout_of(one.our_side) not in looked_up]


def number_open(session: Session) -> int:
    query = select(func.count()).select_from(ReconciliationDifference)
    return session.scalar(query.where(ReconciliationDifference.resolved_at.is_(None))) or 0


def left_since(session: Session, rail: str, since: datetime) -> list[OurPayout]:
    """The payouts that left over a rail since then."""
    query = (
        select(payout)
        .join(PayoutAttempt, (PayoutAttempt.payout_id == payout.c.id) & (PayoutAttempt.state == "sent"))
        .where(payout.c.rail == rail, payout.c.state.in_(LEFT), PayoutAttempt.started_at >= since)
        .order_by(payout.c.id)
    )
    return list(_ours(session, [Payout(*row) for row in session.execute(query)], rail))


def by_id(session: Session, rail: str, payout_ids: Collection[str]) -> dict[str, OurPayout]:
    """Payouts by id, whatever their state; what is no payout of this rail is left out."""
    found: list[Payout] = []
    wanted = sorted(payout_ids)
    for start in range(0, len(wanted), AT_ONCE):
        some = payout.c.id.in_(wanted[start : start + AT_ONCE])
        rows = session.execute(select(payout).where(payout.c.rail == rail, some))
        found += [Payout(*row) for row in rows]
    return {one.id: one for one in _ours(session, found, rail)}


def is_sending(session: Session, rail: str) -> bool:
    """Whether money may be on its way at this very moment, so that balances cannot be compared."""
    under_way = select(payout.c.id).where(payout.c.rail == rail, payout.c.state.in_(["sending", "unknown"]))
    return session.scalar(under_way.limit(1)) is not None


def held_at(session: Session, account: str) -> dict[str, Money]:
    """What the books hold on an account, by currency."""
    return {
        row.balance.currency: row.balance
        for row in ledger.trial_balance(session)
        if row.account == account and row.balance.minor
    }


def unknown_since(session: Session, moment: datetime) -> list[tuple[Payout, datetime]]:
    """Payouts of which nobody knows whether they left, for longer than that."""
    return _with_start(session, payout.c.state == "unknown", PayoutAttempt.started_at < moment)


def unsettled_since(session: Session, moment: datetime) -> list[tuple[Payout, datetime]]:
    """Payouts that left before that and of which no proof was entered."""
    return _with_start(session, payout.c.state == "sent", PayoutAttempt.started_at < moment)


def _with_start(session: Session, *where: ColumnElement[bool]) -> list[tuple[Payout, datetime]]:
    live = PayoutAttempt.state.in_(["sending", "unknown", "sent"])
    query = (
        select(*payout.c, PayoutAttempt.started_at)
        .join(PayoutAttempt, (PayoutAttempt.payout_id == payout.c.id) & live)
        .where(*where)
        .order_by(payout.c.id)
    )
    return [(Payout(*row[:-1]), row[-1]) for row in session.execute(query)]


def _ours(session: Session, payouts: Sequence[Payout], rail: str) -> Iterator[OurPayout]:
    sums = select(PayoutReversal.payout_id, func.sum(PayoutReversal.amount_minor)).group_by(PayoutReversal.payout_id)
    taken_back = {payout_id: int(minor) for payout_id, minor in session.execute(sums)}
    accounts: dict[str, set[str]] = defaultdict(set)
    for account in session.scalars(select(ProviderAccount).where(ProviderAccount.provider == rail)):
        accounts[account.maintainer_id].add(account.account_id or "")
    for one in payouts:
        reversed_part = Money(taken_back.get(one.id, 0), one.currency)
        yield OurPayout(
            one.id, one.state, one.amount, reversed_part, one.reference, frozenset(accounts[one.maintainer_id] - {""})
        )
