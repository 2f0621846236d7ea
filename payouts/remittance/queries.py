"""Finding advices, payouts that wait for one, and what one has to say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from firm.db import AnyRow
from firm.errors import NotFound
from firm.ledger import accounts
from firm.ledger import queries as ledger
from firm.listing import WHOLE, Slice, where_given
from payouts.remittance.model import remittance_advice
from payouts.remittance.rules import Cover, covers
from payouts.runs.model import Payout, PayoutAttempt, payout

PAID = ("sent", "settled")
"""The states of a payout that has been paid as far as anybody knows."""


class AdviceNotFound(NotFound):
    """No remittance advice has this id or number, or the payout has none yet."""


def find(session: Session, key: str) -> AnyRow:
    """An advice by id or number. Raises `AdviceNotFound`."""
    table = remittance_advice
    row = session.execute(select(table).where(or_(table.c.id == key, table.c.number == key))).one_or_none()
    if row is None:
        raise AdviceNotFound(f"There is no remittance advice {key!r}.")
    return row


def of_payout(session: Session, payout_id: str) -> AnyRow | None:
    """The advice of a payout, if it has been issued."""
    return session.execute(select(remittance_advice).where(remittance_advice.c.payout_id == payout_id)).one_or_none()


def page(session: Session, part: Slice = WHOLE, *, maintainer_id: str | None = None) -> list[AnyRow]:
    """Advices in the order of their ids."""
    query = where_given(select(remittance_advice), (remittance_advice.c.maintainer_id, maintainer_id))
    return list(session.execute(part.of(query, remittance_advice.c.id)))


def figures(row: AnyRow) -> Mapping[str, object]:
    """The frozen figures of an advice."""
    found: Mapping[str, object] = json.loads(row.figures)
    return found


def waiting(session: Session, *, run_id: str | None = None, after: str = "", limit: int = 500) -> list[str]:
    """Ids of payouts that were sent and have no advice yet, in their order."""
    query = (
        select(payout.c.id)
        .outerjoin(remittance_advice, remittance_advice.c.payout_id == payout.c.id)
        .where(payout.c.state.in_(PAID), remittance_advice.c.id.is_(None), payout.c.id > after)
    )
    if run_id is not None:
        query = query.where(payout.c.run_id == run_id)
    return list(session.scalars(query.order_by(payout.c.id).limit(limit)))


def cover_of(session: Session, paid: Payout) -> Cover:
    """What a payout pays for: the books up to its own reservation."""
    until, whose = f"payout:{paid.id}", paid.maintainer_id
    moved = ledger.history(session, accounts.PAYABLES, paid.currency, maintainer_id=whose, until=until)
    return covers(moved, paid.amount)


def sent_at(session: Session, payout_id: str) -> datetime | None:
    """When the attempt that paid was answered."""
    query = select(func.max(PayoutAttempt.finished_at)).where(
        PayoutAttempt.payout_id == payout_id, PayoutAttempt.state == "sent"
    )
    return session.scalar(query)
