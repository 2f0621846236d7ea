"""Remittance advices."""

from __future__ import annotations

from pathlib import Path

import click

from api.commands.papers import give
from api.commands.running import Call, command
from firm.db import reading
from firm.money import Money
from payouts.remittance import operations, queries


@click.group()
def remittance() -> None:
    """Remittance advices: what one payout paid for."""


@remittance.command("issue")
@click.argument("run", required=False)
@command
def issue(call: Call, run: str | None) -> None:
    """Issue the advices that are missing, of one run or of all payouts that were sent."""
    number = operations.issue_waiting(run, by=call.by, now=call.now)
    click.echo(f"Issued {number} remittance advice{'' if number == 1 else 's'}.")


@remittance.command("list")
@command
def list_(call: Call) -> None:
    """List issued advices."""
    with reading() as session:
        found = queries.page(session)
    for row in found:
        amount = Money(row.amount_minor, row.currency)
        click.echo(f"{row.number}  {amount!s:>20}  {queries.figures(row)['payee']}")
    if not found:
        click.echo("No advice has been issued.")


@remittance.command("show")
@click.argument("number")
@click.option("--out", type=click.Path(path_type=Path), help="Write it here: .pdf, .html or .json by the ending.")
@command
def show_advice(call: Call, number: str, out: Path | None) -> None:
    """Show an advice, or write it to a file."""
    with reading() as session:
        row = queries.find(session, number)
    give(queries.figures(row), out)
