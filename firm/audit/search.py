"""What to look for in the log: a thing's history, a person, a request, a span of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_

from firm.audit.model import audit_record

_COLUMNS = audit_record.c


@dataclass(frozen=True, slots=True)
class Act:
    """Records of an act on something wider, which made or changed a thing together with others.

    `at` is when, where the thing keeps it; without it, every act of this verb on that subject counts.
    """

    verb: str
    subject: str
    at: datetime | None = None

    def matches(self) -> ColumnElement[bool]:
        same = and_(_COLUMNS.verb == self.verb, _COLUMNS.subject == self.subject)
        return same if self.at is None else and_(same, _COLUMNS.at == self.at)


@dataclass(frozen=True, slots=True)
class Trace:
    """Where the log speaks of a thing: all records of its `subjects`, and those of the `acts` it had a part in."""

    subjects: frozenset[str]
    acts: tuple[Act, ...] = ()

    def matches(self) -> ColumnElement[bool]:
        own = _COLUMNS.subject.in_(sorted(self.subjects))
        if not self.acts:
            return own
        # The subjects of all stand in front of what they are asked for, so that one look into one index finds them.
        named = _COLUMNS.subject.in_(sorted(self.subjects | {act.subject for act in self.acts}))
        return and_(named, or_(own, *(act.matches() for act in self.acts)))


@dataclass(frozen=True, slots=True)
class Search:
    """Which records are wanted: each that is given narrows it. `since` counts, `until` does not any more."""

    trace: Trace | None = None
    actor: str | None = None
    on_behalf_of: str | None = None
    token_id: str | None = None
    request_id: str | None = None
    verb: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        if self.trace is not None:
            yield self.trace.matches()
        for name in ("actor", "on_behalf_of", "token_id", "request_id", "verb"):
            value = getattr(self, name)
            if value is not None:
                yield _COLUMNS[name] == value
        if self.since is not None:
            yield _COLUMNS.at >= self.since
        if self.until is not None:
            yield _COLUMNS.at < self.until


EVERYTHING = Search()


def of(*subjects: str, acts: tuple[Act, ...] = ()) -> Trace:
    """The trace of what the log calls by these names."""
    return Trace(frozenset(subjects), acts)
