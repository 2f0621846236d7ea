"""Packages, the allocation plan and exchange rates."""

from __future__ import annotations

import click

from api.commands.running import Call, command, json_option, show, tell
from api.commands.types import MONTH, PERCENT, PairType, by_name
from firm.allocation import operations as allocation
from firm.allocation import queries as plans
from firm.db import reading
from firm.exchange import operations as exchange
from firm.month import Month
from firm.portfolio import operations, queries


@click.group()
def package() -> None:
    """The portfolio."""


@package.command("add")
@click.argument("name")
@click.option("--ecosystem", required=True, help="Such as Go, npm or PyPI.")
@click.option("--repository", default="", help="Its public address.")
@click.option("--folder", default="", help="Where it lives inside its repository.")
@json_option
@command
def add(call: Call, name: str, ecosystem: str, repository: str, folder: str, as_json: bool) -> None:
    """Adopt a package."""
    made = operations.adopt(
        name=name, ecosystem=ecosystem, repository=repository, folder=folder, by=call.by, now=call.now
    )
    if as_json:
        show(made, "packages:PackageSchema")
    else:
        click.echo(f"{made.name} is in the portfolio.")


@package.command("change")
@click.argument("name")
@click.option("--ecosystem", help="Its right one, such as Go, PyPI or npm.")
@click.option("--repository", help="Its right public address.")
@click.option("--folder", help="Where it lives inside its repository.")
@json_option
@command
def change(
    call: Call, name: str, ecosystem: str | None, repository: str | None, folder: str | None, as_json: bool
) -> None:
    """Correct where a package lives."""
    right = {"ecosystem": ecosystem, "repository": repository, "folder": folder}
    changed = operations.change(name, **right, by=call.by, now=call.now)
    if as_json:
        show(changed, "packages:PackageSchema")
    else:
        click.echo(f"{changed.name} is corrected.")


@package.command("list")
@json_option
@command
def list_packages(call: Call, as_json: bool) -> None:
    """List packages."""
    with reading() as session:
        found = queries.page(session)
    if as_json:
        show(found, "packages:PackageSchema", many=True)
    else:
        tell(
            (f"{one.id}  {one.state:<11}  {one.name}" for one in found),
            nothing="There is no package yet; `chambers package add` one.",
        )


@click.group()
def plan() -> None:
    """The allocation plan."""


@plan.command("set")
@click.option("--from", "from_month", type=MONTH, required=True, help="The first month it divides.")
@click.option("--overhead", type=PERCENT, required=True, help="Percent of the revenue.")
@click.option("--reserve", "reserves", type=PairType(PERCENT), multiple=True, help="NAME=PERCENT.")
@click.option("--weight", "weights", type=PairType(click.INT), multiple=True, required=True, help="PACKAGE=WEIGHT.")
@command
def set_plan(
    call: Call,
    from_month: Month,
    overhead: int,
    reserves: tuple[tuple[str, int], ...],
    weights: tuple[tuple[str, int], ...],
) -> None:
    """Make the next version of the plan."""
    made = allocation.set_plan(
        from_month=from_month,
        overhead_bp=overhead,
        reserves=by_name(reserves, "--reserve"),
        weights=by_name(weights, "--weight"),
        by=call.by,
        now=call.now,
    )
    click.echo(f"Version {made.version} of the plan holds from {from_month.name} on.")


@plan.command("show")
@click.argument("month", type=MONTH)
@json_option
@command
def show_plan(call: Call, month: Month, as_json: bool) -> None:
    """Show the plan in force in a month."""
    with reading() as session:
        row = plans.in_force(session, month)
        contents = plans.contents(session, row.id)
        names = queries.names(session, contents.weights)
    if as_json:
        values = {"id": row.id, "version": row.version, "from_month": row.from_month, "overhead_bp": row.overhead_bp}
        show(values | {"reserves": contents.reserves, "weights": contents.weights}, "allocation_plans:PlanSchema")
        return
    click.echo(f"Version {row.version}, from {row.from_month.name} on: overhead {row.overhead_bp // 100} %")
    for name, rate_bp in sorted(contents.reserves.items()):
        click.echo(f"  reserve {name}: {rate_bp // 100} %")
    for package_id, weight in sorted(contents.weights.items(), key=lambda item: names[item[0]]):
        click.echo(f"  {names[package_id]}: weight {weight}")


@click.group()
def rate() -> None:
    """Exchange rates."""


@rate.command("set")
@click.argument("currency")
@click.argument("month", type=MONTH)
@click.argument("value")
@click.option("--source", required=True, help="Where the rate comes from.")
@json_option
@command
def set_rate(call: Call, currency: str, month: Month, value: str, source: str, as_json: bool) -> None:
    """Enter what one unit of CURRENCY is worth in the books' currency in a month, like 1.0850."""
    made = exchange.set_rate(currency.upper(), month, value, source=source, by=call.by, now=call.now)
    if as_json:
        show(made, "exchange_rates:RateShown")
    else:
        click.echo(f"{currency.upper()} is worth {value} in {month.name}.")
