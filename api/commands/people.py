"""Maintainers, assignments, pay terms and the on-ramp."""

from __future__ import annotations

from datetime import date

import click

from api.commands.running import Call, command, json_option, show, tell
from api.commands.types import DAY, MONEY, PERCENT
from api.parts import parts
from api.shapes import suggestions_for
from firm.db import reading
from firm.money import Money
from firm.particulars import checked_bic
from firm.profile import operations as profiles
from payouts.destinations import operations as destinations
from staffing.assignments import operations as assignments
from staffing.assignments.model import ROLES
from staffing.maintainers import operations as maintainers
from staffing.maintainers import queries as found_maintainers
from staffing.maintainers.model import GRADES, WORKS_AS
from staffing.onramp import operations as onramps
from staffing.onramp import queries as found_onramps
from staffing.onramp.model import STAGES


@click.group()
def maintainer() -> None:
    """Maintainers, their aliases and destinations."""


@maintainer.command("add")
@click.argument("name")
@click.option("--email", required=True)
@click.option("--country", required=True, help="ISO code, such as US.")
@click.option("--grade", type=click.Choice(GRADES), required=True)
@click.option("--works-as", type=click.Choice(WORKS_AS), required=True)
@click.option("--address", multiple=True, help="A line of the address; may be given several times.")
@json_option
@command
def add(
    call: Call,
    name: str,
    email: str,
    country: str,
    grade: str,
    works_as: str,
    address: tuple[str, ...],
    as_json: bool,
) -> None:
    """Add a maintainer."""
    made = maintainers.add(
        name=name,
        email=email,
        country=country,
        grade=grade,
        works_as=works_as,
        address=address,
        by=call.by,
        now=call.now,
    )
    if as_json:
        show(made, "maintainers:MaintainerSchema")
    else:
        click.echo(f"{made.name} is there as {made.id}.")


@maintainer.command("change")
@click.argument("who")
@click.option("--name", help="Their right name.")
@click.option("--email", help="Their right address.")
@click.option("--country", help="ISO code, such as US.")
@click.option("--grade", type=click.Choice(GRADES))
@click.option("--works-as", type=click.Choice(WORKS_AS))
@click.option("--address", multiple=True, help="A line of the right address; may be given several times.")
@json_option
@command
def change(
    call: Call,
    who: str,
    name: str | None,
    email: str | None,
    country: str | None,
    grade: str | None,
    works_as: str | None,
    address: tuple[str, ...],
    as_json: bool,
) -> None:
    """Correct what is known of a maintainer. Papers that were issued keep what they say."""
    changes = maintainers.Change(name, email, country, grade, works_as, address or None)
    changed = maintainers.change(who, changes, by=call.by, now=call.now)
    if as_json:
        show(changed, "maintainers:MaintainerSchema")
    else:
        click.echo(f"{changed.name} is corrected.")


@maintainer.command("alias")
@click.argument("who")
@click.option("--name", help="Another name they appear under.")
@click.option("--email", help="Another address they appear under.")
@command
def alias(call: Call, who: str, name: str | None, email: str | None) -> None:
    """Add a name or an address under which a maintainer appears."""
    found = maintainers.add_alias(who, name=name, email=email, by=call.by, now=call.now)
    click.echo(f"{who} has {len(found)} aliases; import again to attribute earlier work.")


@maintainer.command("destination")
@click.argument("who")
@click.option("--rail", required=True, help="manual or sepa.")
@click.option("--iban", help="For rails that pay to an IBAN.")
@click.option("--bic")
@click.option("--holder", help="The account's holder, if not the maintainer.")
@click.option("--country", help="Of an account without IBAN, if not the maintainer's; such as US.")
@click.option("--account", help="The payee's account at the rail's provider.")
@json_option
@command
def destination(
    call: Call,
    who: str,
    rail: str,
    iban: str | None,
    bic: str | None,
    holder: str | None,
    country: str | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Propose where a maintainer's pay goes; somebody else confirms it."""
    made = destinations.propose(
        who,
        rail=rail,
        iban=iban,
        bic=bic and checked_bic(bic),
        holder=holder,
        country=country,
        account=account,
        rails=parts().rails,
        keys=parts().keys,
        by=call.by,
        now=call.now,
    )
    if as_json:
        show(made, "destinations:DestinationSchema")
        return
    ending = f", to the account ending in {made.iban_last4}" if made.iban_last4 else ""
    click.echo(f"{who} is to be paid over {rail}{ending}; somebody else confirms it with")
    click.echo(f"chambers destination confirm {made.id}")


@maintainer.command("rails")
@click.argument("who")
@click.option("--currency", help="What is to be paid; the currency of the books unless given.")
@json_option
@command
def rails(call: Call, who: str, currency: str | None, as_json: bool) -> None:
    """Show which rails can pay a maintainer, and why the others cannot."""
    found = suggestions_for(who, currency, now=call.now)
    if as_json:
        show({"rails": found}, "destinations:SuggestionsSchema")
        return
    for one in found:
        click.echo(f"{'yes' if one.suits else 'no ':<3}  {one.rail:<10}  {one.reason}")


@maintainer.command("list")
@json_option
@command
def list_maintainers(call: Call, as_json: bool) -> None:
    """List maintainers."""
    with reading() as session:
        found = found_maintainers.page(session)
    if as_json:
        show(found, "maintainers:MaintainerSchema", many=True)
    else:
        tell(
            (f"{one.id}  {one.grade:<9}  {one.works_as:<13}  {one.name}" for one in found),
            nothing="There is no maintainer yet; `chambers maintainer add` one.",
        )


@click.group()
def assignment() -> None:
    """Who works on what."""


@assignment.command("add")
@click.option("--maintainer", "who", required=True, help="Id or name.")
@click.option("--package", required=True, help="Id or name.")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--share", type=PERCENT, required=True, help="Percent of their time.")
@click.option("--from", "from_on", type=DAY, required=True)
@click.option("--until", "until_on", type=DAY, help="The first day it no longer runs.")
@click.option("--volunteer", is_flag=True, help="Unpaid: shown, never tasked.")
@click.option("--override", help="Why the funding gate is overridden.")
@json_option
@command
def add_assignment(
    call: Call,
    who: str,
    package: str,
    role: str,
    share: int,
    from_on: date,
    until_on: date | None,
    volunteer: bool,
    override: str | None,
    as_json: bool,
) -> None:
    """Assign a maintainer to a package."""
    made = assignments.assign(
        maintainer=who,
        package=package,
        role=role,
        share_bp=share,
        from_on=from_on,
        until_on=until_on,
        paid=not volunteer,
        override_reason=override,
        by=call.by,
        now=call.now,
    )
    if as_json:
        show(made, "assignments:AssignmentSchema")
    else:
        click.echo(f"{who} works on {package} from {from_on.isoformat()} on ({made.id}).")


@assignment.command("end")
@click.argument("assignment_id")
@click.option("--on", type=DAY, required=True, help="The first day it no longer runs.")
@command
def end_assignment(call: Call, assignment_id: str, on: date) -> None:
    """End an assignment."""
    assignments.end(assignment_id, on=on, by=call.by, now=call.now)
    click.echo(f"It ends on {on.isoformat()}.")


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
