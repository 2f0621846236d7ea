"""Adjustments, and what is outstanding of advances."""

from __future__ import annotations

from datetime import date

import click

from api.commands.running import Call, command, json_option, show
from api.commands.types import DAY, MONEY, MONTH
from firm.db import reading
from firm.money import Money
from firm.month import Month
from firm.profile import operations as profiles
from payouts.adjustments import operations, queries
from payouts.adjustments.operations import MADE_BY_HAND, Draft
from payouts.adjustments.rules import TITLES
from staffing.maintainers import queries as maintainers


@click.group()
def adjustment() -> None:
    """Corrections, advances, withholding and fees."""


@adjustment.command("add", context_settings={"ignore_unknown_options": True})
@click.argument("kind", type=click.Choice(MADE_BY_HAND))
@click.argument("who")
@click.argument("amount", type=MONEY)
@click.option("--reason", required=True, help="A sentence that the maintainer reads on the statement.")
@click.option("--adjusts", type=MONTH, help="The earlier month that it concerns; a correction names it.")
@click.option("--package", help="Whose fund a correction is charged to; the firm's residual without one.")
@click.option("--on", type=DAY, help="The day it is booked; today without one.")
@json_option
@command
def add(
    call: Call,
    kind: str,
    who: str,
    amount: Money,
    reason: str,
    adjusts: Month | None,
    package: str | None,
    on: date | None,
    as_json: bool,
) -> None:
    """Book an adjustment. AMOUNT is what it does to the payable, such as "-87.25 USD"."""
    draft = Draft(who, kind, amount, reason, adjusts=adjusts, package=package, on=on)
    made = operations.make(draft, by=call.by, now=call.now)
    if as_json:
        show(made, "adjustments:AdjustmentSchema")
    else:
        click.echo(f"{made.number}: {made.amount} for {who} in {made.month.name}.")


@adjustment.command("reverse")
@click.argument("number")
@click.option("--reason", required=True)
@click.option("--on", type=DAY, help="The day it is booked; today without one.")
@command
def reverse(call: Call, number: str, reason: str, on: date | None) -> None:
    """Take an adjustment back by a further one."""
    made = operations.reverse(number, reason=reason, on=on, by=call.by, now=call.now)
    click.echo(f"{made.number} takes {number} back: {made.amount} in {made.month.name}.")


@adjustment.command("list")
@click.option("--month", "which", type=MONTH, help="Only those booked in this month.")
@json_option
@command
def list_adjustments(call: Call, which: Month | None, as_json: bool) -> None:
    """List adjustments."""
    with reading() as session:
        found = queries.page(session, month=which)
        names = maintainers.names(session)
    if as_json:
        show(found, "adjustments:AdjustmentSchema", many=True)
        return
    if not found:
        click.echo("There is no such adjustment.")
    for one in found:
        adjusts = f" (adjusts {one.adjusts_month})" if one.adjusts_month else ""
        title = f"{'Reversal: ' if one.reverses_id else ''}{TITLES[one.kind]}"
        click.echo(
            f"{one.number}  {one.month}  {names[one.maintainer_id]}  {title}  {one.amount}  {one.reason}{adjusts}"
        )


@adjustment.command("advances")
@json_option
@command
def advances(call: Call, as_json: bool) -> None:
    """Show what is outstanding of advances."""
    with reading() as session:
        found = queries.outstanding(session, profiles.current(session).currency)
        names = maintainers.names(session)
    rows = [{"maintainer_id": key, "outstanding": amount} for key, amount in sorted(found.items())]
    if as_json:
        show(rows, "advances:AdvanceSchema", many=True)
        return
    if not found:
        click.echo("No advance is outstanding.")
    for key, amount in sorted(found.items()):
        click.echo(f"{names[key]:<32}{amount!s:>20}")
