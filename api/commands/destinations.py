"""Destinations: what is proposed, and deciding on it."""

from __future__ import annotations

import click

from api.commands.running import Call, command, json_option, show
from api.shapes import shown_destination
from firm.db import reading
from payouts.destinations import decisions, queries
from payouts.destinations.rules import moment_text
from payouts.runs import changes
from staffing.maintainers import queries as maintainers


@click.group()
def destination() -> None:
    """Where pay goes: proposed with `chambers maintainer destination`, decided here."""


@destination.command("list")
@click.option("--maintainer", "who", help="Of one maintainer, by id or name.")
@json_option
@command
def list_destinations(call: Call, who: str | None, as_json: bool) -> None:
    """List destinations, those of before too."""
    with reading() as session:
        mine = maintainers.find(session, who).id if who else None
        found = queries.page(session, maintainer_id=mine)
        names = maintainers.names(session)
    if as_json:
        shown = [shown_destination(one, call.now) for one in found]
        show(shown, "destinations:DestinationSchema", many=True)
        return
    for one in found:
        ending = f"…{one.iban_last4}" if one.iban_last4 else "-"
        state = one.state_at(call.now)
        click.echo(f"{one.id}  {state:<9}  {one.rail:<8}  {ending:<6}  {names[one.maintainer_id]}")


@destination.command("confirm")
@click.argument("destination_id")
@command
def confirm(call: Call, destination_id: str) -> None:
    """Confirm a destination that somebody else proposed."""
    made = changes.confirm_destination(destination_id, by=call.by, now=call.now).destination
    if made.usable_from is not None and made.usable_from > call.now:
        click.echo(f"It is in force, and used from {moment_text(made.usable_from)} on; until then nothing is paid.")
    else:
        click.echo("It is in force from now on.")


@destination.command("reject")
@click.argument("destination_id")
@click.option("--reason", required=True, help="Stays on record.")
@command
def reject(call: Call, destination_id: str, reason: str) -> None:
    """Reject a proposal; what was in force stays in force."""
    decisions.reject(destination_id, reason=reason, by=call.by, now=call.now)
    click.echo("It is rejected.")


@destination.command("withdraw")
@click.argument("destination_id")
@command
def withdraw(call: Call, destination_id: str) -> None:
    """Take one's own proposal back; what was in force stays in force."""
    decisions.withdraw(destination_id, by=call.by, now=call.now)
    click.echo("It is withdrawn.")
