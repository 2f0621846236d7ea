"""Backups, and restoring them."""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta
from pathlib import Path

import click
import pyrage
from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from api import evidence
from api.commands.running import Call, SchemaMissing, command
from api.parts import parts
from api.verification import broken_on_arrival
from firm.audit import sequencer
from firm.backup import making, restoring
from firm.backup.errors import BooksAreThere, InvalidBackup
from firm.backup.form import Header
from firm.backup.places import PRIVATE
from firm.db import db, reading
from firm.errors import InvariantBroken, Misconfigured
from firm.recovery.model import Restoration
from migrations import run

DEFAULT_FOLDER = Path("var/backups")


@click.command()
@click.option(
    "--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="A folder.  [default: var/backups]"
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="One file, by name, instead.")
@click.option("--keep", type=click.IntRange(1), help="Remove all but this many newest backups of the folder.")
@click.option("--plain", is_flag=True, help="Do not encrypt. Bank details stay sealed; all else lies open.")
@command
def backup(call: Call, folder: Path | None, out: Path | None, keep: int | None, plain: bool) -> None:
    """Back the whole database up, while everybody goes on working, encrypted to CHAMBERS_BACKUP_RECIPIENTS."""
    if out is not None and (folder is not None or keep is not None):
        raise click.UsageError("--out names one file; --to and --keep are about a folder of backups.")
    folder = folder or DEFAULT_FOLDER
    settings = parts().settings
    if not (plain or settings.recipients):
        raise Misconfigured(
            "Set CHAMBERS_BACKUP_RECIPIENTS to a public key of age (`chambers backup-key` makes one), or say --plain."
        )
    if not run.is_current(db.engine):
        raise SchemaMissing("The database is of another version; run `chambers migrate`, and then back it up.")
    if out is None:
        folder.mkdir(parents=True, exist_ok=True)
    path = out or folder / making.name_at(call.now, encrypted=not plain)
    header = making.make(
        path,
        url=make_url(settings.database_url),
        schema=str(run.head()),
        recipients=() if plain else settings.recipients,
        programs=settings.postgresql_programs,
        by=call.by,
        now=call.now,
    )
    click.echo(f"{path}: {_told(header)}; {path.stat().st_size:,} bytes.")
    for name in making.remove_oldest(folder, keep=keep, made=path) if keep else ():
        click.echo(f"Removed {name}.")


@click.command("backup-key")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
def backup_key(out: Path) -> None:
    """Make a key pair for backups: the private half into a file, the public one to be set here."""
    identity = pyrage.x25519.Identity.generate()
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}.") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"# public key: {identity.to_public()}\n{identity}\n")
    click.echo(f"Keep {out} where the books are not: without it no backup can be opened. Then set", err=True)
    click.echo(f"CHAMBERS_BACKUP_RECIPIENTS={identity.to_public()}")


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--identity", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The private key's file."
)
@click.option("--check", is_flag=True, help="Read it whole and say what it holds; restore nothing.")
@command
def restore(call: Call, path: Path, identity: Path | None, check: bool) -> None:
    """Restore a backup into the empty database of CHAMBERS_DATABASE_URL. It sends nothing until it is reconciled."""
    if check:
        click.echo(f"{path}: {_told(restoring.look_into(path, identity=identity))}. It can be opened and is whole.")
        return
    started = time.monotonic()
    evidence.refuse_blind()
    header, begun = _restored(path, identity, call.now)
    run.upgrade(db.engine)
    restoring.put_on_record(header, begun, by=call.by, now=call.now)
    _refuse_contradicted(header)
    lost = evidence.cut(header.chain_seq, header.chain_hash, now=call.now)
    sequencer.run(now=call.now)
    if broken := broken_on_arrival(now=call.now):
        raise InvariantBroken(f"The restored books break {', '.join(broken)}.")
    click.echo(f"Restored in {time.monotonic() - started:.1f} s: {_told(header)}.")
    click.echo(f"What was done in the {_ago(call.now - header.taken_at)} since then is not in these books.")
    if lost:
        number = max(anchor.seq for anchor in lost) - header.chain_seq
        click.echo(f"Anchors prove that at least {number} later audit records are lost.")
    click.echo("They send nothing until somebody has compared them with the bank: `chambers reconcile`.")


def _restored(path: Path, identity: Path | None, now: datetime) -> tuple[Header, Restoration]:
    settings = parts().settings
    url = make_url(settings.database_url)
    if url.get_backend_name() == "postgresql" and inspect(db.engine).get_table_names():
        raise BooksAreThere("There are tables in this database already; restore into an empty one.")
    return restoring.restore(
        path,
        url=url,
        identity=identity,
        refuse_unknown=_refuse_unknown,
        programs=settings.postgresql_programs,
        now=now,
    )


def _refuse_contradicted(header: Header) -> None:
    """Anchors that do not reach beyond the backup must be in its chain, whatever is lost since."""
    with reading() as session:
        for anchor in evidence.kept():
            if anchor.seq <= header.chain_seq and sequencer.hash_at(session, anchor.seq) != anchor.hash:
                raise InvariantBroken(f"The backup's audit chain is not the one anchored at {anchor.seq}.")


def _refuse_unknown(schema: str) -> None:
    if not run.knows(schema):
        raise InvalidBackup(f"This backup is of another version of Chambers (schema {schema}); restore it with that.")


def _told(header: Header) -> str:
    return f"the books as of {header.taken_at:%Y-%m-%d %H:%M:%S} UTC, {header.entries:,} entries"


def _ago(age: timedelta) -> str:
    minutes = round(age.total_seconds() / 60)
    if minutes < 120:
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{minutes // 60} hours" if minutes < 2880 else f"{minutes // 1440} days"
