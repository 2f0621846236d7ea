"""Finding bank files and their lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from firm.errors import NotFound
from firm.listing import WHOLE, Slice, where_given
from payouts.bank_files.model import BankFile, BankLine


class FileNotFound(NotFound):
    """No bank file has this id."""


class LineNotFound(NotFound):
    """No bank line has this id."""


@dataclass(frozen=True, slots=True)
class Open:
    """A line with when it came, for lists across files."""

    line: BankLine
    received_at: datetime


def find(session: Session, key: str) -> BankFile:
    """A file by id or by the SHA-256 of its bytes. Raises `FileNotFound`."""
    found = session.scalar(select(BankFile).where(or_(BankFile.id == key, BankFile.sha256 == key)))
    if found is None:
        raise FileNotFound(f"There is no bank file {key!r}.")
    return found


def page(session: Session, part: Slice = WHOLE) -> list[BankFile]:
    """Files in the order of their ids."""
    return list(session.scalars(part.of(select(BankFile), BankFile.id)))


def newest(session: Session, *, limit: int = 50) -> list[BankFile]:
    """The newest files, the newest last."""
    return list(session.scalars(select(BankFile).order_by(BankFile.id.desc()).limit(limit)))[::-1]


def find_line(session: Session, line_id: str) -> BankLine:
    """Raises `LineNotFound`."""
    found = session.get(BankLine, line_id, populate_existing=True)
    if found is None:
        raise LineNotFound(f"There is no bank line {line_id!r}.")
    return found


def lines_of(session: Session, file_id: str) -> list[BankLine]:
    """A file's lines in its order."""
    return list(session.scalars(select(BankLine).where(BankLine.file_id == file_id).order_by(BankLine.number)))


def ids_about(session: Session, payout_id: str) -> list[str]:
    """The ids of the lines that are about a payout."""
    return list(session.scalars(select(BankLine.id).where(BankLine.payout_id == payout_id)))


def counts_of(session: Session, file_id: str) -> dict[str, int]:
    """How many lines of a file are in each state."""
    query = select(BankLine.state, func.count()).where(BankLine.file_id == file_id).group_by(BankLine.state)
    return dict(sorted((state, number) for state, number in session.execute(query)))


def lines_page(session: Session, part: Slice = WHOLE, *, state: str | None = None) -> list[Open]:
    """Lines of all files, in one state or in any, in the order of their ids."""
    query = select(BankLine, BankFile.received_at).join(BankFile, BankFile.id == BankLine.file_id)
    rows = session.execute(part.of(where_given(query, (BankLine.state, state)), BankLine.id))
    return [Open(line, received_at) for line, received_at in rows]
