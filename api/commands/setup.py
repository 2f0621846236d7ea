"""Setting up: the schema, the firm, the first token, and serving."""

from __future__ import annotations

import os
import sys
from datetime import timedelta

import click

from api.commands.progress import count_bar
from api.commands.running import Call, command
from api.commands.types import MONTH
from api.parts import parts
from api.sealed_columns import SEALED
from firm import secrets
from firm.access import tokens as access
from firm.actor import Role
from firm.db import db
from firm.errors import Misconfigured
from firm.month import Month
from firm.profile import operations as profiles
from firm.resealing import operations as resealing
from firm.settings import load
from migrations import run
from migrations.tables import METADATA

LASTS_DAYS = 90
"""As long as other tokens last; `chambers token rotate` gives the next one."""


@click.command()
@click.option("--name", required=True, help="The firm's name, as papers show it.")
@click.option("--currency", required=True, help="The currency of the books, such as USD. It never changes.")
@click.option("--time-zone", required=True, help="The zone whose calendar makes the months, such as Europe/Berlin.")
@click.option("--first-month", type=MONTH, required=True, help="The first month of the books, such as 2026-10.")
@click.option("--address", multiple=True, help="A line of the firm's address; may be given several times.")
@click.option("--email", default="", help="The firm's e-mail address.")
@click.option("--color", default="#1f3a5f", show_default=True, help="The color of the firm's papers.")
@click.option("--token-name", default="lead", show_default=True, help="The name of the first lead's token.")
@command
def init(
    call: Call,
    name: str,
    currency: str,
    time_zone: str,
    first_month: Month,
    address: tuple[str, ...],
    email: str,
    color: str,
    token_name: str,
) -> None:
    """Set up the firm and its books, and make the first lead's token."""
    run.upgrade(db.engine)
    profiles.establish(
        name=name,
        address=address,
        email=email,
        currency=currency.upper(),
        time_zone=time_zone,
        first_month=first_month,
        color=color,
        by=call.by,
        now=call.now,
    )
    ends = call.now + timedelta(days=LASTS_DAYS)
    issued = access.issue_token(name=token_name, role=Role.LEAD, expires_at=ends, by=call.by, now=call.now)
    click.echo(f"{name} is set up. Its books are in {currency.upper()} and begin with {first_month.name}.")
    click.echo(f"The token of {token_name}, shown this once; it ends on {ends:%Y-%m-%d}:\n{issued.secret}")


@click.command()
@command
def migrate(call: Call) -> None:
    """Bring the database to the schema of this version. May be repeated."""
    run.upgrade(db.engine)
    click.echo("The schema is current.")


@click.command()
@click.option("--bind", default="127.0.0.1:8000", show_default=True, help="Address and port.")
@click.option("--workers", type=click.IntRange(1), help="How many processes; one a core unless given.")
def serve(bind: str, workers: int | None) -> None:
    """Serve the API on this machine with gunicorn."""
    try:
        load()
        _refuse_no_address(bind)
    except Misconfigured as error:
        raise click.ClickException(error.message) from error
    click.echo(f"Serving on http://{bind}; browse the API at http://{bind}/docs; stop with Ctrl-C.", err=True)
    options = ["--config", "python:api.serving", "--bind", bind]
    if workers is not None:
        options += ["--workers", str(workers)]
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *options])  # noqa: S606


def _refuse_no_address(bind: str) -> None:
    host, colon, port = bind.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise Misconfigured(f"{bind!r} is no address to serve on; write it like 127.0.0.1:8000, the port up to 65535.")


@click.group("secret-key", invoke_without_command=True)
@click.pass_context
def secret_key(context: click.Context) -> None:
    """Print a new key for bank details, in the form of CHAMBERS_SECRET_KEYS."""
    if context.invoked_subcommand is None:
        click.echo(secrets.new_key())


@secret_key.command("rotate")
@command
def rotate(call: Call) -> None:
    """Seal every stored secret anew under the first key of CHAMBERS_SECRET_KEYS. May be interrupted and repeated."""
    keys = parts().keys
    with count_bar("Sealing anew") as progress:
        done = resealing.reseal_all(SEALED, METADATA, keys=keys, progress=progress, by=call.by, now=call.now)
    click.echo(f"{done} values were sealed anew; all are under the key {keys.newest} now.")
    click.echo("Answers kept for replay stay under their key: leave the old one in the setting for 30 days more.")
