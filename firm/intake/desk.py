"""Desks: each has looked up at once what its kind needs to know, and judges row by row with the subject's rules."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import whole
from firm.bulk import bulk_insert
from firm.columns import Base
from firm.csvfile.reading import cut
from firm.errors import ChambersError, Invalid, NotFound, Refused
from firm.intake.report import LineRefused, Report
from firm.intake.rows import Row, Rows
from firm.money import Money

R = TypeVar("R", bound=Row)

Progress = Callable[[int, int | None], None]
"""Called with how many lines were judged so far, and how many there are."""

STRIDE = 250


class Desk(ABC, Generic[R]):
    """Judges the rows of one file and keeps what they make until it is written."""

    def __init__(self, session: Session, *, by: Actor, now: datetime) -> None:
        self.session = session
        self.by = by
        self.now = now
        self._made: list[Base] = []
        self._records: list[audit.Fact] = []

    @abstractmethod
    def settle(self, row: R, columns: Collection[str]) -> bool:
        """Whether the row is new; False when all it says is known. Raises what refuses it, and writes nothing."""

    def keep(
        self, first: Base, *more: Base, verb: str, subject: str, facts: Mapping[str, Any], in_parts: bool = False
    ) -> None:
        """Remember what a new row made, for `write`, with the audit record of the first.

        `in_parts` says that the others are parts of it, which the record covers too.
        """
        self._made.extend((first, *more))
        self._records.append((verb, subject, facts, whole(first, more) if in_parts else first))

    def write(self) -> None:
        """Write what was kept, in the session's transaction."""
        made: dict[str, list[dict[str, Any]]] = {}
        for each in self._made:
            columns = each.__table__.columns.keys()
            made.setdefault(each.__tablename__, []).append({name: getattr(each, name) for name in columns})
        for table in Base.metadata.sorted_tables:
            bulk_insert(self.session, table, made.get(table.name, []))
        audit.record_all(self.session, self._records, by=self.by, now=self.now)


@dataclass(frozen=True, slots=True)
class Kind(Generic[R]):
    """What a file may hold one of on each line."""

    name: str
    row: type[R]
    desk: Callable[..., Desk[R]]
    example: Mapping[str, str]


def judge(rows: Rows[R], desk: Desk[R], report: Report, progress: Progress) -> None:
    """Settle every row and put what became of it into the report."""
    for done, read in enumerate(rows.read, 1):
        try:
            new = desk.settle(read.row, rows.columns)
        except (Refused, Invalid, NotFound, LineRefused) as error:
            report.refuse(read.line.number, *_cell(read.line.cells, error), error.message)
        else:
            report.new += new
            report.known += not new
        if done % STRIDE == 0 or done == len(rows.read):
            progress(done, len(rows.read))
    report.refused.sort(key=lambda refusal: refusal.line)


def _cell(cells: Mapping[str, str], error: ChambersError) -> tuple[str, str]:
    """The column to blame and what stands there; a field that the subject names may be no column of this file."""
    field = getattr(error, "field", None) or ""
    column: str = getattr(error, "column", "") or (field if field in cells else "")
    return column, cells.get(column, "")


@contextmanager
def blaming(column: str) -> Iterator[None]:
    """What is refused inside is the fault of this column's cell."""
    try:
        yield
    except (Refused, Invalid, NotFound) as error:
        raise LineRefused(error.message, column=column) from error


def refuse_contradiction(
    what: str, known: Mapping[str, object], said: Mapping[str, object], columns: Collection[str]
) -> None:
    """Raises `LineRefused` with both values where a line says of something known what is not so."""
    differing = [name for name, value in said.items() if name in columns and known[name] != value]
    if not differing:
        return
    both = " and ".join(f"{name} {_shown(known[name])}, not {_shown(said[name])}" for name in differing)
    raise LineRefused(
        f"{what} is known already with {both}; correct the line, or change what is known first.", column=differing[0]
    )


def percentage(basis_points: int) -> str:
    """As a file writes it: "12.5%"."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "%" if rest else f"{whole}%"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value.decimal if isinstance(value, Money) else "" if value is None else str(value)
    return cut(text.replace("\n", " / ")) or "nothing"
