"""What one request wraps around its transactions: what must hold at the first write, and what goes with the last.

Use cases know nothing of it. A request that comes with conditions (an Idempotency-Key to claim, a version that
must still be current) puts them into an envelope, and `firm.db` asks them inside the first transaction that
writes, where nobody can come between. A request that keeps its answer has its last commit held back until the
answer is written into the same transaction: the effect and the answer are there together, or neither is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

Condition = Callable[[Session], None]
"""Asked in the first transaction that writes; raises to refuse the request. It may write, and read as others do."""


@dataclass(slots=True)
class Envelope:
    """The conditions of a request, whether its last commit waits for the answer, and the session that is open."""

    conditions: list[Condition] = field(default_factory=list)
    keeps_answer: bool = False
    session: Session | None = None
    """The one whose commit is held back, that answers a condition, or that holds a view: reading joins it."""
    first_done: bool = False


_envelope: ContextVar[Envelope | None] = ContextVar("envelope", default=None)


def current() -> Envelope | None:
    """The envelope of this request, if it has one."""
    return _envelope.get()


def put(envelope: Envelope | None) -> None:
    """Wrap what follows in this context; None takes the envelope away."""
    _envelope.set(envelope)


@contextmanager
def wrapping(envelope: Envelope) -> Iterator[Envelope]:
    """Wrap the body. A commit still held back at its end is the caller's to finish or drop, through `firm.db`."""
    token = _envelope.set(envelope)
    try:
        yield envelope
    finally:
        _envelope.reset(token)
