"""Writing files that every spreadsheet opens and none runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from firm.csvfile.formulas import guarded
from firm.money import Money
from firm.month import Month

Cell = str | int | Money | Month | date | None
"""Text is guarded against formulas; numbers and amounts stay numbers, negative ones too."""


def write(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A file with these columns: commas, quotes where needed, CR LF at each line's end (RFC 4180)."""
    return ",".join(quoted(name) for name in header) + "\r\n" + "".join(line_of(row) for row in rows)


def line_of(row: Sequence[Cell]) -> str:
    """One line of a file, for those that are written piece by piece."""
    return ",".join(quoted(shown(cell)) for cell in row) + "\r\n"


def shown(cell: Cell) -> str:
    """A cell's text, before any quotes."""
    if isinstance(cell, str):
        return guarded(cell)
    return "" if cell is None else cell.decimal if isinstance(cell, Money) else str(cell)


def quoted(text: str) -> str:
    """The text between quotes where it holds what a reader could take for a separator, or begins or ends blank."""
    if text == text.strip() and not any(sign in text for sign in ',;"\t\r\n'):
        return text
    return '"' + text.replace('"', '""') + '"'
