"""Self-billing: agreements, and the invoices under them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from api.commands.papers import give
from api.commands.running import Call, command
from api.commands.types import DAY, MONTH, PERCENT
from firm.db import reading
from firm.money import Money
from firm.month import Month
from payouts.self_billing import agreements, operations, queries
from payouts.self_billing.model import PARTIES, TREATMENTS
from payouts.self_billing.rules import Vat, written
from staffing.maintainers import queries as maintainers


@click.group("self-billing")
def self_billing() -> None:
    """Self-billing: agreements, and the invoices under them."""


@self_billing.command("agree")
@click.argument("who")
@click.option("--consented", "consented_on", type=DAY, required=True, help="The day of the written consent.")
@click.option("--from", "from_on", type=DAY, required=True)
@click.option("--until", "until_on", type=DAY, help="The first day on which it no longer holds.")
@click.option("--series", required=True, help="The supplier's own number series, such as SB-LM-.")
@click.option("--treatment", type=click.Choice(TREATMENTS), required=True, help="How VAT is treated.")
@click.option("--rate", "rate_bp", type=PERCENT, help="The rate of VAT, such as 19.")
@click.option("--exemption", help="The words that a small business must use.")
@click.option("--vat-id", help="The supplier's VAT id.")
@click.option("--name", help="The supplier's legal name; the maintainer's without it.")
@click.option("--address", multiple=True, help="A line of the supplier's address; may be given several times.")
@command
def agree(
    call: Call,
    who: str,
    consented_on: date,
    from_on: date,
    until_on: date | None,
    series: str,
    treatment: str,
    rate_bp: int | None,
    exemption: str | None,
    vat_id: str | None,
    name: str | None,
    address: tuple[str, ...],
) -> None:
    """Record a supplier's consent."""
    made = agreements.agree(
        who,
        consented_on=consented_on,
        from_on=from_on,
        until_on=until_on,
        series=series,
        vat=Vat(treatment, rate_bp, exemption),
        supplier_vat_id=vat_id,
        supplier_name=name,
        supplier_address=address,
        by=call.by,
        now=call.now,
    )
    click.echo(f"{who} is billed for from {written(made.from_on)} until {written(made.end)}, as {made.id}.")


@self_billing.command("end")
@click.argument("agreement_id")
@click.option("--by", "ended_by", type=click.Choice(PARTIES), required=True)
@click.option("--reason", required=True)
@click.option("--on", type=DAY, help="The first day on which it no longer holds; today without it.")
@command
def end(call: Call, agreement_id: str, ended_by: str, reason: str, on: date | None) -> None:
    """End an agreement early."""
    found = agreements.end(agreement_id, ended_by=ended_by, reason=reason, on=on, by=call.by, now=call.now)
    click.echo(f"The agreement with {found.supplier_name} ends on {written(found.end)}.")


@self_billing.command("issue")
@click.argument("month", type=MONTH)
@click.option("--who", help="Only this supplier.")
@command
def issue(call: Call, month: Month, who: str | None) -> None:
    """Issue the invoices of a closed month; what cannot be issued is said, and nothing is issued twice."""
    if who is not None:
        row = operations.issue(who, month, by=call.by, now=call.now)
        click.echo(f"Issued {row.number}: {Money(row.gross_minor, row.currency)}.")
        return
    issued, refused = operations.issue_month(month, by=call.by, now=call.now)
    for row in issued:
        click.echo(f"Issued {row.number}: {Money(row.gross_minor, row.currency)}.")
    for name, sentence in refused.items():
        click.echo(f"{name}: {sentence}")
    if not issued and not refused:
        click.echo("Nobody has agreed to self-billing.")


@self_billing.command("credit")
@click.argument("number")
@click.option("--reason", required=True)
@command
def credit(call: Call, number: str, reason: str) -> None:
    """Take an invoice back whole by a credit note."""
    row = operations.credit(number, reason=reason, by=call.by, now=call.now)
    click.echo(f"{number} is taken back by {row.number}.")


@self_billing.command("list")
@command
def list_(call: Call) -> None:
    """List agreements, and the invoices and credit notes under them."""
    with reading() as session:
        names = maintainers.names(session)
        agreed, issued = queries.agreements(session), queries.page(session)
    for one in agreed:
        click.echo(f"{one.id}  {names[one.maintainer_id]:<24}{one.from_on} until {one.end}  {one.treatment}")
    for row in issued:
        gross = Money(row.gross_minor, row.currency)
        click.echo(f"{row.id}  {names[row.maintainer_id]:<24}{row.number:<16}{row.month}{gross!s:>20}")
    if not agreed:
        click.echo("Nobody has agreed to self-billing.")


@self_billing.command("show")
@click.argument("number")
@click.option("--out", type=click.Path(path_type=Path), help="Write it here: .pdf, .html or .json by the ending.")
@command
def show_invoice(call: Call, number: str, out: Path | None) -> None:
    """Show an invoice or credit note, or write it to a file."""
    with reading() as session:
        row = queries.find(session, number)
    give(queries.figures(row), out)
