"""Invoices and receipts."""

from __future__ import annotations

from datetime import date

import click

from api.commands.running import Call, command, json_option, show, tell
from api.commands.types import DAY, MONEY, MONTH
from firm.billing import invoices, queries, receipts
from firm.billing.model import Invoice
from firm.clients import queries as clients
from firm.db import reading
from firm.money import Money
from firm.month import Month


@click.group()
def invoice() -> None:
    """Invoices."""


@invoice.command("issue")
@click.argument("month", type=MONTH)
@json_option
@command
def issue(call: Call, month: Month, as_json: bool) -> None:
    """Issue the invoices that are due for a month. May be repeated."""
    made = invoices.issue_month(month, by=call.by, now=call.now)
    if as_json:
        show(made, "invoices:InvoicingSchema")
        return
    counted = "1 invoice was" if made.issued == 1 else f"{made.issued} invoices were"
    click.echo(f"{counted} issued for {month.name}.")
    for reason in made.held_back:
        click.echo(f"Held back: {reason}")


@invoice.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those not paid in full.")
@json_option
@command
def list_invoices(call: Call, only_open: bool, as_json: bool) -> None:
    """List invoices."""
    with reading() as session:
        found = queries.invoices(session, state="open" if only_open else None)
        names = clients.names(session)
    if as_json:
        show(found, "invoices:InvoiceSchema", many=True)
    else:
        tell((_line(one, names[one.client_id]) for one in found), nothing="There is no such invoice.")


def _line(one: Invoice, client: str) -> str:
    state = f"{one.open_amount!s:>18} open" if one.state == "open" else one.state
    return f"{one.number}  {client:<24}due {one.due_on.isoformat()}  {one.total!s:>18}  {state}"


@click.group()
def receipt() -> None:
    """Money that arrived."""


@receipt.command("record")
@click.argument("invoice_number")
@click.option("--amount", type=MONEY, required=True)
@click.option("--on", "received_on", type=DAY, required=True)
@click.option("--reference", required=True, help="The bank's; it makes the receipt unique.")
@json_option
@command
def record(call: Call, invoice_number: str, amount: Money, received_on: date, reference: str, as_json: bool) -> None:
    """Record money received for an invoice."""
    made = receipts.record(
        invoice_number, amount=amount, received_on=received_on, reference=reference, by=call.by, now=call.now
    )
    if as_json:
        show(made, "receipts:ReceiptSchema")
    else:
        click.echo(f"{amount} is recorded for {invoice_number}.")


@receipt.command("list")
@click.option("--invoice", "invoice_number", help="Only those for this invoice.")
@json_option
@command
def list_receipts(call: Call, invoice_number: str | None, as_json: bool) -> None:
    """List receipts."""
    with reading() as session:
        invoice_id = queries.find_invoice(session, invoice_number).id if invoice_number else None
        found = queries.receipts(session, invoice_id=invoice_id)
        numbers = {one.id: one.number for one in queries.invoices(session)}
    if as_json:
        show(found, "receipts:ReceiptSchema", many=True)
        return
    lines = (f"{one.received_on}  {numbers[one.invoice_id]}  {one.amount!s:>18}  {one.reference}" for one in found)
    tell(lines, nothing="There is no such receipt.")
