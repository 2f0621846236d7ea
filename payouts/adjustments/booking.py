"""Writing adjustments: their rows, their entries in the books and their audit records, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.bulk import bulk_insert
from firm.ledger import journal
from firm.ledger.entry import Entry
from firm.money import Money
from firm.month import Month
from firm.numbering.operations import take
from payouts.adjustments.model import Adjustment, adjustment
from payouts.adjustments.rules import TITLES, lines_of

SERIES = "ADJ"
COLUMNS = [column.name for column in adjustment.columns]


@dataclass(frozen=True, slots=True)
class Item:
    """An adjustment to book; `funded` is what the package's fund bears of it, in minor units."""

    maintainer_id: str
    kind: str
    amount: Money
    reason: str
    on: date
    adjusts: Month | None = None
    package_id: str = ""
    funded: int = 0
    payout_id: str | None = None
    reverses_id: str | None = None


def hold(session: Session) -> None:
    """Have all adjustments to ourselves until the commit, so that what is decided from them stays true."""
    # The row of a series is locked until the commit; this one gives no numbers. That of a year would not do: an
    # advance may be reversed in January while the close of December recovers it.
    take(session, f"{SERIES}-HELD", 0, 0)


def take_numbers(session: Session, on: date, count: int) -> list[str]:
    return take(session, SERIES, on.year, count)


def book(
    session: Session, items: Sequence[Item], numbers: Sequence[str], *, by: Actor, now: datetime
) -> list[Adjustment]:
    """Book adjustments under numbers taken before. Raises `MonthClosed`, and `AlreadyPosted` never: ids are new."""
    identifiers = ids.new_many("adj", len(items))
    made = [
        _made(item, identifier, number, by, now)
        for item, identifier, number in zip(items, identifiers, numbers, strict=True)
    ]
    journal.post_many(session, [_entry(one, item.on) for one, item in zip(made, items, strict=True)], by=by, now=now)
    bulk_insert(session, adjustment, [{name: getattr(one, name) for name in COLUMNS} for one in made])
    audit.record_all(session, [("adjustment.made", one.id, _facts(one), one) for one in made], by=by, now=now)
    return made


def _made(item: Item, identifier: str, number: str, by: Actor, now: datetime) -> Adjustment:
    return Adjustment(
        id=identifier,
        number=number,
        maintainer_id=item.maintainer_id,
        kind=item.kind,
        month=Month.of(item.on),
        adjusts_month=item.adjusts,
        package_id=item.package_id,
        amount_minor=item.amount.minor,
        funded_minor=item.funded,
        currency=item.amount.currency,
        reason=item.reason,
        payout_id=item.payout_id,
        reverses_id=item.reverses_id,
        entry_source=f"adjustment:{identifier}",
        made_at=now,
        made_by=by.name,
    )


def _entry(one: Adjustment, on: date) -> Entry:
    lines = lines_of(one.kind, one.amount, one.funded, maintainer_id=one.maintainer_id, package_id=one.package_id)
    title = f"{TITLES[one.kind]}{' reversed' if one.reverses_id else ''}"
    return Entry(one.entry_source, on, f"{title}, {one.number}: {one.reason}"[:500], lines, adjusts=one.adjusts_month)


def _facts(one: Adjustment) -> dict[str, Any]:
    return {
        "number": one.number,
        "kind": one.kind,
        "maintainer_id": one.maintainer_id,
        "month": str(one.month),
        "adjusts": None if one.adjusts_month is None else str(one.adjusts_month),
        "amount_minor": one.amount_minor,
        "reverses_id": one.reverses_id,
    }
