"""Which records are about one vulnerability, and what they change of what is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from staffing.work.osv import Advisory

_NEVER = datetime.max.replace(tzinfo=UTC)

Stored = Mapping[str, datetime | None]
"""The day of each vulnerability of a package that is there already, by its key; None is in no report."""


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One vulnerability: every name it has, and the record that tells of it."""

    names: frozenset[str]
    told_by: Advisory


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is new and known, and the keys of what no report shall count any more.

    `dated` are those of the known that have a day now and had none; `undated` is how many have none still.
    """

    new: list[Advisory]
    known: dict[str, Advisory]
    dated: dict[str, Advisory]
    undated: int
    withdrawn: set[str]
    repeated: set[str]


def compare(records: Iterable[Advisory], stored: Stored) -> Comparison:
    """Compare a package's records, withdrawn ones among them, with what is stored of it."""
    found = list(records)
    living = gather(record for record in found if record.withdrawn_at is None)
    # A record may be withdrawn because another one tells of the same vulnerability, which stays one.
    told = {name for one in living for name in one.names}
    gone = {record.id for record in found if record.withdrawn_at is not None} - told
    keys = [(one.told_by, _by_day(stored, one.names)) for one in living]
    known = {names[0]: record for record, names in keys if names}
    new = [record for record, names in keys if not names]
    dayless = {key: record for key, record in known.items() if stored[key] is None}
    return Comparison(
        new=new,
        known=known,
        dated={key: record for key, record in dayless.items() if record.published_at is not None},
        undated=sum(record.published_at is None for record in (*new, *dayless.values())),
        withdrawn={key for key in gone if stored.get(key) is not None},
        repeated={key for _, names in keys for key in names[1:] if stored[key] is not None},
    )


def gather(records: Iterable[Advisory]) -> list[Vulnerability]:
    """Records that share an id or an alias are about one vulnerability; the one published first tells of it.

    Databases give each vulnerability an id of their own and name those of the others as aliases, which holds both ways
    and from one to the next: https://ossf.github.io/osv-schema/#aliases-field.
    """
    found = list(records)
    names = _Names()
    for record in found:
        for alias in record.aliases:
            names.join(record.id, alias)
    together: dict[str, list[Advisory]] = defaultdict(list)
    for record in found:
        together[names.first(record.id)].append(record)
    return [_vulnerability(group) for group in together.values()]


def _vulnerability(records: list[Advisory]) -> Vulnerability:
    names = frozenset(name for record in records for name in (record.id, *record.aliases))
    return Vulnerability(names, min(records, key=lambda record: record.published_at or _NEVER))


def _by_day(stored: Stored, names: Iterable[str]) -> list[str]:
    """The stored keys among the names, the first to be published before the others."""
    return sorted((name for name in names if name in stored), key=lambda name: (stored[name] or _NEVER, name))


class _Names:
    """Sets of names that mean the same, each known by one of them."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def first(self, name: str) -> str:
        while (above := self._above.get(name, name)) != name:
            # Each second step is left out from now on, so that no chain grows long.
            self._above[name] = self._above.get(above, above)
            name = above
        return name

    def join(self, one: str, other: str) -> None:
        self._above[self.first(other)] = self.first(one)
