"""Tax forms on file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from api.commands.running import Call, command
from api.commands.types import DAY
from api.parts import parts
from firm import private
from firm.db import reading
from firm.profile import operations as profiles
from payouts.tax_forms import operations, queries
from payouts.tax_forms.model import KINDS, W9
from payouts.tax_forms.rules import day_of, state_of
from staffing.maintainers import queries as maintainers


@click.group("tax-form")
def tax_form() -> None:
    """Tax forms on file: record, list, withdraw."""


@tax_form.command("record")
@click.argument("who")
@click.option("--kind", type=click.Choice(KINDS), required=True)
@click.option("--name", required=True, help="The name as on the form.")
@click.option("--signed", "signed_on", type=DAY, required=True)
@click.option("--received", "received_on", type=DAY, required=True)
@click.option("--tin", help="The taxpayer number; asked for when a W-9 comes without, and never shown again.")
@click.option("--document", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The form itself.")
@command
def record(
    call: Call,
    who: str,
    kind: str,
    name: str,
    signed_on: date,
    received_on: date,
    tin: str | None,
    document: Path | None,
) -> None:
    """Put a signed form on file; it supersedes the one before."""
    if tin is None and kind == W9:
        tin = click.prompt("Taxpayer number", hide_input=True)
    form = operations.record(
        who,
        kind=kind,
        name=name,
        signed_on=signed_on,
        received_on=received_on,
        tin=tin,
        document=None if document is None else document.read_bytes(),
        keys=parts().keys,
        by=call.by,
        now=call.now,
    )
    until = "" if form.expires_on is None else f" It lasts until {form.expires_on}."
    click.echo(f"The {form.kind} of {form.name} is on file as {form.id}.{until}")


@tax_form.command("list")
@click.option("--expiring", is_flag=True, help="Only those that have expired or will within 30 days.")
@command
def list_(call: Call, expiring: bool) -> None:
    """List forms with their states."""
    with reading() as session:
        today = day_of(call.now, profiles.current(session).zone)
        names = maintainers.names(session)
        found = queries.expiring(session, today) if expiring else queries.page(session)
    for form in found:
        until = "" if form.expires_on is None else f"until {form.expires_on}"
        click.echo(f"{form.id}  {names[form.maintainer_id]:<24}{form.kind:<10}{state_of(form, today):<12}{until}")
    if not found:
        click.echo("No form is about to expire." if expiring else "No form is on file.")


@tax_form.command("withdraw")
@click.argument("form_id")
@click.option("--reason", required=True)
@command
def withdraw(call: Call, form_id: str, reason: str) -> None:
    """Take a form off the file because it is wrong or no longer true."""
    form = operations.withdraw(form_id, reason=reason, by=call.by, now=call.now)
    click.echo(f"The {form.kind} of {form.name} is withdrawn.")


@tax_form.command("document")
@click.argument("form_id")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Write the paper here. It is audited.")
@command
def document(call: Call, form_id: str, out: Path) -> None:
    """Take out the paper that a form was recorded with."""
    content = operations.open_document(form_id, keys=parts().keys, by=call.by, now=call.now)
    out.parent.mkdir(parents=True, exist_ok=True)
    private.write(out, content)
    click.echo(f"The form is in {out}; that it was taken out is on record.")
