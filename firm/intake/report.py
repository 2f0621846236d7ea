"""What became of a file, line by line."""

from __future__ import annotations

from dataclasses import dataclass, field

from firm.csvfile.reading import cut
from firm.errors import ChambersError, Refused


class LineRefused(ChambersError):
    """One line cannot be taken in; `column` says which cell is to blame, where one is."""

    def __init__(self, message: str, *, column: str = "") -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a line was refused: its number in the file, the column and what stands there, what to do."""

    line: int
    column: str
    text: str
    sentence: str


@dataclass(slots=True)
class Report:
    """What a file comes to. `id` is given once it has been taken in."""

    kind: str
    sha256: str
    total: int = 0
    new: int = 0
    known: int = 0
    refused: list[Refusal] = field(default_factory=list)
    id: str | None = None

    @property
    def refused_lines(self) -> int:
        return len({refusal.line for refusal in self.refused})

    def refuse(self, line: int, column: str, text: str, sentence: str) -> None:
        self.refused.append(Refusal(line, column, _visible(cut(text.strip())), sentence))


def _visible(text: str) -> str:
    """What steers a terminal or a reader of logs is shown as a sign that something was there."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


class ImportRefused(Refused):
    """A file with refused lines is not taken in at all; the report names each of them."""

    def __init__(self, report: Report) -> None:
        count = report.refused_lines
        super().__init__(
            f"{count:,} of {report.total:,} lines {'was' if count == 1 else 'were'} refused, so nothing was imported;"
            " mend them and send the file again."
        )
        self.report = report
