"""From the lines of a file to typed rows: the form of each cell, judged before anything is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from firm.csvfile import reading, writing
from firm.csvfile.reading import Line
from firm.intake.report import Report


class Row(BaseModel):
    """A line as its columns mean it. A field is a column; a blank cell takes the field's default."""

    model_config = ConfigDict(frozen=True, extra="forbid")


R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Read(Generic[R]):
    """A line whose form is right, and what it says."""

    line: Line
    row: R


@dataclass(frozen=True, slots=True)
class Rows(Generic[R]):
    """The rows of a file, and the columns it has: one that it leaves out says nothing."""

    columns: frozenset[str]
    read: tuple[Read[R], ...]


def rows_of(raw: bytes, model: type[R], report: Report) -> Rows[R]:
    """Read a file; what is wrong with single lines goes into the report. Raises `UnreadableFile`."""
    fields = model.model_fields
    sheet = reading.read(
        raw,
        required=[name for name, field in fields.items() if field.is_required()],
        optional=[name for name, field in fields.items() if not field.is_required()],
    )
    report.total = len(sheet.lines)
    found = [Read(line, row) for line in sheet.lines if (row := _row(line, model, report)) is not None]
    return Rows(frozenset(sheet.columns), tuple(found))


def template(model: type[Row], example: Mapping[str, str]) -> str:
    """A file with the header and one made-up line."""
    columns = list(model.model_fields)
    return writing.write(columns, [[example.get(column, "") for column in columns]])


def _row(line: Line, model: type[R], report: Report) -> R | None:
    faults = dict(line.faults)
    row = None
    if "" not in faults:
        try:
            row = model.model_validate({name: cell for name, cell in line.cells.items() if cell.strip()})
        except ValidationError as error:
            faults = _sentences(error) | faults
    for column, sentence in faults.items():
        report.refuse(line.number, column, line.cells.get(column, ""), sentence)
    return None if faults else row


def _sentences(error: ValidationError) -> dict[str, str]:
    """What is wrong, by column; what a type of column raises is a sentence already."""
    return {
        str(fault["loc"][0]): "Fill in this cell."
        if fault["type"] == "missing"
        else fault["msg"].removeprefix("Value error, ")
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    }
