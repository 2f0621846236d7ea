"""Finding statements."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from firm.db import AnyRow
from firm.errors import NotFound
from firm.listing import WHOLE, Slice, where_given
from firm.month import Month
from payouts.statements.model import statement


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


def versions(session: Session, maintainer_id: str, month: Month) -> list[AnyRow]:
    """A maintainer's statements of a month, the first one and those that correct it, in the order of their issue."""
    query = select(statement).where(statement.c.maintainer_id == maintainer_id, statement.c.month == month)
    return list(session.execute(query.order_by(statement.c.version)))


def corrections_of(session: Session, statement_ids: Collection[str]) -> dict[str, str]:
    """Which of these statements were issued again, each with the id of the one that corrects it."""
    query = select(statement.c.corrects_id, statement.c.id).where(statement.c.corrects_id.in_(statement_ids))
    return dict(session.execute(query.order_by(statement.c.version.desc())).all()) if statement_ids else {}


def number_of_month(session: Session, month: Month) -> int:
    """How many statements a month has, those that correct others among them."""
    return session.scalar(select(func.count()).select_from(statement).where(statement.c.month == month)) or 0


def refuse_none(session: Session, month: Month) -> int:
    """How many statements the month has. Raises `StatementNotFound` when it has none."""
    number = number_of_month(session, month)
    if not number:
        raise StatementNotFound(f"There are no statements of {month.name}; they are issued when it closes.")
    return number


def page(
    session: Session, part: Slice = WHOLE, *, maintainer_id: str | None = None, month: Month | None = None
) -> list[AnyRow]:
    """Statements in the order of their ids."""
    table = statement.c
    query = where_given(select(statement), (table.maintainer_id, maintainer_id), (table.month, month))
    return list(session.execute(part.of(query, table.id)))


def figures(row: AnyRow) -> Mapping[str, object]:
    """The frozen figures of a statement."""
    found: Mapping[str, object] = json.loads(row.figures)
    return found
