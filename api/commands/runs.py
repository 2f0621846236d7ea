"""Payout runs."""

from __future__ import annotations

from datetime import date
from typing import IO

import click

from api.commands.progress import count_bar
from api.commands.proofs import proof
from api.commands.running import Call, command, json_option, show
from api.commands.types import DAY
from api.parts import parts
from api.shapes import whole_run
from payouts.runs import files, preparation, sending


@click.group()
def run() -> None:
    """Payout runs: draft, propose, approve, send, settle."""


run.add_command(proof)


@run.command("draft")
@json_option
@command
def draft(call: Call, as_json: bool) -> None:
    """Collect everything payable into a new run."""
    found = preparation.draft(rails=parts().rails, by=call.by, now=call.now)
    if as_json:
        show(whole_run(found.run, found.payouts, found.left_out), "payout_runs:WholeRunSchema")
        return
    click.echo(f"Drafted {found.run.number}:")
    for payout in found.payouts:
        click.echo(f"  {payout.payee_name:<30}{payout.amount!s:>20}  {payout.rail}")
    for out in found.left_out:
        click.echo(f"Left out: {out.maintainer_id} ({out.payable}) {out.reason}.")


@run.command("propose")
@click.argument("number")
@json_option
@command
def propose(call: Call, number: str, as_json: bool) -> None:
    """Propose a draft for approval."""
    found = preparation.propose(number, by=call.by, now=call.now)
    if as_json:
        show(found, "payout_runs:RunSchema")
    else:
        click.echo(f"{found.number} is proposed; somebody else approves it with `chambers run approve`.")


@run.command("approve")
@click.argument("number")
@json_option
@command
def approve(call: Call, number: str, as_json: bool) -> None:
    """Approve a proposed run. Set CHAMBERS_TOKEN to the approver's token."""
    found = preparation.approve(number, by=call.by, now=call.now)
    if as_json:
        show(found, "payout_runs:RunSchema")
    else:
        click.echo(f"{found.number} is approved by {found.approved_by}; its money is reserved in the books.")


@run.command("cancel")
@click.argument("number")
@command
def cancel(call: Call, number: str) -> None:
    """Cancel a run that is not approved yet."""
    click.echo(f"{preparation.cancel(number, by=call.by, now=call.now).number} is canceled.")


@run.command("send")
@click.argument("number")
@json_option
@command
def send(call: Call, number: str, as_json: bool) -> None:
    """Send an approved run over its rails. To finish an interrupted one, send again."""
    with count_bar(f"Sending {number}") as progress:
        sending.send(number, rails=parts().rails, keys=parts().keys, by=call.by, now=call.now, progress=progress)
    _print(number, as_json=as_json)


@run.command("settle")
@click.argument("payout_id")
@click.option("--reference", required=True, help="The bank's.")
@click.option("--on", type=DAY, required=True)
@json_option
@command
def settle(call: Call, payout_id: str, reference: str, on: date, as_json: bool) -> None:
    """Enter the proof that a payout left the bank."""
    payout = sending.settle(payout_id, reference=reference, on=on, by=call.by, now=call.now)
    if as_json:
        show(payout, "payout_runs:PayoutSchema")
    else:
        click.echo(f"{payout.amount} to {payout.payee_name} is settled.")


@run.command("return")
@click.argument("payout_id")
@click.option("--reason", required=True)
@click.option("--on", type=DAY, required=True)
@command
def give_back(call: Call, payout_id: str, reason: str, on: date) -> None:
    """Enter that a payment came back: the money is payable again."""
    payout = sending.give_back(payout_id, reason=reason, on=on, by=call.by, now=call.now)
    click.echo(f"{payout.amount} to {payout.payee_name} is payable again.")


@run.command("status")
@click.argument("number")
@json_option
@command
def status(call: Call, number: str, as_json: bool) -> None:
    """Show a run and its payouts."""
    _print(number, as_json=as_json)


@run.command("file")
@click.argument("number")
@click.option("--rail", default="sepa", show_default=True)
@click.option("--out", type=click.File("w"), default="-", help="Where to write it.")
@command
def file(call: Call, number: str, rail: str, out: IO[str]) -> None:
    """Write the file to take to the bank; each reading of it is audited."""
    content = files.file_of(number, rail, keys=parts().keys, by=call.by, now=call.now)
    click.echo(content, file=out, nl=False)


def _print(number: str, *, as_json: bool) -> None:
    found, payouts = sending.run_with_payouts(number)
    if as_json:
        show(whole_run(found, payouts), "payout_runs:WholeRunSchema")
        return
    click.echo(f"{found.number} ({found.state})")
    for payout in payouts:
        click.echo(f"  {payout.id}  {payout.payee_name:<26}{payout.amount!s:>18}  {payout.rail:<7} {payout.state}")
