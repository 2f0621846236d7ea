"""Notices: what people were told, or have still to be told by somebody."""

from __future__ import annotations

import click

from api.commands.running import Call, command, json_option, show
from firm.db import reading
from firm.notices import operations, queries
from firm.notices.model import STATES


@click.group()
def notice() -> None:
    """Letters that a change made necessary; sent by e-mail where a mail server is set."""


@notice.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@json_option
@command
def list_notices(call: Call, state: str | None, as_json: bool) -> None:
    """List notices; those queued without a mail server, and those that failed, wait for a person."""
    with reading() as session:
        found = queries.page(session, state=state)
    if as_json:
        show(found, "notices:NoticeSchema", many=True)
        return
    if not found:
        click.echo("There is no such notice.")
    for one in found:
        click.echo(f"{one.id}  {one.state:<7}  {one.to_address}  {one.subject}")


@notice.command("give")
@click.argument("notice_id")
@click.option("--how", required=True, help="By which way it was given, such as a call; stays on record.")
@command
def give(call: Call, notice_id: str, how: str) -> None:
    """Enter that a person gave a notice by another way."""
    operations.give_by_hand(notice_id, how=how, by=call.by, now=call.now)
    click.echo("It is given.")
