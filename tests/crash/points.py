"""The points of the product, and how often schedules have reached them and died there."""

from __future__ import annotations

import importlib
import mmap
import pkgutil
import struct
from collections import Counter

import api
import firm
import payouts
import staffing
from firm import faults

ELSEWHERE: dict[str, str] = {
    "provider-account.begun": "tests/payouts/test_provider_accounts.py",
    "provider-account.answered": "tests/payouts/test_provider_accounts.py",
    "statement-paper.rendered": "tests/payouts/test_statement_papers.py",
}
"""Points that no payout run reaches, and the tests that stop the process there."""

_CELL = struct.Struct("Q")


def registered() -> list[str]:
    """Every point of the product, whatever has been imported before."""
    for package in (firm, staffing, payouts, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    return sorted(faults.POINTS)


def to_hit() -> list[str]:
    """The points that a set of schedules has to have died at."""
    return [name for name in registered() if name not in ELSEWHERE]


class Tally:
    """Counts that a forked process writes and its parent reads, also when the process was killed."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._places = {name: place for place, name in enumerate(names)}
        self._memory = mmap.mmap(-1, max(1, len(names)) * _CELL.size)

    def add(self, name: str) -> None:
        offset = self._places[name] * _CELL.size
        (count,) = _CELL.unpack_from(self._memory, offset)
        _CELL.pack_into(self._memory, offset, count + 1)

    def counts(self) -> Counter[str]:
        return Counter(
            {name: _CELL.unpack_from(self._memory, place * _CELL.size)[0] for name, place in self._places.items()}
        )

    def clear(self) -> None:
        """Begin to count anew."""
        self._memory[:] = bytes(len(self._memory))
