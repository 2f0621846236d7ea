"""The firm's letterhead, account and switches."""

from __future__ import annotations

import click

from api.commands.running import Call, command, json_option, show
from api.commands.types import MONEY
from api.parts import parts
from firm.db import reading
from firm.money import Money
from firm.profile import operations as profiles
from firm.profile.changes import change_firm
from firm.profile.model import MOST_COOLING_OFF_HOURS
from payouts.destinations.accounts import checked_bic, checked_iban


@click.group()
def firm() -> None:
    """The firm's letterhead, bank account and switches."""


@firm.command("show")
@json_option
@command
def show_firm(call: Call, as_json: bool) -> None:
    """Show the firm and its settings; of its account, the last four characters."""
    with reading() as session:
        kept = profiles.current(session)
    if as_json:
        show(kept, "firm:FirmSchema")
        return
    bank = f", BIC {kept.bic}" if kept.bic else ""
    account = f"ends in {kept.iban_last4}{bank}" if kept.iban_last4 else "none"
    for name, value in (
        ("name", kept.name),
        ("address", ", ".join(kept.address.splitlines()) or "none"),
        ("email", kept.email or "none"),
        ("color", kept.color),
        ("books", f"{kept.currency}, from {kept.first_month.name}, by the clock of {kept.time_zone}"),
        ("sole approval", "on" if kept.sole_approval else "off"),
        ("cooling-off", f"{kept.cooling_off_hours} hours"),
        ("adjustment limit", kept.adjustment_limit),
        ("tax forms", kept.tax_forms),
        ("VAT id", kept.vat_id or "none"),
        ("self-billing", f"{kept.self_billing_months} months at most"),
        ("bank account", account),
    ):
        click.echo(f"{name:<18}{value}")


@firm.command("letterhead")
@click.option("--name", help="The firm's name.")
@click.option("--address", multiple=True, help="A line of its address; may be given several times. All lines anew.")
@click.option("--email", help="Its e-mail address; empty for none.")
@click.option("--color", help="Of its papers, such as #1f3a5f.")
@command
def letterhead(call: Call, name: str | None, address: tuple[str, ...], email: str | None, color: str | None) -> None:
    """Change how papers name the firm from now on; those that are issued stay as they are."""
    kept = change_firm(name=name, address=address or None, email=email, color=color, by=call.by, now=call.now)
    click.echo(", ".join([kept.name, *kept.address.splitlines(), kept.email or "no e-mail address", kept.color]))


@firm.command("bank-account")
@click.option("--iban", prompt=True, help="The account SEPA files pay from.")
@click.option("--bic", help="Its BIC, where the bank asks for one.")
@command
def bank_account(call: Call, iban: str, bic: str | None) -> None:
    """Set the account that SEPA files pay from."""
    number = checked_iban(iban)
    bank = checked_bic(bic, iban=number) if bic else None
    change_firm(iban=number, bic=bank, keys=parts().keys, by=call.by, now=call.now)
    click.echo(f"SEPA files pay from the account ending in {number[-4:]}.")


@firm.command("adjustment-limit")
@click.argument("amount", type=MONEY)
@command
def adjustment_limit(call: Call, amount: Money) -> None:
    """Say how much others than the lead may adjust for one maintainer in a month; zero leaves it to the lead."""
    change_firm(adjustment_limit=amount, by=call.by, now=call.now)
    click.echo(f"Beyond {amount} for one maintainer in a month, the lead adjusts.")


@firm.command("sole-approval")
@click.argument("switch", type=click.Choice(["on", "off"]))
@command
def sole_approval(call: Call, switch: str) -> None:
    """Let one person approve a run or confirm a destination of their own (on), or not (off). It is audited."""
    change_firm(sole_approval=switch == "on", by=call.by, now=call.now)
    click.echo("One person may now prepare and approve a run." if switch == "on" else "Approvals need a second person.")


@firm.command("cooling-off")
@click.argument("hours", type=click.IntRange(0, MOST_COOLING_OFF_HOURS))
@command
def cooling_off(call: Call, hours: int) -> None:
    """Set for how many hours nobody is paid to a changed destination. It is audited."""
    change_firm(cooling_off_hours=hours, by=call.by, now=call.now)
    click.echo(f"A changed destination is used {hours} hours after it was confirmed.")


TAX_FORMS = {
    "on": "Payees need a valid tax form.",
    "withhold": "Payees need a valid tax form; without one, those of the United States get less backup withholding.",
    "off": "Nobody is held for want of a tax form.",
}


@firm.command("tax-forms")
@click.argument("switch", type=click.Choice(["on", "withhold", "off"]))
@command
def tax_forms(call: Call, switch: str) -> None:
    """Hold payees without a valid US tax form (on), pay those of the United States less backup withholding (withhold),
    or ask for none (off). It is audited.
    """
    change_firm(tax_forms=switch, by=call.by, now=call.now)
    click.echo(TAX_FORMS[switch])


@firm.command("vat-id")
@click.argument("vat_id")
@command
def vat_id(call: Call, vat_id: str) -> None:
    """Set the firm's own VAT id, as papers show it."""
    kept = change_firm(vat_id=vat_id, by=call.by, now=call.now)
    click.echo(f"Papers show the VAT id {kept.vat_id}.")


@firm.command("self-billing-months")
@click.argument("months", type=int)
@command
def self_billing_months(call: Call, months: int) -> None:
    """Set how long a self-billing agreement may run."""
    change_firm(self_billing_months=months, by=call.by, now=call.now)
    click.echo(f"New self-billing agreements run {months} months at most.")
