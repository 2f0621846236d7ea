"""Booking a month's earnings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.billing.recognition import revenue
from firm.bulk import bulk_insert
from firm.db import transaction, use_case
from firm.ledger import accounts, journal, periods
from firm.ledger.entry import Entry, credit, debit
from firm.ledger.entry import Line as Posting
from firm.money import Money
from firm.month import Month
from payouts.earnings import queries
from payouts.earnings.model import earning
from payouts.earnings.rules import Line, used_by_package, work_out

STEP = "earnings"


@use_case
def accrue_month(month: Month, *, by: Actor, now: datetime) -> None:
    """Work out and book what everybody earned in the month; the step is done once."""
    with transaction() as session:
        if not periods.claim_step(session, month, STEP, items=0, total_minor=0, by=by, now=now):
            return
        recognized = sum(amount.minor for amount in revenue(session, month).values())
        allocated = queries.allocated_to_packages(session, month)
        figures = queries.figures_of(session, month, revenue=recognized, allocated=allocated)
        lines = work_out(queries.terms_of(session, month), queries.time_shares(session, month), figures)
        _book(session, month, lines, figures.currency, by=by, now=now)
        total = sum(line.amount for line in lines)
        periods.set_result(session, month, STEP, items=len(lines), total_minor=total)
        facts = {"lines": len(lines), "total_minor": total}
        audit.record(session, "earnings.accrued", str(month), facts, by=by, now=now)


def _book(session: Session, month: Month, lines: Sequence[Line], currency: str, *, by: Actor, now: datetime) -> None:
    by_maintainer = [
        (maintainer_id, list(theirs)) for maintainer_id, theirs in groupby(lines, lambda line: line.maintainer_id)
    ]
    bulk_insert(
        session,
        earning,
        [_row(month, line, number, currency) for _, theirs in by_maintainer for number, line in enumerate(theirs, 1)],
    )
    entries = [_pay_entry(month, maintainer_id, theirs, currency) for maintainer_id, theirs in by_maintainer]
    used = used_by_package(lines)
    if used:
        entries.append(_fund_entry(month, used, currency))
    journal.post_many(session, entries, by=by, now=now)


def _pay_entry(month: Month, maintainer_id: str, lines: Sequence[Line], currency: str) -> Entry:
    by_package: dict[str, int] = {}
    for line in lines:
        by_package[line.package_id] = by_package.get(line.package_id, 0) + line.amount
    total = Money(sum(by_package.values()), currency)
    pay = [
        debit(
            accounts.MAINTAINER_PAY,
            Money(minor, currency),
            package_id=package_id,
            maintainer_id=maintainer_id,
        )
        for package_id, minor in sorted(by_package.items())
    ]
    payable = credit(accounts.PAYABLES, total, maintainer_id=maintainer_id)
    return Entry(f"earnings:{month}:{maintainer_id}", month.last_day, f"Earned in {month.name}", (*pay, payable))


def _fund_entry(month: Month, used: dict[str, int], currency: str) -> Entry:
    drawn: list[Posting] = [
        debit(accounts.PACKAGE_FUNDS, Money(minor, currency), package_id=package_id)
        for package_id, minor in used.items()
    ]
    released = credit(accounts.ALLOCATED, Money(sum(used.values()), currency))
    return Entry(f"fund-use:{month}", month.last_day, f"Funds used in {month.name}", (*drawn, released))


def _row(month: Month, line: Line, number: int, currency: str) -> dict[str, Any]:
    return {
        "month": month,
        "maintainer_id": line.maintainer_id,
        "line": number,
        "kind": line.kind,
        "package_id": line.package_id,
        "amount_minor": line.amount,
        "funded_minor": line.funded,
        "currency": currency,
        "explanation": line.explanation[:500],
    }
