"""Proofs of payment."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click

from api.commands.running import Call, command
from api.parts import parts
from firm import private
from payouts.proofs import operations
from payouts.proofs.model import MOST_BYTES


@click.command("proof")
@click.argument("payout_id")
@click.argument("file", required=False, type=click.File("rb"))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the proof that there is.")
@command
def proof(call: Call, payout_id: str, file: BinaryIO | None, out: Path | None) -> None:
    """Add a PDF, PNG or JPEG as a payout's proof, or write the newest one to --out; with neither, say which it is."""
    if file is not None and out is not None:
        raise click.UsageError("Give the file to add, or --out.")
    if file is not None:
        found = operations.add(payout_id, file.read(MOST_BYTES + 1), keys=parts().keys, by=call.by, now=call.now)
    else:
        found = operations.newest_of(payout_id)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        private.write(out, operations.open_document(payout_id, keys=parts().keys, by=call.by, now=call.now).content)
        click.echo(f"The proof is in {out}; that it was taken out is on record.")
        return
    click.echo(
        f"Proof {found.version}: {found.content_type}, {found.size:,} bytes, added by {found.added_by} on"
        f" {found.added_at:%Y-%m-%d}, SHA-256 {found.sha256}."
    )
