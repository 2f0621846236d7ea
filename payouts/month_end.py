"""The month, step by step. Every step commits and may be repeated: to finish an interrupted month, run it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.allocation import operations as allocation
from firm.allocation import queries as plans
from firm.allocation.rules import Target, by_target, divide_all
from firm.billing import invoices, recognition
from firm.db import reading, transaction, use_case
from firm.errors import NotFound, Refused
from firm.ledger import accounts, balances, periods
from firm.ledger import queries as ledger
from firm.money import Money, total
from firm.month import Month
from firm.profile import operations as profiles
from firm.profile.model import Profile
from payouts.adjustments.withholding import Duties, by_tax_forms
from payouts.earnings import deductions
from payouts.earnings import operations as earnings
from payouts.earnings import queries as earned
from payouts.earnings.rules import Line, MonthFigures, work_out
from payouts.statements import operations as statements
from payouts.terms import queries as terms

CLOSING_STEP = "close"
STEPS = (recognition.STEP, allocation.STEP, earnings.STEP, deductions.STEP, CLOSING_STEP, statements.STEP)

Progress = Callable[[str], None]


class MonthNotOver(Refused):
    """A month is closed after its last day."""


class NotClosedYet(Refused):
    """The month has no closing to show."""


class NoSuchMonth(NotFound):
    """The books begin later."""


@dataclass(frozen=True, slots=True)
class Closing:
    """What a month's close came to, all in the currency of the books."""

    month: Month
    closed: bool
    steps: Sequence[periods.Step]
    held_back: Sequence[str]
    """Clients that could not be billed up to this month, each with the reason: what they owe is earned and unbilled."""
    recognized: Money
    allocated: dict[Target, Money]
    earned: Money
    payable: Money
    """What is payable to maintainers now, from this month and those before."""

    @property
    def residual(self) -> Money:
        """Everything not earned by others: the firm's own, part of it set aside in funds."""
        return self.recognized - self.earned


@dataclass(frozen=True, slots=True)
class Preview:
    """What closing the month would come to today, with nothing written."""

    month: Month
    first_open: Month
    """The month to close next, which may be an earlier one."""
    recognized: Money
    allocated: dict[Target, Money]
    earned: Money
    lines: Sequence[Line]
    without_terms: Sequence[str]
    """The names of those whose pay terms the close waits for."""

    @property
    def residual(self) -> Money:
        return self.recognized - self.earned


def close(
    month: Month,
    *,
    duties: Duties = by_tax_forms,
    by: Actor,
    now: datetime,
    progress: Progress = lambda step: None,
) -> Closing:
    """Close a month: invoice, recognize, allocate, work out earnings, take deductions, close, issue statements.

    `duties` says who is withheld from.

    Changes nothing when the month is closed already. What stands in the way is found before the first step and
    raised as a sentence: `MonthNotOver`, `EarlierMonthOpen`, `NoPlanInForce`, `PackageWithoutWeight`,
    `MaintainerWithoutTerms`, `RateMissing`.
    """
    if not refuse_unready(month, now=now):
        _invoice(month, by=by, now=now)
        progress("invoices")
        recognition.recognise_month(month, by=by, now=now)
        progress("recognition")
        allocation.allocate_month(month, by=by, now=now)
        progress("allocation")
        earnings.accrue_month(month, by=by, now=now)
        progress("earnings")
        deductions.take_month(month, duties=duties, by=by, now=now)
        progress("deductions")
        _close_period(month, by=by, now=now)
        progress("close")
    statements.issue_month(month, by=by, now=now)
    progress("statements")
    return closing(month)


def _invoice(month: Month, *, by: Actor, now: datetime) -> None:
    try:
        invoices.issue_month(month, by=by, now=now)
    except periods.MonthClosed:
        # Another close finished since we looked: what it made is what ours would have, and the steps below find
        # themselves done.
        return


def refuse_unready(month: Month, *, now: datetime) -> bool:
    """Whether the month is closed already; raises what stands in the way of closing it."""
    with reading() as session:
        profile = profiles.current(session)
        if periods.is_closed(session, month):
            return True
        _refuse_wrong_month(session, profile, month, now)
        plans.in_force(session, month)
        plans.refuse_unweighted(session, month)
        terms.refuse_missing(session, month)
        if not _done(session, month, recognition.STEP):
            recognition.earned_until(session, month)
    return False


def has_begun(month: Month) -> bool:
    """Whether the month's close has done anything that `closing` could show. Raises `NoSuchMonth`."""
    with reading() as session:
        first = profiles.current(session).first_month
        if month < first:
            raise NoSuchMonth(f"The books begin with {first.name}; there is no {month.name} in them.")
        return bool(periods.steps(session, month))


def closing(month: Month) -> Closing:
    """What the month's close came to so far. Raises `NotClosedYet` when it has not begun, `BeforeTheBooks`."""
    with reading() as session:
        profile = profiles.current(session)
        currency = profile.currency
        steps = periods.steps(session, month)
        if not steps:
            profiles.refuse_before_books(profile, month)
            raise NotClosedYet(f"{month.name} has not been closed; a month is closed when it is over.")
        owed = ledger.balance_of(session, accounts.PAYABLES, currency)
        return Closing(
            month=month,
            closed=any(step.name == CLOSING_STEP for step in steps),
            steps=sorted(steps, key=lambda step: STEPS.index(step.name)),
            held_back=invoices.held_back(session, month),
            recognized=total(recognition.revenue(session, month).values(), currency),
            allocated=plans.totals(session, month, currency),
            earned=earned.total_earned(session, month, currency),
            payable=-owed,
        )


def preview(month: Month, *, now: datetime) -> Preview:
    """Work the month out as closing would, and write nothing. The month may still be running.

    While earlier months are open, `first_open` is the first of them, and the figures are of this month alone: what
    closing those will recognize is theirs, and not in the packages' funds yet.
    """
    with reading() as session:
        profile = profiles.current(session)
        if profile.month_at(now) < month:
            raise MonthNotOver(f"{month.name} has not begun; there is nothing to preview.")
        periods.refuse_if_closed(session, month, instead=f"`chambers month status {month}` shows what it came to")
        profiles.refuse_before_books(profile, month)
        plan = plans.contents(session, plans.in_force(session, month).id)
        first_open = periods.earliest_open(session, first=profile.first_month)
        revenue = _revenue(session, month, alone=first_open < month)
        recognized = total(revenue.values(), profile.currency)
        shares = by_target(divide_all(plan, revenue))
        packages = {target: minor for (kind, target), minor in shares.items() if kind == "package"}
        figures = earned.figures_of(session, month, revenue=recognized.minor, allocated=packages)
        if not _done(session, month, allocation.STEP):
            funds = {key: figures.funds.get(key, 0) + packages.get(key, 0) for key in {*figures.funds, *packages}}
            figures = _with_funds(figures, funds)
        lines = work_out(earned.terms_of(session, month), earned.time_shares(session, month), figures)
        without_terms = terms.missing(session, month)
    return Preview(
        month=month,
        first_open=first_open,
        recognized=recognized,
        allocated={target: Money(minor, profile.currency) for target, minor in shares.items()},
        earned=Money(sum(line.amount for line in lines), profile.currency),
        lines=lines,
        without_terms=without_terms,
    )


@use_case
def _close_period(month: Month, *, by: Actor, now: datetime) -> None:
    with transaction() as session:
        if not periods.claim_step(session, month, CLOSING_STEP, items=1, total_minor=0, by=by, now=now):
            return
        balances.fold(session)
        periods.close(session, month, first=profiles.current(session).first_month, by=by, now=now)


def _refuse_wrong_month(session: Session, profile: Profile, month: Month, now: datetime) -> None:
    profiles.refuse_before_books(profile, month)
    if profile.month_at(now) <= month:
        raise MonthNotOver(f"{month.name} is not over; close it from 1 {month.next.name} on.")
    earliest = periods.earliest_open(session, first=profile.first_month)
    if earliest < month:
        raise periods.EarlierMonthOpen(f"Close {earliest.name} first: months are closed in their order.")


def _revenue(session: Session, month: Month, *, alone: bool) -> dict[str, Money]:
    """What the month recognizes, by engagement: late months too, or none but its own where it stands `alone`."""
    if _done(session, month, recognition.STEP):
        return recognition.revenue(session, month)
    revenue: dict[str, Money] = {}
    for item in recognition.earned_until(session, month):
        if alone and item.month != month:
            continue
        key = item.party.engagement_id
        revenue[key] = revenue[key] + item.booked if key in revenue else item.booked
    return revenue


def _done(session: Session, month: Month, step: str) -> bool:
    return any(done.name == step for done in periods.steps(session, month))


def _with_funds(figures: MonthFigures, funds: dict[str, int]) -> MonthFigures:
    return MonthFigures(figures.currency, figures.revenue, figures.allocated, funds, figures.package_names)
