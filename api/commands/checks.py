"""Checks: the invariants, and the OpenAPI document."""

from __future__ import annotations

import json
from pathlib import Path

import click

from api.commands.running import Call, command, json_option, show

DOCUMENT = Path("docs/openapi.json")


@click.command()
@json_option
@command
def verify(call: Call, as_json: bool) -> None:
    """Check every invariant; exit 1 and name those that do not hold."""
    from api.verification import findings

    found = list(findings(now=call.now))
    broken = [one for one in found if not one.holds]
    if as_json:
        show([{"invariant": one.invariant.name, "holds": one.holds, "breaches": one.breaches} for one in found])
    else:
        for one in found:
            click.echo(f"{'ok     ' if one.holds else 'BROKEN '}{one.invariant.name}: {one.invariant.sentence}")
            for breach in one.breaches:
                click.echo(f"       {breach}")
        click.echo(f"{len(found) - len(broken)} of {len(found)} invariants hold.")
    if broken:
        raise SystemExit(1)


@click.command()
@click.option("--check", is_flag=True, help=f"Compare with {DOCUMENT} and exit 1 when it differs.")
def openapi(check: bool) -> None:
    """Print the OpenAPI document, or check the one in docs/."""
    from api.app import create_app
    from firm.settings import Settings

    app = create_app(Settings(database_url="sqlite://"))
    text = json.dumps(app.extensions["openapi"](), indent=1, ensure_ascii=False) + "\n"
    if not check:
        click.echo(text, nl=False)
    elif not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != text:
        raise click.ClickException(f"{DOCUMENT} is out of date; run `chambers openapi > {DOCUMENT}`.")
    else:
        click.echo(f"{DOCUMENT} is current.")
