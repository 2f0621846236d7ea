"""The audit log: reading it, linking it, and anchoring it outside the database."""

from __future__ import annotations

import click

from api import evidence
from api.commands.running import Call, command, json_option, show
from api.parts import parts
from firm.audit import anchors, queries, sequencer
from firm.db import reading
from firm.errors import Misconfigured


@click.group()
def audit() -> None:
    """Who did what: the log, its chain, and anchors outside the database."""


@audit.command("list")
@click.option("--subject", help="The id of a thing.")
@click.option("--actor", help="The name of a principal.")
@click.option("--verb", help="Such as engagement.signed.")
@click.option("--after", type=click.IntRange(0), default=0, help="Begin behind this number.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
@json_option
@command
def list_records(
    call: Call, subject: str | None, actor: str | None, verb: str | None, after: int, limit: int, as_json: bool
) -> None:
    """The history of a thing, a person, or everything."""
    sequencer.run(now=call.now)
    with reading() as session:
        found = queries.page(session, subject=subject, actor=actor, verb=verb, after=after, limit=limit)
    if as_json:
        from api.v1.audit_records import shown

        show([shown(row) for row in found], "audit_records:AuditRecordSchema", many=True)
        return
    for row in found:
        through = f" through {row.token_id}" if row.token_id else ""
        click.echo(
            f"{row.seq:>7}  {row.at:%Y-%m-%d %H:%M:%S}  {row.actor}{through}  {row.verb}  {row.subject}  {row.facts}"
        )


@audit.command()
@click.option("--whole", is_flag=True, help="Look through all records for ones that committed very late.")
@command
def sequence(call: Call, whole: bool) -> None:
    """Link the records that are committed and not in the chain yet. The worker does this by itself."""
    number = sequencer.run(now=call.now, whole=whole)
    click.echo(f"{number} record{'' if number == 1 else 's'} linked.")


@audit.command()
@click.option("--anew", is_flag=True, help="Begin a new file, where that of the anchors before is lost.")
@command
def anchor(call: Call, anew: bool) -> None:
    """Sign the head of the chain and append it to the file of anchors, outside the database."""
    sequencer.run(now=call.now)
    drop = evidence.drop_anew if anew else evidence.drop
    dropped = drop(by=call.by, now=call.now)
    key = parts().settings.anchor_key
    if dropped is None or key is None:
        raise Misconfigured("Set CHAMBERS_AUDIT_KEY first: base64 of 32 random bytes, kept away from the database.")
    click.echo(f"Anchored {dropped.seq} {dropped.hash} in {parts().settings.audit_anchors}.")
    click.echo(f"Anchors are checked with the public key {anchors.public_text(key)}.")
