"""Prefixed, sortable ids: `eng_` and a ULID (48 bits of milliseconds, 80 random bits, Crockford base 32).

Ids made later in the same process sort later, also within a millisecond. Journal entries are numbered by the
database instead; `numbered` gives such a number the same outward form.
"""

from __future__ import annotations

import os
import re
import threading
import time
from datetime import UTC, datetime, timedelta

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [a + b for a in _DIGITS for b in _DIGITS]
_FORM = re.compile(r"[a-z]{2,5}_[0-9A-HJKMNP-TV-Z]{13,26}", re.ASCII)


class _Ulids:
    """The last value given, so that the next one is larger even in the same millisecond."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        os.register_at_fork(after_in_child=self._forget)

    def take(self, number: int) -> range:
        fresh = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big") >> 1
        with self._lock:
            first = max(fresh, self._last + 1)
            self._last = first + number - 1
        return range(first, first + number)

    def _forget(self) -> None:
        # A forked child must not go on from its parent's last value: both would give the same ids.
        self._lock = threading.Lock()
        self._last = 0


_ulids = _Ulids()


def _base32(value: int, pairs: int) -> str:
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in range(10 * (pairs - 1), -1, -10)])


def new(prefix: str) -> str:
    """A new id such as `eng_01K9…`."""
    return f"{prefix}_{_base32(_ulids.take(1)[0], 13)}"


def new_many(prefix: str, number: int) -> list[str]:
    """Many new ids, in rising order."""
    return [f"{prefix}_{_base32(value, 13)}" for value in _ulids.take(number)]


def numbered(prefix: str, number: int) -> str:
    """The outward form of a row numbered by the database: 14 digits, so that text sorts as the number does."""
    return f"{prefix}_{_base32(number, 7)}"


def number_of(prefix: str, identifier: str) -> int | None:
    """The number behind `numbered`, or None if the text is no such id."""
    head, _, tail = identifier.partition("_")
    if head != prefix or len(tail) != 14 or not is_id(identifier):
        return None
    value = 0
    for digit in tail:
        value = value * 32 + _DIGITS.index(digit)
    return value if value < 2**63 else None


def made_at(identifier: str) -> datetime | None:
    """When an id was made, to the millisecond, or None for one that does not say."""
    tail = identifier.partition("_")[2]
    if len(tail) != 26 or not is_id(identifier):
        return None
    milliseconds = sum(_DIGITS.index(digit) << 5 * place for place, digit in enumerate(reversed(tail))) >> 80
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


def is_id(text: str) -> bool:
    """Whether the text has the form of one of our ids (names of things never do)."""
    return _FORM.fullmatch(text) is not None
