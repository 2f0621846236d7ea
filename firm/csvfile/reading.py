"""Reading files from outside: bytes in, lines with their numbers and cells out.

What is wrong with the file as a whole is raised as `UnreadableFile`; what is wrong with one line is among the
lines, so that a report can name every such line at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from firm.csvfile.formulas import fault_of, unguarded
from firm.errors import Invalid

MOST_BYTES = 10_000_000
MOST_LINES = 50_000
MOST_COLUMNS = 200
MOST_CHARACTERS = 10_000
"""In one cell."""

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}

_BREAK = re.compile(r"\r\n|\r|\n")
_HEADER_LINE = re.compile(r"[^\r\n]*")
_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_ADVICE = 'Save it once more as "CSV UTF-8".'


class UnreadableFile(Invalid):
    """The file as a whole is not in the form that we read."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file that holds something: its cells by column, and what is wrong with their form.

    `number` is the line of the file where it begins, the header being line 1, whatever line breaks its cells hold.
    A fault of the whole line stands under the column "", and the line then has no cells.
    """

    number: int
    cells: Mapping[str, str]
    faults: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The columns that the file has, in its order, and its lines."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]


def read(raw: bytes, *, required: Sequence[str], optional: Sequence[str] = ()) -> Sheet:
    """Read a file with these columns, in any order. Raises `UnreadableFile`."""
    text = _text_of(raw)
    records = _records(text, _separator(text))
    _, header = next(records, (1, [""]))
    columns = tuple(name.strip() for name in header)
    _refuse_columns(columns, required, optional)
    lines = [_line(number, columns, cells) for number, cells in _limited(records) if any(map(str.strip, cells))]
    if not lines:
        raise UnreadableFile("The file has a header and no line below it; write one line for each thing to import.")
    return Sheet(columns, tuple(lines))


def _text_of(raw: bytes) -> str:
    if len(raw) > MOST_BYTES:
        raise UnreadableFile(f"The file is larger than {MOST_BYTES // 1_000_000} MB; divide it and import each part.")
    if raw.startswith(_MARKS):
        raise UnreadableFile(f"The file is in UTF-16 or UTF-32; only UTF-8 is read. {_ADVICE}")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        number = _line_at(raw[: error.start].decode("utf-8"))
        raise UnreadableFile(
            f"Line {number} is not in UTF-8; the file is perhaps in Latin-1 or another encoding. {_ADVICE}"
        ) from None
    if "\x00" in text:
        number = _line_at(text[: text.index("\x00")])
        raise UnreadableFile(
            f"Line {number} holds a NUL character; the file is in UTF-16 or is no text at all. {_ADVICE}"
        )
    return text


def _line_at(before: str) -> int:
    """The number of the line that follows this text."""
    return 1 + len(_BREAK.findall(before))


def _separator(text: str) -> str:
    """The separator that the header holds most of; a comma where it holds none."""
    header = _HEADER_LINE.match(text)
    line = header[0] if header else ""
    return max(SEPARATORS, key=line.count)


def _pattern(separator: str) -> re.Pattern[str]:
    # A cell in quotes or without, and what ends it. The quantifiers are possessive: a quote that is never closed
    # costs one pass over the rest of the file, and no memory of ways back.
    return re.compile(rf'(?:"((?:[^"]++|"")*+)"|([^"{separator}\r\n]*+))({separator}|\r\n|\r|\n|\Z)')


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Each record's first line and its cells. Raises `UnreadableFile` where quotes do not fit."""
    pattern = _pattern(separator)
    at, number, begun = 0, 1, 1
    cells: list[str] = []
    while at < len(text) or cells:
        found = pattern.match(text, at)
        if found is None:
            raise UnreadableFile(_quotes_sentence(text, at, number, separator))
        quoted, plain, end = found.groups()
        if len(cells) == MOST_COLUMNS:
            raise UnreadableFile(f"Line {begun} has more than {MOST_COLUMNS} cells; leave one for each column.")
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        if quoted is not None and ("\n" in quoted or "\r" in quoted):
            number += len(_BREAK.findall(quoted))
        at = found.end()
        if end != separator:
            yield begun, cells
            number += 1
            begun, cells = number, []


def _limited(records: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    for count, record in enumerate(records, 1):
        if count > MOST_LINES:
            raise UnreadableFile(f"The file has more than {MOST_LINES:,} lines; divide it and import each part.")
        yield record


def _quotes_sentence(text: str, at: int, number: int, separator: str) -> str:
    if text[at] != '"':
        return (
            f'A cell of line {number} has a quote (") inside; put the whole cell between quotes'
            " and write each quote in it twice."
        )
    if re.compile(r'"(?:[^"]++|"")*+\Z').match(text, at):
        return f'A quote (") that opens in line {number} is never closed; close it, or write it twice inside quotes.'
    return (
        f'A cell that begins in line {number} goes on behind its closing quote ("); end it there with one of the'
        f" {SEPARATORS[separator]}, or write the quote twice."
    )


def _refuse_columns(columns: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> None:
    known = [*required, *optional]
    if columns[0].startswith("sep="):
        raise UnreadableFile("Take away the line that begins with `sep=`; the separator is seen without it.")
    if not any(columns):
        raise UnreadableFile(f"The first line is blank; it must name the columns: {', '.join(known)}.")
    if not all(columns):
        place = columns.index("") + 1
        raise UnreadableFile(f"Column {place} of the header has no name; name it or take the column away.")
    if unknown := [cut(name) for name in columns if name not in known]:
        raise UnreadableFile(
            f"The header names {', '.join(map(repr, unknown))}, which is no column here; the columns are"
            f" {', '.join(known)}, separated by commas, semicolons or tabs."
        )
    if doubled := sorted({name for name in columns if columns.count(name) > 1}):
        raise UnreadableFile(f"The header names {', '.join(doubled)} twice; a column is there once.")
    if missing := [name for name in required if name not in columns]:
        raise UnreadableFile(f"The header lacks {', '.join(missing)}; add the column and fill it in.")


def _line(number: int, columns: Sequence[str], cells: Sequence[str]) -> Line:
    if len(cells) != len(columns):
        sentence = (
            f"The line has {len(cells)} cells and the header names {len(columns)} columns; put a cell that holds"
            " the separator between quotes, and leave no cell out."
        )
        return Line(number, {}, {"": sentence})
    faults = {name: fault for name, cell in zip(columns, cells, strict=True) if (fault := _fault(cell))}
    return Line(number, dict(zip(columns, map(unguarded, cells), strict=True)), faults)


def _fault(cell: str) -> str:
    if len(cell) > MOST_CHARACTERS:
        return f"The cell is longer than {MOST_CHARACTERS:,} characters; shorten it."
    return fault_of(cell)


def cut(text: str, most: int = 60) -> str:
    """Text as a report quotes it: long ones end in an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"
