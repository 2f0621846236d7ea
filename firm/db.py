"""Units of work on the database: what writes is whole or not at all, what reads sees one moment.

`with transaction() as session:` is one unit of work: it commits at the end, rolls back on any exception and
raises if another is open. A `with` cannot run its body twice, so the retry after a serialization failure
stands in one place beside it: the decorator `use_case`, which runs the whole function again.
"""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Row, Update, text
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from firm import envelope as envelopes
from firm.columns import Base
from firm.driver_errors import is_lock_wait, may_be_retried
from firm.envelope import Envelope
from firm.errors import Busy, InvariantBroken

AnyRow = Row[*tuple[Any, ...]]
"""A row of a query, whatever its columns."""

P = ParamSpec("P")
T = TypeVar("T")

db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})

_open: ContextVar[bool] = ContextVar("transaction_open", default=False)


class NestedTransaction(InvariantBroken):
    """A use case called another one: they follow one another, they never contain one another."""


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work that may write. Raises `Busy` when another writer holds the lock too long."""
    with _unit_of_work() as session:
        yield session


@contextmanager
def reading() -> Iterator[Session]:
    """One consistent view that writes nothing and never waits for writers; it is rolled back at the end."""
    with _unit_of_work(read_only=True) as session:
        yield session


@contextmanager
def _unit_of_work(*, read_only: bool = False) -> Iterator[Session]:
    envelope = envelopes.current()
    if read_only and envelope is not None and envelope.session is not None:
        # What is read for an answer must see the effect that will be committed with it.
        yield envelope.session
        return
    if _open.get():
        raise NestedTransaction("A transaction is open already; use cases never contain one another.")
    commit_held()
    token = _open.set(True)
    session = db.session()
    held = False
    try:
        if read_only:
            _begin_reading(session)
            yield session
            # What was read may be used after the end; a rollback would empty objects still attached.
            session.expunge_all()
            session.rollback()
        else:
            _begin_writing(envelope, session)
            yield session
            held = _held_back(envelope, session)
            if not held:
                session.commit()
            _note_first_done(envelope)
    except DBAPIError as error:
        session.rollback()
        if is_lock_wait(error):
            raise Busy("Somebody else is writing to the books; try again in a moment.") from error
        raise
    except BaseException:
        session.rollback()
        raise
    finally:
        # Nothing read in one transaction may be believed in the next.
        if not held:
            db.session.remove()
        _open.reset(token)


def hold_view() -> None:
    """Begin one view for all that this context reads, until something is written or `drop_held` ends it.

    A request that only reads is spared a transaction, and sees the token and the thing as of the same moment.
    """
    session = db.session()
    try:
        _begin_reading(session)
    except BaseException:
        db.session.remove()
        raise
    envelopes.put(Envelope(session=session))


def _begin_reading(session: Session) -> None:
    # REPEATABLE READ, so that a report read in several statements is of one moment.
    options = (
        {"sqlite_begin": "DEFERRED"}
        if db.engine.dialect.name == "sqlite"
        else {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
    )
    session.connection(execution_options=options)


def _begin_writing(envelope: Envelope | None, session: Session) -> None:
    if db.engine.dialect.name == "sqlite":
        # Its lock is taken before the first id is made, so that ids come in the order of commits.
        session.connection()
    if envelope is not None and not envelope.first_done:
        _ask(envelope, session)


def _ask(envelope: Envelope, session: Session) -> None:
    """Ask the request's conditions inside its first transaction that writes."""
    envelope.session = session
    try:
        for condition in envelope.conditions:
            condition(session)
    finally:
        envelope.session = None


def _held_back(envelope: Envelope | None, session: Session) -> bool:
    """Whether the commit waits for the request's answer; then everything is written and checked but committed."""
    if envelope is None or not envelope.keeps_answer:
        return False
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        # What is deferred to the commit is checked now, while the use case can still be refused for it.
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    envelope.session = session
    return True


def _note_first_done(envelope: Envelope | None) -> None:
    """Only when nothing can fail any more: what runs again after a deadlock asks the conditions again."""
    if envelope is not None:
        envelope.first_done = True


def commit_held() -> None:
    """Commit what a request has held back, because more follows or the outside is called next."""
    envelope = envelopes.current()
    if envelope is not None and envelope.session is not None:
        with last_transaction():
            pass


def drop_held() -> None:
    """Undo what a request has held back: its answer could not be made."""
    envelope = envelopes.current()
    if envelope is not None and envelope.session is not None:
        envelope.session.rollback()
        envelope.session = None
        db.session.remove()


@contextmanager
def last_transaction() -> Iterator[Session]:
    """The transaction that a request has held back, committed at the end; a new one when there is none.

    Raises `Busy` when what was held back fell to another writer. It must not be mistaken for a transaction that may
    run again: what would run again is only its end, without the effect that has been undone.
    """
    envelope = envelopes.current()
    session = envelope.session if envelope is not None else None
    if envelope is None or session is None:
        with envelopes.wrapping(Envelope()), transaction() as session:
            yield session
        return
    try:
        yield session
        session.commit()
    except DBAPIError as error:
        session.rollback()
        if is_lock_wait(error) or may_be_retried(error):
            raise Busy("Somebody else is writing to the books; nothing was changed, try again in a moment.") from error
        raise
    except BaseException:
        session.rollback()
        raise
    finally:
        envelope.session = None
        db.session.remove()


def use_case(function: Callable[P, T]) -> Callable[P, T]:
    """Mark a function that owns its transaction: it runs again after a deadlock or serialization failure.

    The body must not reach the outside world; it may run up to five times, each in a transaction of its own.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        for attempt in range(1, 5):
            try:
                return function(*args, **kwargs)
            except DBAPIError as error:
                if not may_be_retried(error):
                    raise
                time.sleep(random.uniform(0.005, 0.02) * 2**attempt)
        return function(*args, **kwargs)

    return run


def claim(session: Session, statement: Update) -> bool:
    """Run an UPDATE that must change exactly one row, and say whether it did.

    This is how a use case takes what it decides about: of two at the same moment, one gets True.
    """
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", result).rowcount == 1


def leaving_the_house() -> None:
    """Called before every call to the outside. Raises `InvariantBroken` while a transaction is open."""
    commit_held()
    if _open.get():
        raise InvariantBroken("The outside world was called inside a transaction; commit the intent first.")
