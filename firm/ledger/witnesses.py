"""Which audit record witnesses an entry: entries that were posted together have one between them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from firm.audit import queries as audit
from firm.audit.search import Act
from firm.ledger.queries import PostedEntry

VERBS = ("entry.posted", "entries.posted")


def of_entry(session: Session, entry: PostedEntry) -> tuple[Act, ...]:
    """The posting that wrote the entry. The same moment and person may have posted others too, in other records."""
    posted = audit.acts_at(session, entry.posted_at, by=entry.posted_by, verbs=VERBS)
    return tuple(act for act in posted if _covers(act.subject, entry.number))


def _covers(subject: str, number: int) -> bool:
    """A record of one entry names its number, one of several the first and the last: "17" or "17-25"."""
    first, _, last = subject.partition("-")
    return int(first) <= number <= int(last or first)
