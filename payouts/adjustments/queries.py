"""Finding adjustments, and what they come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from firm.errors import NotFound
from firm.ledger import accounts, journal
from firm.ledger import queries as ledger
from firm.listing import WHOLE, Slice, where_given
from firm.money import Money
from firm.month import Month
from payouts.adjustments.model import Adjustment, adjustment


class AdjustmentNotFound(NotFound):
    """No adjustment has this id or number."""


def find(session: Session, key: str) -> Adjustment:
    """An adjustment by id or number. Raises `AdjustmentNotFound`."""
    row = session.execute(
        select(adjustment).where(or_(adjustment.c.id == key, adjustment.c.number == key))
    ).one_or_none()
    if row is None:
        raise AdjustmentNotFound(f"There is no adjustment {key!r}.")
    return Adjustment(*row)


def page(
    session: Session,
    part: Slice = WHOLE,
    *,
    maintainer_id: str | None = None,
    month: Month | None = None,
    kind: str | None = None,
) -> list[Adjustment]:
    """Adjustments in the order of their ids; of one maintainer, posted in one month, of one kind, or all."""
    table = adjustment.c
    query = where_given(
        select(adjustment), (table.maintainer_id, maintainer_id), (table.month, month), (table.kind, kind)
    )
    return [Adjustment(*row) for row in session.execute(part.of(query, table.id))]


def of_month(session: Session, month: Month, *, maintainer_id: str | None = None) -> dict[str, list[Adjustment]]:
    """What a month's adjustments are, by maintainer, each in the order of their numbers."""
    query = select(adjustment).where(adjustment.c.month == month).order_by(adjustment.c.id)
    if maintainer_id is not None:
        query = query.where(adjustment.c.maintainer_id == maintainer_id)
    found: dict[str, list[Adjustment]] = defaultdict(list)
    for row in session.execute(query):
        found[row.maintainer_id].append(Adjustment(*row))
    return found


def totals(
    session: Session, first: Month, last: Month, *, maintainer_id: str | None = None
) -> dict[str, Mapping[str, int]]:
    """For each maintainer, what the adjustments of the months from `first` to `last` come to, by kind."""
    total = func.sum(adjustment.c.amount_minor)
    query = (
        select(adjustment.c.maintainer_id, adjustment.c.kind, total)
        .where(adjustment.c.month.between(first, last))
        .group_by(adjustment.c.maintainer_id, adjustment.c.kind)
    )
    if maintainer_id is not None:
        query = query.where(adjustment.c.maintainer_id == maintainer_id)
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for key, kind, minor in session.execute(query):
        found[key][kind] = int(minor)
    return dict(found)


def outstanding(session: Session, currency: str) -> dict[str, Money]:
    """What each maintainer has been advanced and not given back by work, by id; nobody who owes nothing."""
    return ledger.balances_by(session, accounts.ADVANCES, currency, "maintainer_id")


def gross_by(session: Session, name: str, maintainer_id: str, month: Month) -> int:
    """What one person's adjustments of one maintainer move in a month, whichever way each of them goes."""
    moved = func.coalesce(func.sum(func.abs(adjustment.c.amount_minor)), 0)
    query = select(moved).where(
        adjustment.c.maintainer_id == maintainer_id, adjustment.c.month == month, adjustment.c.made_by == name
    )
    return int(session.scalar(query) or 0)


def drawn_from_fund(session: Session, package_id: str, month: Month) -> int:
    """What a month's earnings drew from a package's fund, less what corrections have given back to it since."""
    try:
        lines = ledger.entry_of(session, f"fund-use:{month}").lines
    except journal.EntryNotFound:
        return 0
    drawn = sum(line.amount.minor for line in lines if line.package_id == package_id)
    given_back = select(func.coalesce(func.sum(adjustment.c.funded_minor), 0)).where(
        adjustment.c.package_id == package_id, adjustment.c.adjusts_month == month, adjustment.c.funded_minor < 0
    )
    return drawn + int(session.scalar(given_back) or 0)


def reversals_of(session: Session, adjustment_ids: Collection[str]) -> dict[str, str]:
    """Which of these adjustments are taken back, each with the id of the one that does."""
    query = select(adjustment.c.reverses_id, adjustment.c.id).where(adjustment.c.reverses_id.in_(adjustment_ids))
    return dict(session.execute(query).all()) if adjustment_ids else {}


def ids_for(session: Session, payout_id: str, maintainer_id: str) -> list[str]:
    """The ids of the adjustments for what a payout to a maintainer cost, reversed or not."""
    of_payout = adjustment.c.maintainer_id == maintainer_id, adjustment.c.payout_id == payout_id
    return list(session.scalars(select(adjustment.c.id).where(*of_payout)))
