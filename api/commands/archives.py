"""Taking everything along: archives, and moving from one database to another."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.exc import DatabaseError

from api.app import create_core
from api.commands.running import Call, command, database_sentence
from api.commands.types import MONTH
from api.parts import parts
from api.verification import archive_walks, broken_on_arrival
from firm.archive import restoring, writing
from firm.audit import sequencer
from firm.db import db, reading
from firm.errors import InvariantBroken, Misconfigured
from firm.ledger import exports
from firm.ledger import queries as ledger
from firm.month import Month
from firm.settings import Settings, for_database
from migrations import run
from migrations.tables import METADATA
from payouts.destinations.model import EDGES as DESTINATION_EDGES
from payouts.runs.model import EDGES, RUN_EDGES

SENDS_NOTHING = "These books send nothing until somebody says that no others do: `chambers reconcile`."
WAYS = {"destination": DESTINATION_EDGES, "payout": EDGES, "payout_run": RUN_EDGES}


@click.group()
def export() -> None:
    """Take data out: the journal as a file, or everything as one archive."""


@export.command("ledger")
@click.option("--format", "form", type=click.Choice(list(exports.FORMATS)), required=True)
@click.option("--from", "first", type=MONTH, help="The first month covered; all unless given.")
@click.option("--until", type=MONTH, help="The first month not covered.")
@command
def journal(call: Call, form: str, first: Month | None, until: Month | None) -> None:
    """Print the journal as a file for hledger, for beancount, or as CSV. It is audited."""
    exports.note_export(form, first=first, until=until, by=call.by, now=call.now)
    for piece in exports.written(form, first=first, until=until):
        click.echo(piece, nl=False)


@export.command("all")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The zip to write.")
@command
def everything(call: Call, out: Path) -> None:
    """Write everything into one documented archive (docs/archive.md), without what opens doors."""
    manifest = writing.export_all(out, METADATA.sorted_tables, revision=str(run.head()), by=call.by, now=call.now)
    click.echo(f"{manifest.rows} rows of {len(manifest.files)} tables are in {out}.")


@click.command("archive")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@command
def import_archive(call: Call, path: Path) -> None:
    """Read an archive into this empty database; the trial balance must come out as it went in."""
    rows = _read_in(call, path)
    click.echo(f"{rows} rows read in; every invariant holds. Issue new tokens and authenticators.")
    click.echo(SENDS_NOTHING)


@click.command()
@click.option("--to", "target", required=True, help="The other database, such as postgresql://user@host/name.")
@command
def move(call: Call, target: str) -> None:
    """Copy everything into another, empty database, SQLite or PostgreSQL; this one stays as it is."""
    settings = for_database(parts().settings, target, named="--to")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "firm.zip"
        writing.export_all(path, METADATA.sorted_tables, revision=str(run.head()), by=call.by, now=call.now)
        with reading() as session:
            before = ledger.balances(session)
        with _other_database(settings):
            rows = _read_in(call, path)
            with reading() as session:
                after = ledger.balances(session)
            db.session.remove()
            db.engine.dispose()
    if before != after:
        raise InvariantBroken("The trial balances of the two databases differ.")
    click.echo(f"{rows} rows are in the other database, with the same trial balance of {len(after)} accounts.")
    click.echo("Set CHAMBERS_DATABASE_URL to it, and issue new tokens and authenticators.")
    click.echo(SENDS_NOTHING)


@contextmanager
def _other_database(settings: Settings) -> Iterator[None]:
    """Inside, the database is the one to move to; what is wrong with it is said of `--to`."""
    try:
        with create_core(settings).app_context():
            yield
    except DatabaseError as error:
        raise Misconfigured(database_sentence(error, named="--to")) from error


def _read_in(call: Call, path: Path) -> int:
    """Read an archive into the empty database at hand. Nothing stays of one that was changed since it was written.

    Raises `InvariantBroken` for books that break anything else: they are there then, and send nothing.
    """
    run.upgrade(db.engine)
    rows = restoring.import_archive(
        path,
        METADATA.sorted_tables,
        revision=str(run.head()),
        ways=WAYS,
        walks=archive_walks(now=call.now),
        by=call.by,
        now=call.now,
    )
    _refuse_broken(call)
    return rows


def _refuse_broken(call: Call) -> None:
    sequencer.run(now=call.now)
    if broken := broken_on_arrival(now=call.now):
        raise InvariantBroken(f"What was read in breaks {', '.join(broken)}.")
