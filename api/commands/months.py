"""Months and the books."""

from __future__ import annotations

from datetime import date

import click

from api import evidence
from api.commands.progress import step_bar
from api.commands.running import Call, command, json_option, show
from api.commands.types import DAY, MONTH
from api.shapes import shown_month
from firm import ids
from firm.db import reading
from firm.ledger import operations
from firm.ledger import queries as ledger
from firm.month import Month
from payouts import month_end


@click.group()
def month() -> None:
    """Preview and close a month."""


@month.command("preview")
@click.argument("which", type=MONTH, metavar="MONTH")
@json_option
@command
def preview(call: Call, which: Month, as_json: bool) -> None:
    """Work a month out and write nothing."""
    result = month_end.preview(which, now=call.now)
    if as_json:
        show(shown_month(result), "months:PreviewSchema")
    else:
        _print(result)
        if result.first_open < result.month:
            click.echo(f"{result.first_open.name} is still open: these are the figures of {result.month.name} alone.")
        if result.without_terms:
            names = ", ".join(result.without_terms)
            click.echo(f"Closing waits for the pay terms of {names}: set them with `chambers terms set`.")


@month.command("close")
@click.argument("which", type=MONTH, metavar="MONTH")
@json_option
@command
def close(call: Call, which: Month, as_json: bool) -> None:
    """Close a month: invoice, recognize, allocate, earnings, close, statements. To finish one, run it again."""
    evidence.keep(now=call.now)
    with step_bar(f"Closing {which.name}", len(month_end.STEPS) + 1) as step:
        result = month_end.close(which, by=call.by, now=call.now, progress=step)
    if as_json:
        show(shown_month(result), "months:ClosingSchema")
    else:
        _print(result)
        click.echo("Statements: `chambers statement NAME " + f"{which}`. To pay what was earned: `chambers run draft`.")


@month.command("status")
@click.argument("which", type=MONTH, metavar="MONTH")
@json_option
@command
def status(call: Call, which: Month, as_json: bool) -> None:
    """Show what a month's close came to so far."""
    result = month_end.closing(which)
    if as_json:
        show(shown_month(result), "months:ClosingSchema")
    else:
        _print(result)


@click.group()
def books() -> None:
    """The journal and the trial balance."""


@books.command("balance")
@json_option
@command
def balance(call: Call, as_json: bool) -> None:
    """Show the trial balance."""
    with reading() as session:
        rows = ledger.trial_balance(session)
    if as_json:
        show({"accounts": rows}, "journal:TrialBalanceSchema")
    else:
        for row in rows:
            click.echo(f"{row.account:<40}{row.balance!s:>24}")


@books.command("journal")
@click.argument("which", type=MONTH, metavar="MONTH")
@json_option
@command
def journal(call: Call, which: Month, as_json: bool) -> None:
    """Show the journal entries of a month."""
    with reading() as session:
        found = ledger.entries(session, month=which)
    if as_json:
        show(found, "journal:EntrySchema", many=True)
    else:
        for entry in found:
            known_by = ids.numbered("ent", entry.number)
            click.echo(f"\n{entry.on.isoformat()}  {entry.narration}  [{entry.source}, {known_by}]\n{entry}")


@books.command("reverse")
@click.argument("entry_id")
@click.option("--on", type=DAY, required=True, help="The day of the reversal, in an open month.")
@click.option("--reason", required=True, help="Why; it stays in the books.")
@command
def reverse(call: Call, entry_id: str, on: date, reason: str) -> None:
    """Post the exact negation of an entry that no other record stands on."""
    number = operations.reverse_entry(ledger.number_of(entry_id), on=on, reason=reason, by=call.by, now=call.now)
    click.echo(f"{entry_id} is reversed by {ids.numbered('ent', number)}.")


def _print(result: month_end.Closing | month_end.Preview) -> None:
    values = shown_month(result)
    state = "previewed" if isinstance(result, month_end.Preview) else "closed" if result.closed else "not finished"
    rows = [("Recognized", result.recognized)]
    rows += [(f"  {fund['name']}", fund["amount"]) for fund in values["allocated"]]
    rows += [("Earned by maintainers", result.earned), ("The firm's residual", result.residual)]
    click.echo(f"{result.month.name} ({state})")
    for name, amount in rows:
        click.echo(f"{name:<32}{amount!s:>20}")
    if isinstance(result, month_end.Closing):
        for reason in result.held_back:
            click.echo(f"Not billed: {reason}")
