"""What every command stands on: the application, the actor, the moment, and errors as sentences."""

from __future__ import annotations

import errno
import functools
import getpass
import importlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click
from flask import g
from sqlalchemy import inspect
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError

from api.app import create_core
from api.logs import configure, told
from api.parts import parts
from firm import clock, ids
from firm.actor import Actor, Role
from firm.audit.anchors import AnchorBroken
from firm.db import db, reading
from firm.errors import ChambersError, InvariantBroken, Refused
from firm.settings import Settings, load

log = logging.getLogger("chambers.command")

if TYPE_CHECKING:
    from firm.access.tokens import Admission

P = ParamSpec("P")
T = TypeVar("T")


BEFORE_THE_BOOKS = frozenset({"init", "migrate", "restore", "import archive"})
"""Commands that may find no database, and make one."""


class SchemaMissing(Refused):
    """The database has no tables yet, or those of another version."""


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls, and when: read once for each command."""

    by: Actor
    now: datetime


def command(function: Callable[..., T]) -> Callable[..., T]:
    """Run a command inside the application with its `Call`, and turn our errors into one sentence."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> T:
        try:
            settings = load()
            _refuse_missing(settings)
            _log_to_stderr(settings)
            with create_core(settings).app_context(), _logged(), _connections_closed():
                now = clock.now()
                result = function(Call(caller(now), now), *args, **kwargs)
                if settings.sqlite_path is None or settings.sqlite_path.exists():
                    _keep_evidence(now)
                return result
        except InvariantBroken:
            raise
        except ChambersError as error:
            raise click.ClickException(error.message) from error
        except DatabaseError as error:
            raise click.ClickException(database_sentence(error)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            raise click.ClickException(f"{error.filename or 'A file'}: {error.strerror}.") from error

    return run


def _command() -> str:
    """The words of the command that is run, such as "run approve"."""
    return click.get_current_context().command_path.partition(" ")[2]


def _refuse_missing(settings: Settings) -> None:
    """Looking at a database must not make one: what is mistyped would be found empty."""
    path = settings.sqlite_path
    if path is not None and not path.exists() and _command() not in BEFORE_THE_BOOKS:
        raise SchemaMissing(f"There is no database at {path}; run `chambers init`, or mend CHAMBERS_DATABASE_URL.")


def _keep_evidence(now: datetime) -> None:
    """Link the command's audit records. A firm without a worker has nobody else to do it."""
    from api import evidence  # imported here: what only prints help starts sooner

    try:
        evidence.attempt(now=now)
    except AnchorBroken as error:
        # What the command was for is done and committed; whoever is told that it failed would do it again.
        click.echo(f"The command is done, but no anchor of the audit chain was kept. {error.message}", err=True)
    except (OperationalError, ProgrammingError):
        log.debug("there is no audit chain to keep yet")


def caller(now: datetime) -> Actor:
    """The owner of CHAMBERS_TOKEN, or the lead at this shell, who can reach the database anyway."""
    admission = None if _is_before_the_books() else admitted(now)
    if admission is None:
        return Actor(f"shell:{getpass.getuser()}", Role.LEAD, request_id=g.request_id)
    g.actor = admission.actor
    from api import policy  # imported here: a command without a token starts sooner
    from api.errors import DENIED
    from firm.access import denials

    try:
        policy.refuse_command(admission, _command(), now=now)
    except DENIED as error:
        denials.note(admission.actor, f"chambers {_command()}", error.message, now=now)
        raise
    return admission.actor


def _is_before_the_books() -> bool:
    """Whether the command makes the books that would know the token."""
    path = parts().settings.sqlite_path
    if _command() not in BEFORE_THE_BOOKS:
        return False
    return not path.exists() if path is not None else not inspect(db.engine).has_table("api_token")


def admitted(now: datetime) -> Admission | None:
    """Whom CHAMBERS_TOKEN lets in; None when there is none. Raises `NotAuthenticated`."""
    secret = os.environ.get("CHAMBERS_TOKEN")
    if not secret:
        return None
    from firm.access import denials
    from firm.access.tokens import NotAuthenticated, admit

    try:
        with reading() as session:
            return admit(session, secret, now=now, request_id=g.request_id)
    except NotAuthenticated as error:
        denials.note_dead_token(secret, f"chambers {_command()}", request_id=g.request_id, now=now)
        raise NotAuthenticated(
            "CHAMBERS_TOKEN holds no token that is valid here and now; set one of `chambers token issue`, or unset it"
            " to act as the lead at this shell."
        ) from error


@contextmanager
def _logged() -> Iterator[None]:
    """One line a command, under an id that its audit records carry too; never its arguments."""
    g.request_id = ids.new("req")
    started, outcome = time.perf_counter(), "failed"
    try:
        yield
        outcome = "done"
    except (ChambersError, SystemExit) as error:
        outcome = "refused" if isinstance(error, ChambersError) else "done"
        raise
    finally:
        name = _command()
        duration = round((time.perf_counter() - started) * 1000, 1)
        actor = g.get("actor")
        token_id = None if actor is None else actor.token_id
        fields = told("command", command=name, outcome=outcome, duration_ms=duration, token_id=token_id)
        log.info("chambers %s: %s", name, outcome, extra=fields)


@contextmanager
def _connections_closed() -> Iterator[None]:
    """A command leaves no connection behind: the database may be taken away after it."""
    try:
        yield
    finally:
        db.session.remove()
        db.engine.dispose()


def _log_to_stderr(settings: Settings) -> None:
    """Unless whoever runs us logs already: a test, or a program of which the command is a part."""
    if not logging.getLogger().handlers:
        configure(settings, default_level="warning")


def show(value: Any, schema: str | None = None, *, many: bool = False) -> None:
    """Print a value as JSON, through the API's schema where one is named ("months:ClosingSchema").

    Schemas are imported only here: a command that prints text starts without the HTTP side.
    """
    if schema is not None:
        module, _, name = schema.partition(":")
        value = getattr(importlib.import_module(f"api.v1.{module}"), name)().dump(value, many=many)
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def tell(lines: Iterable[str], *, nothing: str) -> None:
    """Print the lines of a list, or say that it is empty."""
    told = False
    for line in lines:
        click.echo(line)
        told = True
    if not told:
        click.echo(nothing)


def database_sentence(error: DatabaseError, *, named: str = "CHAMBERS_DATABASE_URL") -> str:
    """What the database's complaint means for whoever called; `named` is where its address was given."""
    text = str(error.orig)
    if "file is not a database" in text:
        return f"The file that {named} names is no database; mend the address."
    if not isinstance(error, (OperationalError, ProgrammingError)):
        raise error
    if "no such table" in text or "does not exist" in text:
        return "The database has not been set up; run `chambers init` (or `chambers migrate` after an update)."
    if "no such column" in text:
        return "The database is of another version; run `chambers migrate`."
    return f"The database cannot be reached; check {named}."


json_option = click.option("--json", "as_json", is_flag=True, help="Print what the API would answer.")
