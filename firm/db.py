"""The database: engine, transactions, column types. The only place that knows which engine is below.

`with transaction() as session:` is one unit of work: it commits at the end, rolls back on any exception and
raises if another is open. A `with` cannot run its body twice, so the retry after a serialization failure
stands in one place beside it: the decorator `use_case`, which runs the whole function again.
"""

from __future__ import annotations

import functools
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar, cast

import pysqlite3.dbapi2 as sqlite
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Engine,
    Index,
    MetaData,
    Row,
    String,
    UniqueConstraint,
    Update,
    event,
    text,
)
from sqlalchemy.engine import Connection, CursorResult, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, registry
from sqlalchemy.types import TypeDecorator

from firm import envelope as envelopes
from firm import private
from firm.envelope import Envelope
from firm.errors import Busy, InvariantBroken, Misconfigured
from firm.money import LIMIT_MINOR
from firm.month import Month
from firm.settings import Settings

AnyRow = Row[*tuple[Any, ...]]
"""A row of a query, whatever its columns."""

P = ParamSpec("P")
T = TypeVar("T")

FIRST_SAFE_SQLITE = (3, 51, 3)
"""Older SQLite libraries (from 3.7.0) can corrupt a WAL database written by two connections at once."""

LOCK_WAIT_SECONDS = 8
"""How long a write waits for another one before the caller is told to try again."""


class UtcMoment(TypeDecorator[datetime]):
    """An aware moment, kept in UTC on both databases. A naive one is refused: nobody knows when it was."""

    impl = DateTime
    cache_ok = True

    def __init__(self, timezone: bool = True) -> None:
        super().__init__(timezone=timezone)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise InvariantBroken("A moment without a time zone reached the database.")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)


class MonthText(TypeDecorator[Month]):
    """A month as its text, "2026-10", which sorts as the months do."""

    impl = String
    cache_ok = True

    def __init__(self, length: int = 7) -> None:
        super().__init__(length=length)

    def process_bind_param(self, value: Month | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Month | None:
        return None if value is None else Month.parse(value)


Identifier = Annotated[str, mapped_column(String(34), primary_key=True)]
Reference = Annotated[str, mapped_column(String(34))]
CurrencyCode = Annotated[str, mapped_column(String(3))]
Minor = Annotated[int, mapped_column(BigInteger)]


class Base(DeclarativeBase):
    registry = registry(
        type_annotation_map={datetime: UtcMoment, Month: MonthText},
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
    )


def one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    """A CHECK that a text column holds one of the words of a state or kind."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=f"{column}_known")


def whole_minor(column: str, *, least: int = -LIMIT_MINOR) -> CheckConstraint:
    """A CHECK that an amount is a whole number in range.

    SQLite would keep 0.5 or '12abc' in an integer column; comparing with the cast refuses both, and the same
    text is valid on PostgreSQL.
    """
    return CheckConstraint(
        f"{column} = CAST({column} AS BIGINT) AND {column} BETWEEN {least} AND {LIMIT_MINOR}",
        name=f"{column}_whole",
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


def flask_config(settings: Settings) -> dict[str, Any]:
    """What Flask-SQLAlchemy needs. Raises `Misconfigured` if the SQLite library may corrupt our files."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "postgresql":
        options: dict[str, Any] = {
            "connect_args": {"options": f"-c lock_timeout={LOCK_WAIT_SECONDS}s -c timezone=UTC"},
            # No ping before each use, which would cost every transaction a round trip: a lost connection answers
            # one request with 503, and the pool starts afresh.
            "pool_recycle": 1800,
            "hide_parameters": True,
        }
        return {"SQLALCHEMY_DATABASE_URI": url, "SQLALCHEMY_ENGINE_OPTIONS": options}
    if sqlite.sqlite_version_info < FIRST_SAFE_SQLITE:
        raise Misconfigured(
            f"The SQLite library {sqlite.sqlite_version} can corrupt a database that two processes write; "
            "install the pysqlite3 wheel of requirements/runtime.txt, or use PostgreSQL."
        )
    path = Path(url.database or "").absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"The folder of the database {path} cannot be made; name another.") from error
    options = {
        "module": sqlite,
        "connect_args": {"timeout": LOCK_WAIT_SECONDS},
        # The values of a failed statement are people's data; its text is enough to find the place.
        "hide_parameters": True,
    }
    return {"SQLALCHEMY_DATABASE_URI": url.set(database=str(path)), "SQLALCHEMY_ENGINE_OPTIONS": options}


def prepare_engine(engine: Engine, *, synchronous: str) -> None:
    """Give a SQLite engine our pragmas on every connection, and BEGIN IMMEDIATE for writers."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "do_connect")
    def _keep_private(_dialect: Dialect, _record: object, arguments: list[Any], _options: dict[str, Any]) -> None:
        # SQLite would make the file as the umask has it, for all to read; its log and index follow the file's mode.
        path = Path(str(arguments[0]))
        if path.is_absolute() and path.parent.is_dir():
            private.touch(path)

    @event.listens_for(engine, "connect")
    def _set_pragmas(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={LOCK_WAIT_SECONDS * 1000}",
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            "cache_size=-65536",
            "trusted_schema=OFF",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Writers take the write lock at once: a lock asked for halfway fails without waiting. Readers must
        # not take it, or they would wait for writers.
        mode = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
        connection.exec_driver_sql(f"BEGIN {mode}")


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
            _ask(envelope, session)
            yield session
            held = _held_back(envelope, session)
            if not held:
                session.commit()
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


def _begin_reading(session: Session) -> None:
    # REPEATABLE READ, so that a report read in several statements is of one moment.
    options = (
        {"sqlite_begin": "DEFERRED"}
        if db.engine.dialect.name == "sqlite"
        else {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
    )
    session.connection(execution_options=options)


def _ask(envelope: Envelope | None, session: Session) -> None:
    """Ask the request's conditions inside its first transaction that writes."""
    if envelope is None or envelope.first_done:
        return
    envelope.session = session
    try:
        for condition in envelope.conditions:
            condition(session)
    finally:
        envelope.session = None


def _held_back(envelope: Envelope | None, session: Session) -> bool:
    """Whether the commit waits for the request's answer; then everything is written and checked but committed."""
    if envelope is None:
        return False
    envelope.first_done = True
    if not envelope.keeps_answer:
        return False
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        # What is deferred to the commit is checked now, while the use case can still be refused for it.
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    envelope.session = session
    return True


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
    """The transaction that a request has held back, committed at the end; a new one when there is none."""
    envelope = envelopes.current()
    session = envelope.session if envelope is not None else None
    if envelope is None or session is None:
        with envelopes.wrapping(Envelope()), transaction() as session:
            yield session
        return
    try:
        yield session
        session.commit()
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
                if not _may_be_retried(error):
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


def _may_be_retried(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in ("40001", "40P01")


def is_lock_wait(error: DBAPIError) -> bool:
    """Whether another writer held a lock for longer than we wait."""
    return getattr(error.orig, "sqlstate", None) == "55P03" or "database is locked" in str(error.orig)


def violated(error: DBAPIError, constraint: str) -> bool:
    """Whether an IntegrityError is about the named constraint or, on SQLite, its columns "table.a, table.b"."""
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if name is not None:
        return bool(name == constraint)
    found = re.search(r"constraint failed: (.+)", str(error.orig))
    return found is not None and found[1] in (constraint, _sqlite_columns(constraint))


def _sqlite_columns(constraint: str) -> str:
    """SQLite reports a violated unique constraint by its columns; find those of a named one."""
    for table in Base.metadata.tables.values():
        for named in (*table.constraints, *table.indexes):
            if isinstance(named, (UniqueConstraint, Index)) and named.name == constraint:
                return ", ".join(f"{table.name}.{column.name}" for column in named.columns)
    return constraint
