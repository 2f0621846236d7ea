"""An invariant as a value: a name, the sentence that must hold, and a query or a walk that finds what breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Invariant:
    """`query` is SQL both databases understand; every row it returns is a breach, shown as it is."""

    name: str
    sentence: str
    query: str


class Unchecked(Exception):
    """What a walk raises that cannot be made here; the words say why."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What SQL has no words for: `breaches` reads what it needs and yields what is broken."""

    name: str
    sentence: str
    breaches: Callable[[Session], Iterator[dict[str, Any]]]
