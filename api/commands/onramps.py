"""The on-ramp: stages, letters, readiness."""

from __future__ import annotations

from datetime import date

import click

from api.commands.running import Call, command, json_option, show
from api.commands.types import DAY, MONEY
from firm.db import reading
from firm.money import Money
from firm.profile import operations as profiles
from staffing.maintainers import queries as found_maintainers
from staffing.onramp import operations as onramps
from staffing.onramp import queries as found_onramps
from staffing.onramp.model import STAGES


@click.group()
def onramp() -> None:
    """The way to an own firm: stages, letters, readiness."""


@onramp.command("stage")
@click.argument("who")
@click.argument("stage", type=click.Choice(STAGES))
@click.option("--on", type=DAY, required=True)
@click.option("--note", default="")
@command
def enter_stage(call: Call, who: str, stage: str, on: date, note: str) -> None:
    """Enter the next stage."""
    onramps.enter_stage(who, stage, on=on, note=note, by=call.by, now=call.now)
    click.echo(f"{who} is {stage} from {on.isoformat()} on.")


@onramp.command("letter")
@click.argument("who")
@click.option("--company", required=True)
@click.option("--amount", type=MONEY, required=True, help="A month.")
@click.option("--term-months", type=int, required=True)
@click.option("--signed", "signed_on", type=DAY, required=True)
@click.option("--expires", "expires_on", type=DAY, required=True, help="The first day it no longer counts.")
@click.option("--condition", default="")
@json_option
@command
def record_letter(
    call: Call,
    who: str,
    company: str,
    amount: Money,
    term_months: int,
    signed_on: date,
    expires_on: date,
    condition: str,
    as_json: bool,
) -> None:
    """Record a signed pre-commitment letter."""
    made = onramps.record_letter(
        who,
        company=company,
        amount=amount,
        term_months=term_months,
        signed_on=signed_on,
        expires_on=expires_on,
        condition=condition,
        by=call.by,
        now=call.now,
    )
    if as_json:
        show(made, "on_ramps:LetterSchema")
    else:
        click.echo(f"{company} promises {amount} a month for {term_months} months ({made.id}).")


@onramp.command("withdraw")
@click.argument("letter_id")
@click.option("--on", type=DAY, required=True)
@command
def withdraw_letter(call: Call, letter_id: str, on: date) -> None:
    """Record that a company withdrew its letter."""
    letter = onramps.withdraw_letter(letter_id, on=on, by=call.by, now=call.now)
    click.echo(f"The letter of {letter.company} does not count from {on.isoformat()} on.")


@onramp.command("runway")
@click.argument("who")
@click.option("--months", "months_covered", type=int, required=True)
@click.option("--text", required=True)
@command
def record_runway(call: Call, who: str, months_covered: int, text: str) -> None:
    """Record how the junior lives until the new firm earns."""
    onramps.record_runway(who, months_covered=months_covered, text=text, by=call.by, now=call.now)
    click.echo(f"The runway plan of {who} covers {months_covered} months.")


@onramp.command("show")
@click.argument("who")
@json_option
@command
def show_onramp(call: Call, who: str, as_json: bool) -> None:
    """Show the stage, the letters and the readiness list of today."""
    with reading() as session:
        person = found_maintainers.find(session, who)
        today = call.now.astimezone(profiles.current(session).zone).date()
        found = found_onramps.onramp(session, person.id, on=today)
    if as_json:
        show(found, "on_ramps:OnrampSchema")
        return
    click.echo(f"{person.name}: {found.stage or 'no stage yet'}, {'ready' if found.ready else 'not ready'}")
    for criterion in found.criteria:
        click.echo(f"  [{'x' if criterion.met else ' '}] {criterion.explanation}")
