"""Folding balance deltas into the kept balances, so that reading stays quick."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from firm.ledger.model import BALANCE_KEY, balance, balance_delta


def fold(session: Session) -> None:
    """Add all visible deltas to their balances. May be repeated, and run beside writers and other folds.

    Deltas that another fold holds are left to it; rows are updated in the order of their key, so that two
    folds never wait for each other in a circle. SQLite has no deltas.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    mine = select(balance_delta.c.id).order_by(balance_delta.c.id).with_for_update(skip_locked=True)
    keys = [balance_delta.c[name] for name in BALANCE_KEY]
    gone = (
        delete(balance_delta)
        .where(balance_delta.c.id.in_(mine.scalar_subquery()))
        .returning(*keys, balance_delta.c.amount_minor)
        .cte("gone")
    )
    key = [gone.c[name] for name in BALANCE_KEY]
    sums = select(*key, func.sum(gone.c.amount_minor)).group_by(*key).order_by(*key)
    add = upsert(balance).from_select([*BALANCE_KEY, "amount_minor"], sums)
    session.execute(
        add.on_conflict_do_update(
            index_elements=list(BALANCE_KEY),
            set_={"amount_minor": balance.c.amount_minor + add.excluded.amount_minor},
        )
    )
