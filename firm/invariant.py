"""An invariant as a value: a name, the sentence that must hold, and a query that finds what breaks it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Invariant:
    """`query` is SQL both databases understand; every row it returns is a breach, shown as it is."""

    name: str
    sentence: str
    query: str
