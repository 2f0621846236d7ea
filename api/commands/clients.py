"""Clients, tiers and engagements."""

from __future__ import annotations

from datetime import date

import click

from api.commands.running import Call, command, json_option, show, tell
from api.commands.types import DAY, MONEY
from firm.clients import operations as clients
from firm.clients import queries as found_clients
from firm.clients.model import CONTACT_ROLES
from firm.db import reading
from firm.engagements import interests as named
from firm.engagements import operations as engagements
from firm.engagements import queries as found_engagements
from firm.engagements.interests import NamedInterest
from firm.engagements.model import CYCLES
from firm.engagements.rules import BLOCKING_CLAUSES
from firm.money import Money

CLAUSES = f"A clause of the agreement worth watching. Never signed: {', '.join(BLOCKING_CLAUSES)}."


@click.group()
def client() -> None:
    """Clients and their contacts."""


@client.command("add")
@click.argument("name")
@click.option("--country", required=True, help="ISO code, such as US.")
@click.option("--address", multiple=True, help="A line of the address; may be given several times.")
@click.option("--requires-po", is_flag=True, help="Takes no invoice without a purchase order number.")
@json_option
@command
def add_client(call: Call, name: str, country: str, address: tuple[str, ...], requires_po: bool, as_json: bool) -> None:
    """Register a client."""
    made = clients.register(
        name=name, country=country, address=address, requires_po=requires_po, by=call.by, now=call.now
    )
    if as_json:
        show(made, "clients:ClientSchema")
    else:
        click.echo(f"{made.name} is registered as {made.id}.")


@client.command("change")
@click.argument("client_name")
@click.option("--name", help="Its right name.")
@click.option("--country", help="ISO code, such as US.")
@click.option("--address", multiple=True, help="A line of the right address; may be given several times.")
@click.option("--requires-po/--requires-no-po", default=None, help="Whether it takes invoices without a PO number.")
@json_option
@command
def change_client(
    call: Call,
    client_name: str,
    name: str | None,
    country: str | None,
    address: tuple[str, ...],
    requires_po: bool | None,
    as_json: bool,
) -> None:
    """Correct what is known of a client. Papers that were issued keep what they say."""
    changes = clients.Change(name, country, address or None, requires_po)
    changed = clients.change(client_name, changes, by=call.by, now=call.now)
    if as_json:
        show(changed, "clients:ClientSchema")
    else:
        click.echo(f"{changed.name} is corrected.")


@client.command("contact")
@click.argument("client_name")
@click.option("--name", required=True)
@click.option("--email", required=True)
@click.option("--role", type=click.Choice(CONTACT_ROLES), required=True)
@command
def add_contact(call: Call, client_name: str, name: str, email: str, role: str) -> None:
    """Add a contact of a client."""
    clients.add_contact(client_name, name=name, email=email, role=role, by=call.by, now=call.now)
    click.echo(f"{name} is a contact of {client_name}.")


@client.command("list")
@json_option
@command
def list_clients(call: Call, as_json: bool) -> None:
    """List clients."""
    with reading() as session:
        found = found_clients.page(session)
    if as_json:
        show(found, "clients:ClientSchema", many=True)
    else:
        tell((f"{one.id}  {one.name}" for one in found), nothing="There is no client yet; `chambers client add` one.")


@click.group()
def tier() -> None:
    """Tiers."""


@tier.command("add")
@click.argument("name")
@click.option("--entitlement", "entitlements", multiple=True, help="A line of what it grants.")
@json_option
@command
def add_tier(call: Call, name: str, entitlements: tuple[str, ...], as_json: bool) -> None:
    """Add a tier, or the next version of one."""
    made = engagements.add_tier(name=name, entitlements=entitlements, by=call.by, now=call.now)
    if as_json:
        show(made, "tiers:TierSchema")
    else:
        click.echo(f"{made.name} is there in version {made.version}.")


@click.group()
def engagement() -> None:
    """Engagements: draft, sign, end."""


@engagement.command("draft")
@click.option("--client", "client_name", required=True, help="Id or name.")
@click.option("--tier", "tier_name", required=True, help="Id or name; the latest version.")
@click.option("--fee", type=MONEY, required=True, help='Of a whole month, like "10000.00 USD".')
@click.option("--cycle", type=click.Choice(list(CYCLES)), required=True, help="How often it is billed, in advance.")
@click.option("--starts", "starts_on", type=DAY, required=True)
@click.option("--ends", "ends_on", type=DAY, help="The first day it no longer runs.")
@click.option("--renews", "renews_on", type=DAY)
@click.option("--notice-days", default=90, show_default=True)
@click.option("--subcontracting/--no-subcontracting", default=False, help="Whether the agreement allows it.")
@click.option("--po-number")
@click.option("--clause", "clauses", multiple=True, help=CLAUSES)
@click.option("--interest", "interests", multiple=True, metavar="PACKAGE:MAY-STOP:MONTHS", help="Like ssh:no:24.")
@click.option("--duplicate-of", metavar="ENGAGEMENT", help="The one of the same terms that this stands beside.")
@json_option
@command
def draft(
    call: Call,
    client_name: str,
    tier_name: str,
    fee: Money,
    cycle: str,
    starts_on: date,
    ends_on: date | None,
    renews_on: date | None,
    notice_days: int,
    subcontracting: bool,
    po_number: str | None,
    clauses: tuple[str, ...],
    interests: tuple[str, ...],
    duplicate_of: str | None,
    as_json: bool,
) -> None:
    """Draft an engagement."""
    made = engagements.draft(
        client=client_name,
        tier=tier_name,
        fee=fee,
        cycle=cycle,
        starts_on=starts_on,
        ends_on=ends_on,
        renews_on=renews_on,
        notice_days=notice_days,
        subcontracting_allowed=subcontracting,
        po_number=po_number,
        clauses=clauses,
        interests=[_interest(text) for text in interests],
        duplicate_of=duplicate_of,
        by=call.by,
        now=call.now,
    )
    if as_json:
        show(made, "engagements:EngagementSchema")
    else:
        click.echo(f"Drafted {made.id}; sign it with `chambers engagement sign {made.id}`.")


@engagement.command("interest")
@click.argument("engagement_id")
@click.argument("interests", nargs=-1, required=True)
@command
def interest(call: Call, engagement_id: str, interests: tuple[str, ...]) -> None:
    """Add interests, each PACKAGE:MAY-STOP:MONTHS, like ssh:no:24."""
    named.name_interests(engagement_id, [_interest(text) for text in interests], by=call.by, now=call.now)
    click.echo("1 interest is named." if len(interests) == 1 else f"{len(interests)} interests are named.")


@engagement.command("withdraw-interest")
@click.argument("engagement_id")
@click.argument("package")
@click.option("--reason", required=True)
@command
def withdraw_interest(call: Call, engagement_id: str, package: str, reason: str) -> None:
    """Take back an interest that was named by mistake, or is none any more."""
    left = named.withdraw_interest(engagement_id, package, reason=reason, by=call.by, now=call.now)
    rest = "1 interest is left" if len(left) == 1 else f"{len(left)} interests are left"
    click.echo(f"The engagement names {package} no more; {rest}.")


@engagement.command("sign")
@click.argument("engagement_id")
@json_option
@command
def sign(call: Call, engagement_id: str, as_json: bool) -> None:
    """Sign a draft; its terms stand from then on."""
    signed = engagements.sign(engagement_id, by=call.by, now=call.now)
    if as_json:
        show(signed, "engagements:EngagementSchema")
    else:
        click.echo(f"Signed: {signed.fee} a month from {signed.starts_on.isoformat()} on.")


@engagement.command("po-number")
@click.argument("engagement_id")
@click.argument("number")
@command
def po_number(call: Call, engagement_id: str, number: str) -> None:
    """Enter the client's purchase order number, also after the signature."""
    engagements.set_po_number(engagement_id, number, by=call.by, now=call.now)
    click.echo(f"Invoices carry {number} from now on.")


@engagement.command("end")
@click.argument("engagement_id")
@click.option("--on", type=DAY, required=True, help="The first day it no longer runs.")
@command
def end(call: Call, engagement_id: str, on: date) -> None:
    """End a signed engagement."""
    engagements.end(engagement_id, on=on, by=call.by, now=call.now)
    click.echo(f"It ends on {on.isoformat()}.")


@engagement.command("list")
@json_option
@command
def list_engagements(call: Call, as_json: bool) -> None:
    """List engagements."""
    with reading() as session:
        found = found_engagements.page(session)
        names = found_clients.names(session)
    if as_json:
        show(found, "engagements:EngagementSchema", many=True)
    else:
        tell(
            (
                f"{one.id}  {one.state:<6}  {names[one.client_id]:<24}{one.fee!s:>18} a month, {one.cycle}"
                for one in found
            ),
            nothing="There is no engagement yet; `chambers engagement draft` one.",
        )


def _interest(text: str) -> NamedInterest:
    try:
        package, may_stop, months = text.rsplit(":", 2)
        return NamedInterest(package, {"yes": True, "no": False}[may_stop], int(months))
    except (ValueError, KeyError):
        raise click.UsageError(f"Write an interest as PACKAGE:yes|no:MONTHS, like ssh:no:24, not {text!r}.") from None
