"""Statements and reports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from api.commands.running import Call, command, show
from api.commands.types import MONTH
from firm.db import reading
from firm.documents import papers
from firm.month import Month
from payouts.statements import queries as statements
from staffing.maintainers import queries as maintainers
from staffing.reports import operations as reports_
from staffing.reports import queries as found_reports


@click.group()
def report() -> None:
    """Funded-work reports."""


@click.command()
@click.argument("who")
@click.argument("month", type=MONTH)
@click.option("--out", type=click.Path(path_type=Path), help="Write it here: .pdf, .html or .json by the ending.")
@command
def statement(call: Call, who: str, month: Month, out: Path | None) -> None:
    """Show a maintainer's statement of a month, or write it to a file."""
    with reading() as session:
        person = maintainers.find(session, who)
        row = statements.of_month(session, person.id, month)
    give(statements.figures(row), out)


@report.command("funded-work")
@click.argument("client")
@click.option("--from", "from_month", type=MONTH, required=True, help="The first month.")
@click.option("--until", "until_month", type=MONTH, help="The first month not covered; one month without it.")
@click.option("--out", type=click.Path(path_type=Path), help="Write it here: .pdf, .html or .json by the ending.")
@command
def funded_work(call: Call, client: str, from_month: Month, until_month: Month | None, out: Path | None) -> None:
    """Issue a client's funded-work report."""
    row = reports_.issue(
        client, from_month=from_month, until_month=until_month or from_month.next, by=call.by, now=call.now
    )
    give(found_reports.figures(row), out)


@report.command("show")
@click.argument("number")
@click.option("--out", type=click.Path(path_type=Path), help="Write it here: .pdf, .html or .json by the ending.")
@command
def show_report(call: Call, number: str, out: Path | None) -> None:
    """Show an issued report again, or write it to a file."""
    with reading() as session:
        row = found_reports.find(session, number)
    give(found_reports.figures(row), out)


def give(figures: Mapping[str, object], out: Path | None) -> None:
    if out is None:
        show(figures)
        return
    write = {".pdf": papers.pdf, ".html": papers.html, ".json": papers.json_bytes}.get(out.suffix)
    if write is None:
        raise click.UsageError("Name the file with the ending .pdf, .html or .json.")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(write(figures))
    click.echo(f"{figures['number']} is in {out}.")
