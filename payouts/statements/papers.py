"""A month's statements as PDF files in a folder: one after another in bounded memory, and again where it stopped.

Beside the papers lies SHA256SUMS, a line for each file once it is whole, in the form that `sha256sum --check` reads. A
file whose bytes are those of its line is not made again.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from firm import faults
from firm.db import reading
from firm.documents import papers
from firm.listing import Slice
from firm.month import Month
from payouts.statements import queries

SUMS = "SHA256SUMS"
BATCH = 100

RENDERED = faults.point("statement-paper.rendered", "a statement's PDF is made, and not written to its folder")

_LINE = re.compile(r"([0-9a-f]{64})  (\S+\.pdf)", re.ASCII)

Progress = Callable[[int, int | None], None]
Wanted = Iterator[tuple[str, str | None]]
"""Names of files, each with the figures it is made from, or None where it is there already."""
Render = Callable[[Wanted], Iterator[tuple[str, bytes | None]]]


@dataclass(frozen=True, slots=True)
class Rendered:
    """How many papers were made, and how many were there already."""

    made: int
    kept: int


def render_month(
    month: Month, folder: Path, *, processes: int = 1, progress: Progress = lambda done, total: None
) -> Rendered:
    """Write every statement of a month, also corrected ones, into a folder. May be repeated.

    A paper appears whole or not at all. Raises `StatementNotFound` when the month has none.
    """
    with reading() as session:
        total = queries.refuse_none(session, month)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    known = _known(folder)
    kept = made = 0
    progress(0, total)
    with _sums(folder) as note, _rendering(processes) as render:
        for name, content in render(_missing(month, folder, known)):
            if content is None:
                kept += 1
            else:
                faults.reached(RENDERED)
                _write(folder / name, content)
                note(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
                made += 1
            progress(kept + made, total)
    return Rendered(made, kept)


def _missing(month: Month, folder: Path, known: dict[str, str]) -> Wanted:
    """The month's papers, a batch at a time; those that are there already come without figures."""
    part = Slice(limit=BATCH)
    while True:
        # Each batch is read in a transaction of its own: none is open while papers are made.
        with reading() as session:
            rows = queries.page(session, part, month=month)
        for row in rows:
            name = f"{row.number}.pdf"
            is_there = name in known and known[name] == _digest(folder / name)
            yield name, None if is_there else row.figures
        if len(rows) < BATCH:
            return
        part = Slice((rows[-1].id,), BATCH)


def _known(folder: Path) -> dict[str, str]:
    """Name to hash of the papers that were finished; a line torn by a crash counts for nothing."""
    path = folder / SUMS
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = (_LINE.fullmatch(line) for line in lines)
    return {match[2]: match[1] for match in found if match is not None}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


@contextmanager
def _sums(folder: Path) -> Iterator[Callable[[str], None]]:
    path = folder / SUMS
    torn = path.exists() and not path.read_bytes().endswith(b"\n")
    with path.open("a", encoding="utf-8") as file:
        if torn:
            file.write("\n")

        def note(line: str) -> None:
            file.write(line)
            file.flush()

        yield note


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    # What somebody earns is for their eyes and the firm's.
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
    partial.replace(path)


@contextmanager
def _rendering(processes: int) -> Iterator[Render]:
    if processes <= 1:
        yield lambda wanted: ((name, None if text is None else pdf(text)) for name, text in wanted)
        return
    # Fresh processes: a fork would share connections to the database.
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield lambda wanted: _spread(pool, wanted, ahead=4 * processes)


def _spread(pool: ProcessPoolExecutor, wanted: Wanted, *, ahead: int) -> Iterator[tuple[str, bytes | None]]:
    """Papers in their order, at most so many of them under way."""
    under_way: deque[tuple[str, Future[bytes] | None]] = deque()
    for name, text in wanted:
        under_way.append((name, None if text is None else pool.submit(pdf, text)))
        if len(under_way) >= ahead:
            yield _taken(under_way)
    while under_way:
        yield _taken(under_way)


def _taken(under_way: deque[tuple[str, Future[bytes] | None]]) -> tuple[str, bytes | None]:
    name, future = under_way.popleft()
    return name, None if future is None else future.result()


def pdf(figures: str) -> bytes:
    """The paper of figures as they are stored."""
    return papers.pdf(json.loads(figures))
