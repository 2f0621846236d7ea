"""Payout runs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from api.commands.progress import count_bar
from api.commands.proofs import proof
from api.commands.running import Call, command, json_option, show, tell
from api.commands.types import DAY, MONEY
from api.parts import parts
from api.shapes import whole_run, with_proofs
from firm import clock, private
from firm.db import reading
from firm.money import Money
from payouts.proofs.model import PaymentProof
from payouts.runs import approvals, files, policies, preparation, queries, sending, settling
from payouts.runs.model import RUN_STATES, PayoutRun


@click.group()
def run() -> None:
    """Payout runs: draft, hold, propose, approve, send, settle."""


run.add_command(proof)


@run.command("draft")
@json_option
@command
def draft(call: Call, as_json: bool) -> None:
    """Collect everything payable into a new run."""
    found = preparation.draft(rails=parts().rails, by=call.by, now=call.now)
    if as_json:
        show(whole_run(found.run, found.payouts, left_out=found.left_out), "payout_runs:WholeRunSchema")
        return
    click.echo(f"Drafted {found.run.number}:")
    for payout in found.payouts:
        why = f"  {payout.state}: {payout.reason}" if payout.reason else ""
        click.echo(f"  {payout.payee_name:<30}{payout.amount!s:>20}  {payout.rail}{why}")
    for out in found.left_out:
        click.echo(f"Left out: {out.name} ({out.payable}) {out.reason}.")
    click.echo(f"Go on with `chambers run propose {found.run.number}`.")


@run.command("propose")
@click.argument("number")
@json_option
@command
def propose(call: Call, number: str, as_json: bool) -> None:
    """Propose a draft for approval."""
    found = approvals.propose(number, by=call.by, now=call.now)
    if as_json:
        show(found, "payout_runs:RunSchema")
    else:
        click.echo(f"{found.number} is proposed; somebody else approves it with `chambers run approve {found.number}`.")


@run.command("approve")
@click.argument("number")
@json_option
@command
def approve(call: Call, number: str, as_json: bool) -> None:
    """Approve a proposed run. Set CHAMBERS_TOKEN to the approver's token."""
    found = approvals.approve(number, by=call.by, now=call.now)
    if as_json:
        show(found, "payout_runs:RunSchema")
    else:
        click.echo(_approved(found))


@run.command("cancel")
@click.argument("number")
@command
def cancel(call: Call, number: str) -> None:
    """Cancel a run that is not approved yet."""
    click.echo(f"{preparation.cancel(number, by=call.by, now=call.now).number} is canceled.")


@run.command("reopen")
@click.argument("number")
@click.option("--reason", required=True)
@command
def reopen(call: Call, number: str, reason: str) -> None:
    """Make a proposed run a draft again; the approvals it has are void."""
    found = approvals.take_back(number, reason=reason, by=call.by, now=call.now)
    click.echo(f"{found.number} is a draft again.")


@run.command("hold")
@click.argument("payout_id")
@click.option("--reason", required=True, help="The payee may read it.")
@command
def hold(call: Call, payout_id: str, reason: str) -> None:
    """Hold one payout of a run that is not approved yet."""
    payout = preparation.hold(payout_id, reason=reason, by=call.by, now=call.now)
    click.echo(f"The payout to {payout.payee_name} is held; its run is a draft.")


@run.command("take-up")
@click.argument("payout_id")
@command
def take_up(call: Call, payout_id: str) -> None:
    """Plan a held payout again."""
    payout = preparation.take_up(payout_id, rails=parts().rails, by=call.by, now=call.now)
    click.echo(f"The payout to {payout.payee_name} is planned again; its run is a draft.")


@run.command("withdraw")
@click.argument("payout_id")
@click.option("--reason", required=True)
@command
def withdraw(call: Call, payout_id: str, reason: str) -> None:
    """Take an approved payout back of which nothing was sent."""
    payout = settling.withdraw(payout_id, reason=reason, by=call.by, now=call.now)
    click.echo(f"{payout.amount} to {payout.payee_name} is payable again.")


@run.command("policy")
@click.option("--minimum", type=MONEY, required=True, help="Less is carried over: 50.00 USD.")
@click.option("--approvals", "few", type=click.IntRange(1, 9), default=1, show_default=True)
@click.option("--large-above", type=MONEY, help="Above this, within the window, more people approve.")
@click.option("--approvals-when-large", type=click.IntRange(1, 9))
@click.option("--window-days", type=click.IntRange(1, 366), default=30, show_default=True)
@command
def policy(
    call: Call,
    minimum: Money,
    few: int,
    large_above: Money | None,
    approvals_when_large: int | None,
    window_days: int,
) -> None:
    """Lay down the least that is paid, and how many people approve a run."""
    found = policies.lay_down(
        minimum=minimum,
        approvals=few,
        large_above=large_above,
        approvals_when_large=approvals_when_large,
        window_days=window_days,
        by=call.by,
        now=call.now,
    )
    click.echo(f"From the next run in {found.currency} on: {found.approvals} approvals,")
    click.echo(f"{found.approvals_when_large} for what is large, and nothing under {minimum} is paid.")


@run.command("send")
@click.argument("number")
@json_option
@command
def send(call: Call, number: str, as_json: bool) -> None:
    """Send an approved run over its rails. To finish an interrupted one, send again."""
    with count_bar(f"Sending {number}") as progress:
        sending.send(
            number, rails=parts().rails, keys=parts().keys, by=call.by, now=call.now, clock=clock.now, progress=progress
        )
    _print(number, as_json=as_json)
    if not as_json:
        _say_what_waits(number)


@run.command("settle")
@click.argument("payout_id")
@click.option("--reference", required=True, help="The bank's.")
@click.option("--on", type=DAY, required=True)
@json_option
@command
def settle(call: Call, payout_id: str, reference: str, on: date, as_json: bool) -> None:
    """Enter the proof that a payout left the bank."""
    payout = settling.settle(payout_id, reference=reference, on=on, by=call.by, now=call.now)
    if as_json:
        show(payout, "payouts:PayoutSchema")
    else:
        click.echo(f"{payout.amount} to {payout.payee_name} is settled.")


@run.command("return")
@click.argument("payout_id")
@click.option("--reason", required=True)
@click.option("--on", type=DAY, required=True)
@command
def give_back(call: Call, payout_id: str, reason: str, on: date) -> None:
    """Enter that a payment came back: the money is payable again."""
    payout = settling.give_back(payout_id, reason=reason, on=on, by=call.by, now=call.now)
    click.echo(f"{payout.amount} to {payout.payee_name} is payable again.")


@run.command("list")
@click.option("--state", type=click.Choice(RUN_STATES), help="Only those in this state.")
@json_option
@command
def list_runs(call: Call, state: str | None, as_json: bool) -> None:
    """List payout runs."""
    with reading() as session:
        found = queries.page(session, state=state)
    if as_json:
        show(found, "payout_runs:RunSchema", many=True)
    else:
        tell(map(_line, found), nothing="There is no such run.")


def _line(run: PayoutRun) -> str:
    approved = f", approved by {run.approved_by}" if run.approved_by else ""
    prepared = f"{run.prepared_at:%Y-%m-%d} by {run.prepared_by}"
    return f"{run.number}  {run.currency}  {run.state:<16}prepared {prepared}{approved}"


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
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), help="Where to write it.")
@command
def file(call: Call, number: str, rail: str, out: Path | None) -> None:
    """Write the file to take to the bank; each reading of it is audited."""
    payments, total = files.paid_by(number, rail)
    content = files.file_of(number, rail, keys=parts().keys, by=call.by, now=call.now)
    what = f"{payments} {rail} payment{'' if payments == 1 else 's'} of {number}, {total} together"
    if out is None or str(out) == "-":
        click.echo(content, nl=False)
        click.echo(f"This file holds {what}.", err=True)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        private.write(out, content.encode())
        click.echo(f"{out} holds {what}. Take it to the bank; only you can read it, and the reading is on record.")


def _say_what_waits(number: str) -> None:
    """What a person has to do now that the run has left: nothing tells the books by itself what a bank did."""
    sent = [one for one in sending.run_with_payouts(number)[1] if one.state == "sent"]
    filed = files.rails_of(number)
    for rail in sorted(filed):
        click.echo(f"For the bank: chambers run file {number} --rail {rail} --out {number}-{rail}.xml")
    if any(one.rail not in filed for one in sent):
        click.echo("Pay by hand what is sent over a rail without a file, and enter each payment:")
    if sent:
        click.echo("chambers run settle PAYOUT --reference THE-BANKS --on DAY   (or `chambers import bank STATEMENT`)")


def _approved(run: PayoutRun) -> str:
    if run.state == "proposed":
        return f"Your approval of {run.number} is noted; it takes {run.approvals_needed} different people."
    reserved = f"{run.number} is approved by {run.approved_by}; its money is reserved in the books."
    return f"{reserved} Send it with `chambers run send {run.number}`."


def _print(number: str, *, as_json: bool) -> None:
    found, payouts = sending.run_with_payouts(number)
    if as_json:
        show(whole_run(found, payouts), "payout_runs:WholeRunSchema")
        return
    click.echo(f"{found.number} ({found.state})")
    for shown in with_proofs(payouts):
        line = "  {id}  {payee_name:<26}{amount!s:>18}  {rail:<7} {state}".format(**shown)
        click.echo(line + _proven(shown["proof"]))


def _proven(proof: PaymentProof | None) -> str:
    return "" if proof is None else f", proof of {proof.added_at:%Y-%m-%d} ({proof.content_type})"
