"""What somebody means who asks for the history of a thing."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from api.histories.kinds import FIRM, KINDS, MONTHS, Kind
from firm import ids
from firm.audit import queries as audit
from firm.audit.search import Trace, of
from firm.errors import NotFound, Refused


class SubjectNotFound(NotFound):
    """Neither the books nor the log know anything by this name."""


class SubjectAmbiguous(Refused):
    """Things of several kinds have this name."""


def trace_of(session: Session, subject: str) -> Trace:
    """Where the log speaks of what is meant: an id, a name, the number of a paper, a month, "firm", or an address.

    What is no thing, or is not there any more, is looked for by the very word that the log has for it. Raises
    `SubjectNotFound`, and `SubjectAmbiguous` where a name alone does not say enough.
    """
    for readings in _readings(subject.removeprefix("/v1/")):
        found = [(kind, trace) for kind, key in readings for trace in kind.found(session, key)]
        if len(found) > 1:
            addresses = " and ".join(f"{kind.resource}/{subject}" for kind, _ in found)
            raise SubjectAmbiguous(f"Several things are called {subject!r}; write which is meant: {addresses}.")
        for _, trace in found:
            return trace
    if audit.knows(session, subject):
        return of(subject)
    raise SubjectNotFound(
        f"Nothing is called {subject!r}; write an id, a name, the number of a paper, a month, or an address such as"
        " packages/ssh."
    )


def _readings(text: str) -> Iterator[list[tuple[Kind, str]]]:
    """What a word may mean, the likeliest first: each time the kinds that it may be of, with its key."""
    yield [(FIRM, text), (MONTHS, text)]
    resource, _, rest = text.partition("/")
    yield [(kind, rest.removesuffix(f"/{kind.part}")) for kind in KINDS if _is_under(kind, resource, rest)]
    if ids.is_id(text):
        prefix = text.partition("_")[0]
        yield [(kind, text) for kind in KINDS if kind.prefix == prefix]
    else:
        yield [(kind, text) for kind in KINDS if kind.named]


def _is_under(kind: Kind, resource: str, rest: str) -> bool:
    return kind.resource == resource and rest.endswith(f"/{kind.part}" if kind.part else "")
