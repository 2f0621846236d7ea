"""Reading a part of a list: so many rows from a place on, in the order of their ids, and only those asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Select, tuple_

Q = TypeVar("Q", bound=Select[*tuple[Any, ...]])
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slice:
    """At most `limit` rows behind the one whose key is `after`, the oldest first or the newest; without them, all.

    A key is a value for each of the columns that give a list its order, together unique.
    """

    after: tuple[str | int, ...] = ()
    limit: int | None = None
    newest_first: bool = False

    def of(self, query: Q, *columns: Any) -> Q:
        """This part of a query's rows, which are in the order of these columns."""
        if self.after:
            here = columns[0] if len(columns) == 1 else tuple_(*columns)
            there = self.after[0] if len(columns) == 1 else self.after
            query = query.where(here < there if self.newest_first else here > there)
        order = [column.desc() if self.newest_first else column.asc() for column in columns]
        return query.order_by(*order).limit(self.limit)

    def among(self, rows: Iterable[T], key: Callable[[T], str]) -> list[T]:
        """This part of rows that were worked out and stand in no table."""
        ordered = sorted(rows, key=key, reverse=self.newest_first)
        if self.after:
            there = str(self.after[0])
            ordered = [row for row in ordered if (key(row) < there if self.newest_first else key(row) > there)]
        return ordered[: self.limit]


WHOLE = Slice()


def where_given(query: Q, *wanted: tuple[Any, Any]) -> Q:
    """The rows whose columns have the values wanted, pair by pair; None wants nothing."""
    return query.where(*(column == value for column, value in wanted if value is not None))
