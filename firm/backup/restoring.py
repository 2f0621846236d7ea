"""Restoring a backup into a place where no books are, and looking into one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL

from firm.actor import Actor
from firm.backup import engines
from firm.backup.errors import InvalidBackup
from firm.backup.form import Header, Unpacking, unpack
from firm.db import reading, transaction, use_case
from firm.errors import InvariantBroken
from firm.ledger import queries as ledger
from firm.recovery import operations as recovery
from firm.recovery.model import Restoration


def look_into(path: Path, *, identity: Path | None) -> Header:
    """Read a backup from its first byte to its last and say what it holds. Raises `InvalidBackup`."""
    found: list[Header] = []

    def opened(header: Header) -> Callable[[bytes], Any]:
        found.append(header)
        return len

    unpack(path, Unpacking(opened), identity=identity)
    return found[0]


def restore(
    path: Path,
    *,
    url: URL,
    identity: Path | None,
    refuse_unknown: Callable[[str], None],
    programs: Path | None,
    now: datetime,
) -> tuple[Header, Restoration]:
    """Restore a backup into an empty database, whole or not at all, in a state in which it sends nothing.

    `refuse_unknown` raises for a schema that this version cannot bring to its own. Raises `InvalidBackup`,
    `BooksAreThere`, `BackupFailed`, `Misconfigured`.
    """
    found: list[Header] = []
    with ExitStack() as stack:
        targets: list[engines.Restore] = []

        def opened(header: Header) -> Callable[[bytes], Any]:
            _refuse_other(header, url)
            refuse_unknown(header.schema)
            found.append(header)
            targets.append(stack.enter_context(engines.restoring(url, programs)))
            return targets[0].take

        unpack(path, Unpacking(opened), identity=identity)
        begun = _begun(found[0], now)
        targets[0].finish(_statement(begun, url))
    return found[0], begun


@use_case
def put_on_record(header: Header, begun: Restoration, *, by: Actor, now: datetime) -> None:
    """Compare the restored books with what the backup said of them, and record the restoration."""
    with reading() as session:
        entries, balances = ledger.number_of_entries(session), ledger.balances(session)
    if (entries, balances) != (header.entries, header.trial_balance):
        raise InvariantBroken("The restored books are not those that the backup was made of.")
    with transaction() as session:
        recovery.put_on_record(session, begun, by=by, now=now)


def _refuse_other(header: Header, url: URL) -> None:
    if header.engine != url.get_backend_name():
        raise InvalidBackup(
            f"This is a backup of a {header.engine} database; restore it into one, and go on with `chambers move`."
        )


def _begun(header: Header, now: datetime) -> Restoration:
    chain = (header.chain_seq, header.chain_hash)
    return recovery.begun(source="backup", taken_at=header.taken_at, chain=chain, now=now)


def _statement(one: Restoration, url: URL) -> str:
    """The row's INSERT as text, for programs that take nothing else. All of its values are our own."""
    dialect = {"postgresql": postgresql, "sqlite": sqlite}[url.get_backend_name()].dialect()
    table: Any = Restoration.__table__
    values = {column.name: getattr(one, column.name) for column in table.columns}
    return str(insert(table).values(**values).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
