"""Pay terms: set them, correct what was mistyped, see what holds."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import click
from sqlalchemy.orm import Session

from api.commands.running import Call, command
from api.commands.types import MONEY, MONTH, PERCENT, PairType, by_name
from firm.db import reading
from firm.intake.desk import percentage
from firm.money import Money
from firm.month import Month
from firm.portfolio import queries as portfolio
from payouts.terms import operations as pay_terms
from payouts.terms import queries as found_terms
from payouts.terms.model import FEES_BORNE_BY, PayTerms
from payouts.terms.operations import Proposal
from staffing.maintainers import queries as maintainers

PARTS = (
    click.option("--until", "until_month", type=MONTH, help="The first month they no longer hold."),
    click.option("--guarantee", type=MONEY, help="A month, owed whether or not clients have paid."),
    click.option("--growth", type=PERCENT, default=0, help="Percent of retainer revenue above the baseline."),
    click.option("--baseline", type=MONEY, help="Monthly revenue above which growth counts."),
    click.option("--cap", type=MONEY, help="The most that growth pays."),
    click.option("--fund-share", "fund_shares", type=PairType(PERCENT), multiple=True, help="PACKAGE=PERCENT."),
    click.option("--fixed-fee", "fixed_fees", type=PairType(MONEY), multiple=True, help='PACKAGE="1200.00 USD".'),
    click.option("--recovery-rate", type=PERCENT, default=0, help="Percent of a month's earnings to recover advances."),
    click.option("--recovery", type=MONEY, help="Or a fixed amount a month that does."),
    click.option(
        "--fees-borne-by", type=click.Choice(FEES_BORNE_BY), default="firm", help="What rails take for payouts."
    ),
)


def proposed(function: Callable[..., None]) -> Callable[..., None]:
    """The options of what terms consist of, handed to the command as one `proposal`."""

    @functools.wraps(function)
    def with_proposal(
        *,
        guarantee: Money | None,
        growth: int,
        baseline: Money | None,
        cap: Money | None,
        fund_shares: tuple[tuple[str, int], ...],
        fixed_fees: tuple[tuple[str, Money], ...],
        recovery_rate: int,
        recovery: Money | None,
        fees_borne_by: str,
        **others: Any,
    ) -> None:
        shares, fees = by_name(fund_shares, "--fund-share"), by_name(fixed_fees, "--fixed-fee")
        parts_of_it = (shares, fees, recovery_rate, recovery, fees_borne_by)
        function(proposal=Proposal(guarantee, growth, baseline, cap, *parts_of_it), **others)

    for option in reversed(PARTS):
        with_proposal = option(with_proposal)
    return with_proposal


@click.group()
def terms() -> None:
    """Pay terms: set, correct, list."""


@terms.command("set")
@click.option("--maintainer", "who", required=True, help="Id or name.")
@click.option("--from", "from_month", type=MONTH, required=True)
@proposed
@command
def set_terms(call: Call, who: str, from_month: Month, until_month: Month | None, proposal: Proposal) -> None:
    """Set a maintainer's pay terms from a month on."""
    pay_terms.set_terms(who, proposal, from_month=from_month, until_month=until_month, by=call.by, now=call.now)
    click.echo(f"{who} has terms from {from_month.name} on.")


@terms.command("correct")
@click.option("--maintainer", "who", required=True, help="Id or name.")
@click.option("--from", "from_month", type=MONTH, required=True, help="The month with which the wrong terms begin.")
@click.option("--reason", required=True, help="What was wrong; the maintainer may read it.")
@proposed
@command
def correct_terms(
    call: Call, who: str, from_month: Month, until_month: Month | None, reason: str, proposal: Proposal
) -> None:
    """Replace pay terms that were mistyped by the whole right ones, while their first month is open."""
    with reading() as session:
        person = maintainers.find(session, who)
        wrong = found_terms.standing(session, person.id, from_month)
    pay_terms.correct(wrong.id, proposal, until_month=until_month, reason=reason, by=call.by, now=call.now)
    click.echo(f"{person.name} has other terms from {from_month.name} on; those before stay on record, superseded.")


@terms.command("list")
@click.option("--maintainer", "who", help="Of one maintainer, by id or name.")
@command
def list_terms(call: Call, who: str | None) -> None:
    """List pay terms, superseded ones too."""
    with reading() as session:
        mine = maintainers.find(session, who).id if who else None
        names = maintainers.names(session)
        rows = found_terms.page(session, maintainer_id=mine)
        for row in sorted(rows, key=lambda row: (names[row.maintainer_id], row.from_month, row.id)):
            until = f" until {row.until_month.name}" if row.until_month else ""
            superseded = " (superseded)" if row.superseded_at else ""
            click.echo(f"{names[row.maintainer_id]:<24} from {row.from_month.name}{until}{superseded}")
            for part in _parts_of(session, row):
                click.echo(f"  {part}")
    if not rows:
        click.echo("No pay terms are set; set them with `chambers terms set`.")


def _parts_of(session: Session, row: PayTerms) -> Iterator[str]:
    packages = portfolio.names(session)
    if row.corrects_id:
        yield f"corrected: {row.reason}"
    yield f"guarantee {Money(row.guarantee_minor, row.currency)}"
    if row.growth_bp:
        most = "" if row.cap_minor is None else f", at most {Money(row.cap_minor, row.currency)}"
        yield f"growth {percentage(row.growth_bp)} above {Money(row.baseline_minor, row.currency)}{most}"
    for package_id, rate_bp in found_terms.shares_of(session, row.id).items():
        yield f"{percentage(rate_bp)} of the fund of {packages[package_id]}"
    for package_id, minor in found_terms.fees_of(session, row.id).items():
        yield f"{Money(minor, row.currency)} for {packages[package_id]}"
    if row.recovery_bp:
        yield f"advances recovered by {percentage(row.recovery_bp)} of a month's earnings"
    if row.recovery_minor is not None:
        yield f"advances recovered by {Money(row.recovery_minor, row.currency)} a month"
    if row.fees_borne_by == "payee":
        yield "bears what rails take for payouts"
