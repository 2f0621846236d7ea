"""Reading what earnings are worked out from, and what was earned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from firm.allocation import queries as allocation
from firm.ledger import accounts
from firm.ledger import queries as ledger
from firm.listing import WHOLE, Slice, where_given
from firm.money import Money
from firm.month import Month
from firm.portfolio import queries as portfolio
from firm.profile import operations as profiles
from payouts.earnings.model import earning
from payouts.earnings.rules import MonthFigures, Terms
from payouts.terms.model import FixedFee, FundShare, PayTerms
from payouts.terms.queries import in_force
from staffing.assignments.model import Assignment
from staffing.assignments.queries import running


@dataclass(frozen=True, slots=True)
class Earning:
    """A line that a maintainer earned."""

    month: Month
    maintainer_id: str
    line: int
    kind: str
    package_id: str
    amount: Money
    funded: Money
    explanation: str

    @property
    def from_residual(self) -> Money:
        """What the package's fund did not cover, and the firm's residual bears."""
        return self.amount - self.funded


def terms_of(session: Session, month: Month) -> list[Terms]:
    """The terms in force in a month, with their parts, in three set reads."""
    shares = _parts(session, FundShare.terms_id, FundShare.package_id, FundShare.rate_bp, month)
    fees = _parts(session, FixedFee.terms_id, FixedFee.package_id, FixedFee.amount_minor, month)
    rows = session.execute(
        select(
            PayTerms.id,
            PayTerms.maintainer_id,
            PayTerms.guarantee_minor,
            PayTerms.growth_bp,
            PayTerms.baseline_minor,
            PayTerms.cap_minor,
        )
        .where(in_force(month))
        .order_by(PayTerms.maintainer_id)
    )
    return [
        Terms(
            row.maintainer_id,
            row.guarantee_minor,
            row.growth_bp,
            row.baseline_minor,
            row.cap_minor,
            tuple(shares[row.id]),
            tuple(fees[row.id]),
        )
        for row in rows
    ]


def time_shares(session: Session, month: Month) -> dict[str, list[tuple[str, int]]]:
    """For each maintainer, the packages of the month's paid assignments and their days times share."""
    rows = session.execute(
        select(
            Assignment.maintainer_id,
            Assignment.package_id,
            Assignment.share_bp,
            Assignment.from_on,
            Assignment.until_on,
        ).where(Assignment.paid, running(month))
    )
    time: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        time[row.maintainer_id][row.package_id] += row.share_bp * _days(row.from_on, row.until_on, month)
    return {maintainer_id: sorted(packages.items()) for maintainer_id, packages in time.items()}


def figures_of(session: Session, month: Month, *, revenue: int, allocated: dict[str, int]) -> MonthFigures:
    """What the month gives to work with, once its allocation is in the books."""
    currency = profiles.current(session).currency
    funds = ledger.balances_by(session, accounts.PACKAGE_FUNDS, currency, "package_id")
    return MonthFigures(
        currency=currency,
        revenue=revenue,
        allocated=allocated,
        funds={package_id: -balance.minor for package_id, balance in funds.items()},
        package_names=portfolio.names(session),
    )


def allocated_to_packages(session: Session, month: Month) -> dict[str, int]:
    currency = profiles.current(session).currency
    totals = allocation.totals(session, month, currency)
    return {target: amount.minor for (kind, target), amount in totals.items() if kind == "package"}


def earned(session: Session, month: Month, part: Slice = WHOLE, *, maintainer_id: str | None = None) -> list[Earning]:
    """The earnings of a month, of one maintainer or all, by maintainer and line: what a slice is behind."""
    query = where_given(select(earning), (earning.c.month, month), (earning.c.maintainer_id, maintainer_id))
    return [
        Earning(
            row.month,
            row.maintainer_id,
            row.line,
            row.kind,
            row.package_id,
            Money(row.amount_minor, row.currency),
            Money(row.funded_minor, row.currency),
            row.explanation,
        )
        for row in session.execute(part.of(query, earning.c.maintainer_id, earning.c.line))
    ]


def total_earned(session: Session, month: Month, currency: str) -> Money:
    total = session.scalar(select(func.coalesce(func.sum(earning.c.amount_minor), 0)).where(earning.c.month == month))
    return Money(int(total or 0), currency)


def earned_by_maintainer(
    session: Session, first: Month, last: Month, *, maintainer_id: str | None = None
) -> dict[str, int]:
    """What each maintainer earned in the months from `first` to `last`, in minor units."""
    query = (
        select(earning.c.maintainer_id, func.sum(earning.c.amount_minor))
        .where(earning.c.month.between(first, last))
        .group_by(earning.c.maintainer_id)
    )
    if maintainer_id is not None:
        query = query.where(earning.c.maintainer_id == maintainer_id)
    return {key: int(minor) for key, minor in session.execute(query)}


def _days(from_on: date, until_on: date | None, month: Month) -> int:
    begin = max(from_on, month.first_day)
    end = month.next.first_day if until_on is None else min(until_on, month.next.first_day)
    return (end - begin).days


def _parts(
    session: Session, terms_id: object, package_id: object, value: object, month: Month
) -> dict[str, list[tuple[str, int]]]:
    columns: Sequence[object] = (terms_id, package_id, value)
    query = (
        select(*columns)  # type: ignore[call-overload]
        .join(PayTerms, PayTerms.id == terms_id)
        .where(in_force(month))
        .order_by(terms_id, package_id)
    )
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for terms, package, amount in session.execute(query):
        found[terms].append((package, amount))
    return found
