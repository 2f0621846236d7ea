"""A gauge as a value: something about the business that somebody should be told of before a client does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Gauge:
    """`read` answers from the database at a moment, with a whole number: a count, or seconds for an age.

    The name ends in its unit, as `_seconds` does, unless it counts things.
    """

    name: str
    sentence: str
    read: Callable[[Session, datetime], int]


def seconds_since(moment: datetime | None, now: datetime) -> int:
    """The age of the oldest of something, or 0 when there is none."""
    return 0 if moment is None else max(0, int((now - moment).total_seconds()))
