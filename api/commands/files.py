"""Importing the firm's own lists from CSV files."""

from __future__ import annotations

from typing import BinaryIO

import click

from api import policy
from api.commands.progress import count_bar
from api.commands.running import Call, command, json_option, show
from firm.csvfile.reading import MOST_BYTES
from firm.intake.report import ImportRefused, Report
from payouts import imports


@click.command("csv")
@click.argument("kind", required=False, type=click.Choice(list(imports.KINDS)))
@click.argument("file", required=False, type=click.File("rb"))
@click.option("--template", type=click.Choice(list(imports.KINDS)), help="Print the columns and a line to fill in.")
@click.option("--dry-run", is_flag=True, help="Judge every line and write nothing.")
@json_option
def csv_file(kind: str | None, file: BinaryIO | None, template: str | None, dry_run: bool, as_json: bool) -> None:
    """Import a CSV file, all of its lines or none, with a report by line. May be repeated; - reads the input."""
    if template is not None:
        click.echo(imports.template(template), nl=False)
    elif kind is None or file is None:
        raise click.UsageError("Give the kind and the file, or --template and a kind.")
    else:
        raw = file.read(MOST_BYTES + 1)
        (_check if dry_run else _import)(kind, raw, as_json)


@command
def _check(call: Call, kind: str, raw: bytes, as_json: bool) -> None:
    policy.refuse_import(call.by, kind)
    with count_bar(f"Checking {kind}") as progress:
        report = imports.check(kind, raw, progress=progress, by=call.by, now=call.now)
    _print(report, as_json=as_json, end="This was a check; nothing was written.")
    if report.refused:
        raise click.ClickException(f"{ImportRefused(report).message}")


@command
def _import(call: Call, kind: str, raw: bytes, as_json: bool) -> None:
    policy.refuse_import(call.by, kind)
    with count_bar(f"Importing {kind}") as progress:
        try:
            report = imports.import_file(kind, raw, progress=progress, by=call.by, now=call.now)
        except ImportRefused as error:
            report = error.report
            _print(report, as_json=as_json)
            raise
    _print(report, as_json=as_json)


def _print(report: Report, *, as_json: bool, end: str = "") -> None:
    if as_json:
        show(report, "imports:ImportReportSchema")
        return
    for refusal in report.refused:
        cell = f", {refusal.column} {refusal.text!r}" if refusal.column else ""
        click.echo(f"Line {refusal.line}{cell}: {refusal.sentence}")
    counts = f"{report.new:,} new, {report.known:,} already known, {report.refused_lines:,} refused"
    click.echo(f"{report.total:,} lines: {counts}. {end}".rstrip())
