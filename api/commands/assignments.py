"""Assignments: who works on what."""

from __future__ import annotations

from datetime import date

import click

from api.commands.running import Call, command, json_option, show, tell
from api.commands.types import DAY, PERCENT
from firm.db import reading
from firm.intake.desk import percentage
from firm.portfolio import queries as portfolio
from staffing.assignments import operations as assignments
from staffing.assignments import queries as found_assignments
from staffing.assignments.model import ROLES, Assignment
from staffing.maintainers import queries as maintainers


@click.group()
def assignment() -> None:
    """Who works on what."""


@assignment.command("add")
@click.option("--maintainer", "who", required=True, help="Id or name.")
@click.option("--package", required=True, help="Id or name.")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--share", type=PERCENT, required=True, help="Percent of their time.")
@click.option("--from", "from_on", type=DAY, required=True)
@click.option("--until", "until_on", type=DAY, help="The first day it no longer runs.")
@click.option("--volunteer", is_flag=True, help="Unpaid: shown, never tasked.")
@click.option("--override", help="Why the funding gate is overridden.")
@json_option
@command
def add_assignment(
    call: Call,
    who: str,
    package: str,
    role: str,
    share: int,
    from_on: date,
    until_on: date | None,
    volunteer: bool,
    override: str | None,
    as_json: bool,
) -> None:
    """Assign a maintainer to a package."""
    made = assignments.assign(
        maintainer=who,
        package=package,
        role=role,
        share_bp=share,
        from_on=from_on,
        until_on=until_on,
        paid=not volunteer,
        override_reason=override,
        by=call.by,
        now=call.now,
    )
    if as_json:
        show(made, "assignments:AssignmentSchema")
    else:
        click.echo(f"{who} works on {package} from {from_on.isoformat()} on ({made.id}).")


@assignment.command("end")
@click.argument("assignment_id")
@click.option("--on", type=DAY, required=True, help="The first day it no longer runs.")
@command
def end_assignment(call: Call, assignment_id: str, on: date) -> None:
    """End an assignment."""
    assignments.end(assignment_id, on=on, by=call.by, now=call.now)
    click.echo(f"It ends on {on.isoformat()}.")


@assignment.command("list")
@click.option("--maintainer", "who", help="Id or name.")
@click.option("--package", help="Id or name.")
@click.option("--on", type=DAY, help="Only those that run on this day.")
@json_option
@command
def list_assignments(call: Call, who: str | None, package: str | None, on: date | None, as_json: bool) -> None:
    """List assignments."""
    with reading() as session:
        person = None if who is None else maintainers.find(session, who).id
        place = None if package is None else portfolio.find(session, package).id
        found = found_assignments.page(session, maintainer_id=person, package_id=place, on=on)
        people, packages = maintainers.names(session), portfolio.names(session)
    if as_json:
        show(found, "assignments:AssignmentSchema", many=True)
    else:
        tell(
            (_line(one, people[one.maintainer_id], packages[one.package_id]) for one in found),
            nothing="There is no such assignment; `chambers assignment add` one.",
        )


def _line(one: Assignment, who: str, package: str) -> str:
    until = "" if one.until_on is None else f" until {one.until_on.isoformat()}"
    share = percentage(one.share_bp) + ("" if one.paid else ", unpaid")
    return f"{one.id}  {who}  {package}  {one.role}, {share}, from {one.from_on.isoformat()}{until}"
