"""Statements and reports."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

import click

from api.commands.progress import count_bar
from api.commands.running import Call, command, show
from api.commands.types import MONTH
from firm import private
from firm.db import reading
from firm.documents import papers
from firm.month import Month
from payouts.statements import operations as issuing
from payouts.statements import papers as bulk
from payouts.statements import queries as statements
from staffing.maintainers import queries as maintainers
from staffing.reports import operations as reports_
from staffing.reports import queries as found_reports

FORMS = {".pdf": papers.pdf, ".html": papers.html, ".json": papers.json_bytes}


@click.group()
def report() -> None:
    """Funded-work reports."""


@click.command()
@click.argument("who", required=False)
@click.argument("month", type=MONTH, required=False)
@click.option("--month", "of_month", type=MONTH, help="With --all: the month whose statements are written.")
@click.option("--all", "everybody", is_flag=True, help="Write everybody's, as PDF; --out names the folder.")
@click.option("--processes", type=click.IntRange(1, 64), default=1, help="With --all: how many make papers at once.")
@click.option("--out", type=click.Path(path_type=Path), help="Write it here: .pdf, .html or .json by the ending.")
@command
def statement(
    call: Call,
    who: str | None,
    month: Month | None,
    of_month: Month | None,
    everybody: bool,
    processes: int,
    out: Path | None,
) -> None:
    """Show a maintainer's statement of a month, or write it to a file; or write all of a month's into a folder."""
    if everybody:
        _write_all(who, of_month, out, processes)
        return
    if who is None or month is None:
        raise click.UsageError("Say whose statement and of which month, or --month with --all.")
    with reading() as session:
        person = maintainers.find(session, who)
        row = statements.of_month(session, person.id, month)
    give(statements.figures(row), out)


def _write_all(who: str | None, month: Month | None, out: Path | None, processes: int) -> None:
    if who is not None or month is None or out is None:
        raise click.UsageError("Write everybody's statements like this: --month 2026-10 --all --out FOLDER.")
    with count_bar(f"Statements of {month.name}") as count:
        result = bulk.render_month(month, out, processes=processes, progress=count)
    click.echo(f"{result.made} statements were written to {out}; {result.kept} were there already.")


@click.command()
@click.argument("who")
@click.argument("month", type=MONTH)
@click.option("--reason", required=True, help="Why; the new statement says it.")
@click.option("--explain", "explanations", type=(int, str), multiple=True, help="LINE and what it should say.")
@command
def reissue(call: Call, who: str, month: Month, reason: str, explanations: tuple[tuple[int, str], ...]) -> None:
    """Issue a statement again with today's names and addresses; the first stays as it is."""
    with reading() as session:
        first = statements.of_month(session, maintainers.find(session, who).id, month)
    made = issuing.correct(first.id, reason=reason, explanations=dict(explanations), by=call.by, now=call.now)
    click.echo(f"{made.number} takes the place of {first.number}.")


@report.command("funded-work")
@click.argument("client")
@click.option("--from", "from_month", type=MONTH, required=True, help="The first month.")
@click.option("--until", "until_month", type=MONTH, help="The first month not covered; one month without it.")
@click.option("--out", type=click.Path(path_type=Path), help="Write it here: .pdf, .html or .json by the ending.")
@command
def funded_work(call: Call, client: str, from_month: Month, until_month: Month | None, out: Path | None) -> None:
    """Issue a client's funded-work report. Issued again for the same months, it refers to the one before."""
    # Found out before a paper is issued and numbered that nobody would get.
    _refuse_unwritable(out)
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
    _refuse_unwritable(out)
    private.write(out, FORMS[out.suffix](figures))
    click.echo(f"{figures['number']} is in {out}.")


def _refuse_unwritable(out: Path | None) -> None:
    """Raises `UsageError` and `OSError` where no file of the name can be written."""
    if out is None:
        return
    if out.suffix not in FORMS:
        raise click.UsageError("Name the file with the ending .pdf, .html or .json.")
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(out))
    probe = out.with_name(f".{out.name}.probe")
    private.touch(probe)
    probe.unlink()
