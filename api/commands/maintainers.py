"""Maintainers, their names elsewhere, and where their pay goes."""

from __future__ import annotations

import click

from api.commands.running import Call, command, json_option, show, tell
from api.parts import parts
from api.shapes import suggestions_for
from firm.db import reading
from firm.particulars import checked_bic
from payouts.destinations import operations as destinations
from staffing.maintainers import operations as maintainers
from staffing.maintainers import queries as found_maintainers
from staffing.maintainers.model import GRADES, WORKS_AS


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
