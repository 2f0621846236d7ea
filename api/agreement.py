"""What stands in two places says the same in both: papers and the books, payouts and their entries.

A frozen paper is never made anew, so nothing would notice that its figures were edited: here each is held against its
own digest, against the row it belongs to, and against the books it speaks of.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import and_, select, text
from sqlalchemy.orm import Session

from firm.billing.model import Invoice, invoiced_month
from firm.db import AnyRow
from firm.errors import Invalid
from firm.invariant import Walk
from firm.money import Money
from payouts.earnings.model import earning
from payouts.runs import rules
from payouts.runs.model import Payout, PayoutAttempt, PayoutRun, payout
from payouts.statements.model import statement
from staffing.reports.model import funded_work_report

PAGE = 500
Breach = dict[str, Any]


def _statements(session: Session) -> Iterator[Breach]:
    """Statements whose figures are not those of their row, or whose lines are not the earnings of the month."""
    for row in _rows(session, select(statement).order_by(statement.c.id)):
        yield from _wrong(row.number, _frozen(row), lambda figures, row=row: _account(session, figures, row))


def _account(session: Session, figures: Any, row: AnyRow) -> Iterator[str]:
    for name in ("opening", "earned", "adjusted", "paid", "closing"):
        if name in figures and _minor(figures[name]) != getattr(row, f"{name}_minor"):
            yield f"{name} is not what its row says"
    if (figures["number"], figures["month"]) != (row.number, str(row.month)):
        yield "number or month is not what its row says"
    mine = earning.c.maintainer_id == row.maintainer_id, earning.c.month == row.month
    columns = earning.c.kind, earning.c.explanation, earning.c.amount_minor
    earned = [tuple(one) for one in session.execute(select(*columns).where(*mine))]
    shown = [(one["kind"], one["explanation"], _minor(one["amount"])) for one in figures["earnings"]]
    if row.corrects_id is not None:
        # A correction may explain a line in other words; kinds and amounts stay.
        earned, shown = ([(kind, "", amount) for kind, _, amount in lines] for lines in (earned, shown))
    if Counter(shown) != Counter(earned):
        yield "its lines are not the month's earnings"
    if sum(_minor(one["amount"]) for one in figures["payouts"]) != row.paid_minor:
        yield "its payouts do not come to what was paid"


def _reports(session: Session) -> Iterator[Breach]:
    """Funded-work reports whose figures are not those of their row."""

    def differs(figures: Any, row: AnyRow) -> Iterator[str]:
        if (figures["number"], figures["from"], figures["until"]) != _heading(row):
            yield "number or period is not what its row says"

    for row in _rows(session, select(funded_work_report).order_by(funded_work_report.c.id)):
        yield from _wrong(row.number, _frozen(row), lambda figures, row=row: differs(figures, row))


def _heading(row: AnyRow) -> tuple[str, str, str]:
    return row.number, str(row.from_month), str(row.until_month)


def _invoices(session: Session) -> Iterator[Breach]:
    """Invoices whose figures are not those of their row and of the months they bill."""
    billed: dict[str, Counter[tuple[str, int]]] = defaultdict(Counter)
    columns = invoiced_month.c
    for one in session.execute(select(columns.invoice_id, columns.month, columns.amount_minor)):
        billed[one.invoice_id][str(one.month), one.amount_minor] += 1
    for row in _rows(session, select(*Invoice.__table__.columns).order_by(Invoice.id)):
        text = str(row.figures)
        yield from _wrong(row.number, text, lambda figures, row=row: _bill(figures, row, billed[row.id]))


def _bill(figures: Any, row: AnyRow, billed: Counter[tuple[str, int]]) -> Iterator[str]:
    if (figures["number"], figures["issued_on"], figures["due_on"]) != (
        row.number,
        row.issued_on.isoformat(),
        row.due_on.isoformat(),
    ):
        yield "number or dates are not what its row says"
    months = [(one["month"], Money.parse(one["amount"], row.currency).minor) for one in figures["months"]]
    if Counter(months) != billed or not row.total_minor == _minor(figures["total"]) == sum(m for _, m in months):
        yield "its amounts are not those of the months it bills"


def _payouts(session: Session) -> Iterator[Breach]:
    """Payouts whose entry moves another amount, and approved runs whose payouts are not what was approved."""
    query = (
        "SELECT p.id, p.amount_minor, x.amount_minor AS booked FROM payout p"
        " JOIN journal_entry e ON e.source = 'payout:' || p.id"
        " JOIN posting x ON x.entry_id = e.id AND x.account = 'liabilities:payouts-in-transit'"
        " WHERE x.amount_minor <> -p.amount_minor OR x.maintainer_id <> p.maintainer_id OR x.currency <> p.currency"
    )
    yield from (dict(breach) for breach in session.execute(text(query)).mappings())
    run, state = PayoutRun.__table__.c, ("proposed", "approved", "releasing", "settled", "partly-settled")
    joined = and_(payout.c.run_id == run.id, run.state.in_(state))
    found: dict[tuple[str, str], list[Payout]] = defaultdict(list)
    for row in session.execute(select(payout, run.number, run.digest).join(PayoutRun.__table__, joined)):
        found[row.number, row.digest].append(Payout(*row[: len(payout.columns)]))
    for (number, digest), payouts in found.items():
        if rules.digest(payouts) != digest and rules.digest(_without_withdrawn(payouts)) != digest:
            yield {"number": number, "wrong": "its payouts are not those that were approved"}


def _attempts(session: Session) -> Iterator[Breach]:
    """Attempts whose request is not the one that was digested when it was written, for this payout and key."""
    attempt = PayoutAttempt.__table__.c
    joined = select(payout, attempt.key, attempt.request, attempt.request_digest).join(
        PayoutAttempt.__table__, attempt.payout_id == payout.c.id
    )
    # Before requests were kept the digest was made without one.
    for row in _rows(session, joined.where(attempt.request != "{}").order_by(attempt.id)):
        asked = rules.request_digest(Payout(*row[: len(payout.columns)]), row.key, row.request)
        if asked != row.request_digest:
            yield {"payout": row.id, "key": row.key, "wrong": "it does not hold what it asked for"}


def _without_withdrawn(payouts: list[Payout]) -> list[Payout]:
    """What was held when the run was proposed, and canceled since, nobody approved."""
    return [one for one in payouts if one.state != "canceled"]


CHECKS = (
    Walk(
        "statements-as-issued",
        "Every statement says what it said when it was issued, and so do the books.",
        _statements,
    ),
    Walk("reports-as-issued", "Every funded-work report says what it said when it was issued.", _reports),
    Walk("invoices-as-issued", "Every invoice says what its row and the months it bills say.", _invoices),
    Walk(
        "payouts-as-approved", "Every payout moves the amount that was approved, and its run holds no other.", _payouts
    ),
    Walk("attempts-as-asked", "Every attempt holds the very request that it was written with.", _attempts),
)


def _rows(session: Session, query: Any) -> Iterator[AnyRow]:
    yield from session.execute(query.execution_options(yield_per=PAGE))


def _frozen(row: AnyRow) -> str:
    """The figures as they stand, or nothing where they are not those that were digested."""
    return str(row.figures) if hashlib.sha256(row.figures.encode()).hexdigest() == row.sha256 else ""


def _wrong(number: str, figures: str, differs: Any) -> Iterator[Breach]:
    if not figures:
        yield {"number": number, "wrong": "its figures are not those it was issued with"}
        return
    try:
        yield from ({"number": number, "wrong": wrong} for wrong in differs(json.loads(figures)))
    except (ValueError, KeyError, TypeError, Invalid):
        yield {"number": number, "wrong": "its figures cannot be read"}


def _minor(money: Mapping[str, str]) -> int:
    return Money.parse(money["amount"], money["currency"]).minor
