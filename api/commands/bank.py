"""What the bank sends back."""

from __future__ import annotations

from typing import BinaryIO

import click

from api.commands.progress import count_bar
from api.commands.running import Call, command, json_option, show
from api.commands.types import MONEY
from api.parts import parts
from firm.db import reading
from firm.money import Money
from payouts.bank_files import operations, queries
from payouts.bank_files.markup import MOST_BYTES
from payouts.bank_files.model import BankFile, BankLine


@click.command("bank")
@click.argument("file", type=click.File("rb"))
@json_option
@command
def import_bank(call: Call, file: BinaryIO, as_json: bool) -> None:
    """Take in a pain.002 or camt.053 as the bank sends it. May be repeated; - reads the input."""
    raw = file.read(MOST_BYTES + 1)
    with count_bar("Applying the file") as progress:
        found = operations.receive(raw, keys=parts().keys, by=call.by, now=call.now, progress=progress)
    _print(found.id, as_json=as_json)


@click.group("bank-file")
def bank_file() -> None:
    """What the bank sent: files, their lines, and what waits for a person."""


@bank_file.command("list")
@json_option
@command
def list_(call: Call, as_json: bool) -> None:
    """List the newest files."""
    with reading() as session:
        found = queries.newest(session)
        counts = {file.id: queries.counts_of(session, file.id) for file in found}
    if as_json:
        show(found, "bank_files:BankFileSchema", many=True)
        return
    for file in found:
        told = ", ".join(f"{number} {state}" for state, number in counts[file.id].items()) or "no lines"
        click.echo(f"{file.id}  {file.received_at:%Y-%m-%d}  {file.kind}  {_about(file):<36}{told}")


@bank_file.command("show")
@click.argument("key")
@json_option
@command
def show_(call: Call, key: str, as_json: bool) -> None:
    """Show a file and its lines, by id or SHA-256."""
    _print(key, as_json=as_json)


@bank_file.command("unmatched")
@json_option
@command
def unmatched(call: Call, as_json: bool) -> None:
    """List the lines that wait for a person, the oldest first."""
    with reading() as session:
        found = queries.lines_page(session, state="unmatched")
    if as_json:
        from api.v1.bank_files import open_lines

        show(open_lines(found, call.now), "bank_files:OpenBankLineSchema", many=True)
        return
    for one in found:
        click.echo(f"{(call.now - one.received_at).days:>4} days  {_line(one.line)}")
    if not found:
        click.echo("No line waits for a person.")


@bank_file.command("resolve")
@click.argument("line_id")
@click.option("--note", required=True, help="What it is; the note stays on record.")
@click.option("--fee", type=MONEY, help="What the bank kept of a payment that came back: 7.50 EUR.")
@command
def resolve(call: Call, line_id: str, note: str, fee: Money | None) -> None:
    """Say what an unmatched line is; with --fee, that it is a payment that came back less the bank's fee."""
    line = operations.resolve(line_id, note=note, fee=fee, by=call.by, now=call.now)
    click.echo(f"{line.id} is resolved: {line.resolution}")


def _print(key: str, *, as_json: bool) -> None:
    with reading() as session:
        file = queries.find(session, key)
        lines = queries.lines_of(session, file.id)
    if as_json:
        from api.v1.bank_files import whole_file

        show(whole_file(file.id), "bank_files:WholeBankFileSchema")
        return
    click.echo(f"{file.id}  {file.kind}.{file.version}  {_about(file)}")
    for line in lines:
        click.echo(f"  {_line(line)}")


def _about(file: BankFile) -> str:
    if file.opening is None:
        return f"about {file.original_message_id}"
    return f"statement {file.statement_number}: {file.opening} to {file.closing}"


def _line(line: BankLine) -> str:
    facts = [line.code, str(line.amount or ""), str(line.booked_on or ""), line.reference, line.text or ""]
    told = "  ".join(fact for fact in facts if fact)
    return f"{line.id}  {line.state:<10}{told}  {line.note}"
