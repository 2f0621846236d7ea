"""Checks: the invariants, and the OpenAPI document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.commands.running import Call, command, json_option, show

if TYPE_CHECKING:
    from api.verification import Finding

DOCUMENT = Path("docs/openapi.json")
PROBLEMS = Path("docs/problems.md")


@click.command()
@json_option
@command
def verify(call: Call, as_json: bool) -> None:
    """Check every invariant; exit 1 and name those that do not hold."""
    from api.verification import findings, told

    found = list(findings(now=call.now))
    broken = [one for one in found if not one.holds]
    if as_json:
        show([_shown(one) for one in found])
    else:
        for one in found:
            _print(one)
        click.echo(told(found))
    if broken:
        raise SystemExit(1)


def _shown(found: Finding) -> dict[str, Any]:
    """A finding as JSON; `holds` is null where nothing was looked at."""
    name, reason = found.invariant.name, found.unchecked
    holds = None if reason else found.holds
    return {"invariant": name, "holds": holds, "breaches": found.breaches, "not_checked": reason or None}


def _print(found: Finding) -> None:
    if found.unchecked:
        click.echo(f"-      {found.invariant.name}: not checked: {found.unchecked}.")
        return
    click.echo(f"{'ok     ' if found.holds else 'BROKEN '}{found.invariant.name}: {found.invariant.sentence}")
    for breach in found.breaches:
        click.echo(f"       {breach}")


@click.command()
@click.option("--check", is_flag=True, help=f"Compare with {DOCUMENT} and {PROBLEMS}; exit 1 when one differs.")
@click.option("--problems", is_flag=True, help=f"Print {PROBLEMS}, the types of problems, instead.")
def openapi(check: bool, problems: bool) -> None:
    """Print the OpenAPI document, or check the one in docs/."""
    from api.app import create_app
    from api.description.problems import page
    from firm.settings import Settings

    app = create_app(Settings(database_url="sqlite://"))
    text = json.dumps(app.extensions["openapi"](), indent=1, ensure_ascii=False) + "\n"
    if check:
        _compare(DOCUMENT, text, "chambers openapi")
        _compare(PROBLEMS, page(), "chambers openapi --problems")
    else:
        click.echo(page() if problems else text, nl=False)


def _compare(path: Path, text: str, command: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        raise click.ClickException(f"{path} is out of date; run `{command} > {path}`.")
    click.echo(f"{path} is current.")
