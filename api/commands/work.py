"""Importing public work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click

from api.commands.archives import import_archive
from api.commands.bank import import_bank
from api.commands.files import csv_file
from api.commands.progress import count_bar
from api.commands.running import Call, command, json_option, show
from api.commands.types import DAY
from staffing.work import operations
from staffing.work.storing import ImportReport


@click.group("import")
def import_() -> None:
    """Import the firm's own lists from CSV, the bank's files, and public work from git clones and OSV records."""


import_.add_command(csv_file)
import_.add_command(import_archive)
import_.add_command(import_bank)


@import_.command("git")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--package", required=True, help="Id or name.")
@click.option("--since", type=DAY, help="The first day, in the firm's time zone.")
@click.option("--until", type=DAY, help="The first day no longer read.")
@json_option
@command
def git(call: Call, path: Path, package: str, since: date | None, until: date | None, as_json: bool) -> None:
    """Import commits, reviews and releases of a package from a clone. May be repeated."""
    if since is not None and until is not None and until <= since:
        raise click.UsageError("--until is the first day no longer read; it lies after --since.")
    with count_bar(f"Reading {path.name or path}") as progress:
        report = operations.import_git(
            path, package, since=since, until=until, progress=progress, by=call.by, now=call.now
        )
    _print(report, nothing="Nothing was found that concerns the package in this range.", as_json=as_json)


@import_.command("osv")
@click.argument("path", type=click.Path(path_type=Path))
@json_option
@command
def osv(call: Call, path: Path, as_json: bool) -> None:
    """Import advisories that concern packages of the portfolio: a folder, a zip or one .json file. May be repeated."""
    with count_bar(f"Reading {path.name or path}") as progress:
        report = operations.import_osv(path, progress=progress, by=call.by, now=call.now)
    _print(report, nothing="None of these advisories names a package of the portfolio.", as_json=as_json)


def _print(report: ImportReport, *, nothing: str, as_json: bool) -> None:
    if as_json:
        show(_counts(report))
        return
    kinds = _kinds(report)
    for kind in kinds:
        click.echo(f"{kind:<14}{report.new[kind]:>8} new{report.known[kind]:>8} already known")
    if not kinds and not report.withdrawn:
        click.echo(nothing)
    for note in (*_attribution(report), *_days(report), *_left_out(report)):
        click.echo(note)


def _counts(report: ImportReport) -> dict[str, object]:
    return {
        "kinds": {kind: {"new": report.new[kind], "known": report.known[kind]} for kind in _kinds(report)},
        "new": sum(report.new.values()),
        "known": sum(report.known.values()),
        "unattributed": report.unattributed,
        "newly_attributed": report.newly_attributed,
        "dated": report.dated,
        "undated": report.undated,
        "withdrawn": report.withdrawn,
        "unversioned": report.unversioned,
        "skipped": report.skipped,
        "elsewhere": [
            {"package": one.package, "ecosystem": one.ecosystem, "other": one.other, "advisories": count}
            for one, count in report.elsewhere.items()
        ],
    }


def _kinds(report: ImportReport) -> list[str]:
    return sorted({*report.new, *report.known})


def _attribution(report: ImportReport) -> Iterator[str]:
    if report.unattributed:
        yield f"New, by people without an alias here, and left unattributed: {report.unattributed}."
    if report.newly_attributed:
        yield f"Known before and attributed now, by aliases that were added since: {report.newly_attributed}."


def _days(report: ImportReport) -> Iterator[str]:
    if report.dated:
        yield f"{report.dated} known before without a day of publication {_have(report.dated)} one now."
    if report.undated:
        yield (
            f"{report.undated} {_have(report.undated)} no day of publication, and will be in no report until an import"
            " of a record with one."
        )
    if report.withdrawn:
        verb = "was" if report.withdrawn == 1 else "were"
        yield f"{report.withdrawn} known before {verb} withdrawn, and left out of later reports."


def _left_out(report: ImportReport) -> Iterator[str]:
    if report.shallow:
        yield "The clone is shallow: older history is not in it."
    if report.unversioned:
        yield f"Tags that hold no version and are no releases: {report.unversioned}."
    for one, count in report.elsewhere.items():
        other = one.other or "no ecosystem"
        yield f"Left out, since they are about {one.package} of {other} and not of {one.ecosystem}: {count}."
    for line in report.skipped:
        yield f"Skipped {line}"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"
