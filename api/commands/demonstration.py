"""The demonstration as a command: a year quickly, the last month live, and what came of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from api import evidence
from api.app import create_core
from api.commands.progress import step_bar
from api.demo import people, story
from api.verification import findings, told
from firm import clock, private, secrets
from firm.access import tokens as access
from firm.actor import Role
from firm.billing import queries as billing
from firm.db import db, reading
from firm.documents import papers
from firm.errors import ChambersError
from firm.money import total
from firm.month import Month
from firm.settings import Settings
from migrations import run as migrations
from payouts import month_end
from payouts.runs import files
from payouts.runs.model import Payout
from payouts.statements import queries as statements
from staffing.reports import operations as reports_
from staffing.reports import queries as reports

MONTHS = 12
_MARK = ".chambers-demo"


@click.command()
@click.option(
    "--path",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="A folder for it all.",
)
def demo(path: Path) -> None:
    """Run a made-up firm through a year and close its last month. Starts afresh each time."""
    try:
        _make_room(path)
        settings = Settings.model_validate(
            {
                "database_url": f"sqlite:///{path / 'chambers.db'}",
                "secret_keys": secrets.new_key(),
                "sqlite_synchronous": "NORMAL",
            }
        )
        with create_core(settings).app_context():
            _tell(path, settings)
    except ChambersError as error:
        raise click.ClickException(error.message) from error


def _make_room(path: Path) -> None:
    """Empty the folder if it is a demonstration's; never anybody else's."""
    if path.exists() and any(path.iterdir()):
        if not (path / _MARK).exists():
            raise click.ClickException(f"{path} holds something else; name another folder with --path.")
        shutil.rmtree(path)
    path.mkdir(parents=True, exist_ok=True)
    (path / _MARK).touch()


def _tell(path: Path, settings: Settings) -> None:
    migrations.upgrade(db.engine)
    now = clock.now()
    last = Month.of(now.date()).previous
    first = last.plus(1 - MONTHS)
    click.echo(f"{people.FIRM}, a made-up firm: {first.name} to {last.name}, books in EUR.")
    story.set_up(first)
    with Progress(console=Console(stderr=True)) as bar:
        months = list(first.until(last))
        for index, month in enumerate(bar.track(months, description="Eleven months of history")):
            story.live(month, index=index)
    story.walk_the_onramp(first, last)
    story.import_work(path, first, last)
    with step_bar(f"Closing {last.name}", len(month_end.STEPS) + 1) as step:
        payouts = story.live(last, index=MONTHS - 1, progress=step)
    written = _write_papers(path, last, payouts)
    _show(last, payouts)
    click.echo("\nPapers:")
    for file in written:
        click.echo(f"  {file}")
    _show_checks()
    _leave_a_key(path, settings)


def _write_papers(path: Path, month: Month, payouts: Sequence[Payout]) -> list[Path]:
    """Statements and reports of the month, as PDF and HTML, and the bank's file."""
    folder = path / "papers"
    folder.mkdir(exist_ok=True)
    figures = []
    with reading() as session:
        figures += [statements.figures(row) for row in statements.page(session, month=month)]
    for client in people.CLIENTS:
        issued = reports_.issue(
            client.name, from_month=month, until_month=month.next, by=story.LEAD, now=story.on(month.next.first_day)
        )
        figures.append(reports.figures(issued))
    written = []
    for paper in figures:
        for ending, render in ((".pdf", papers.pdf), (".html", papers.html)):
            file = folder / f"{paper['number']}{ending}"
            private.write(file, render(paper))
            written.append(file)
    written.append(_write_bank_file(folder, payouts))
    return written


def _write_bank_file(folder: Path, payouts: Sequence[Payout]) -> Path:
    from api.parts import parts

    run = payouts[0].run_id
    content = files.file_of(run, "sepa", keys=parts().keys, by=story.ADMINISTRATOR, now=clock.now())
    file = folder / "credit-transfers.xml"
    private.write(file, content.encode())
    return file


def _show(month: Month, payouts: Sequence[Payout]) -> None:
    closing = month_end.closing(month)
    currency = closing.recognized.currency
    table = Table(title=f"\n{month.name}", show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    table.add_row("Recognized", str(closing.recognized))
    table.add_row("Allocated", str(total(closing.allocated.values(), currency)))
    table.add_row("Earned by maintainers", str(closing.earned))
    paid = total((payout.amount for payout in payouts if payout.state in ("sent", "settled")), currency)
    table.add_row("Paid", str(paid))
    table.add_row("The firm's residual", str(closing.residual))
    console = Console()
    console.print(table)
    with reading() as session:
        late = [one for one in billing.invoices(session, state="open") if one.due_on <= month.last_day]
    for invoice in late:
        click.echo(f"Overdue: {invoice.number}, {invoice.open_amount}, was due {invoice.due_on.isoformat()}")


def _show_checks() -> None:
    now = clock.now()
    evidence.keep(now=now)
    found = list(findings(now=now))
    broken = [one.invariant.name for one in found if not one.holds]
    click.echo(f"\nVerified: {told(found)}")
    if broken:
        raise click.ClickException(f"Broken: {', '.join(broken)}")


def _leave_a_key(path: Path, settings: Settings) -> None:
    """Write down how to go on with this firm: its database, its key and a lead's token."""
    secret = access.issue_token(name="demo-lead", role=Role.LEAD, by=story.LEAD, now=clock.now()).secret
    lines = {
        "CHAMBERS_DATABASE_URL": f"sqlite:///{(path / 'chambers.db').absolute()}",
        "CHAMBERS_SECRET_KEYS": settings.secret_keys.get_secret_value(),
        "CHAMBERS_TOKEN": secret,
    }
    file = path / "environment"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.writelines(f"export {name}='{value}'\n" for name, value in lines.items())
    click.echo(f"Look around: . {file} && .venv/bin/chambers books balance   (or: client list, verify, serve)")
