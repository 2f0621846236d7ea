"""Whatever happens over some months, every statement is the books, and none changes after its issue."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from firm.db import reading
from firm.errors import Refused
from firm.money import Money
from firm.month import Month
from payouts import month_end
from payouts.adjustments import operations, queries
from payouts.adjustments.operations import Draft
from payouts.adjustments.withholding import nobody
from payouts.runs import settling
from payouts.runs.model import Payout
from payouts.statements import operations as issuing
from payouts.terms import operations as terms
from payouts.terms.operations import Proposal
from tests import lovelace
from tests.lovelace import LEAD, OCTOBER, usd
from tests.payouts.accounts import bytes_of_all, morning_after
from tests.payouts.bank import Bank
from tests.payouts.conftest import Opens
from tests.payouts.test_months_in_a_row import pay_everybody
from tests.payouts.test_statements import withheld_from

PEOPLE = st.sampled_from(["Grace", "Ada"])
AMOUNTS = st.integers(1, 700_000).map(lambda minor: Money(minor, "USD"))


@dataclass(frozen=True)
class Step:
    """Something that happens in a month; what the business refuses then does not happen."""

    do: str
    who: str
    amount: Money

    def take(self, month: Month) -> None:
        with suppress(Refused):
            _STEPS[self.do](self, month)


def _adjust(kind: str, sign: int) -> Callable[[Step, Month], None]:
    def adjust(step: Step, month: Month) -> None:
        adjusts = month.previous if kind == "correction" else None
        amount = Money(sign * step.amount.minor, "USD")
        operations.make(
            Draft(step.who, kind, amount, "So it was", adjusts=adjusts, package="ssh" if adjusts else None),
            by=LEAD,
            now=morning_after(month.previous, 10),
        )

    return adjust


def _reverse(step: Step, month: Month) -> None:
    with reading() as session:
        made = queries.page(session)
    if made:
        chosen = made[step.amount.minor % len(made)]
        operations.reverse(chosen.id, reason="It was not so", by=LEAD, now=morning_after(month.previous, 12))


def _pay(step: Step, month: Month) -> None:
    pay_everybody(month.previous, rail=Bank(refuses={step.who: "Closed."} if step.amount.minor % 3 == 0 else {}))


def _return(step: Step, month: Month) -> None:
    now = morning_after(month.previous, 14)
    with reading() as session:
        query = text("SELECT id FROM payout WHERE state = 'settled' ORDER BY id")
        settled = list(session.scalars(query))
    if settled:
        chosen: Payout = settling.give_back(
            settled[step.amount.minor % len(settled)], reason="Sent back", on=now.date(), by=LEAD, now=now
        )
        assert chosen.state == "returned"


def _take_back(step: Step, month: Month) -> None:
    """The provider takes a part of a payment back, or what is left of it."""
    now = morning_after(month.previous, 13)
    with reading() as session:
        left = list(session.execute(text(_LEFT)).all())
    if left:
        payout_id, minor = left[step.amount.minor % len(left)]
        amount = Money(min(minor, step.amount.minor), "USD")
        settling.reverse(payout_id, reference=f"trr_{now:%m}:{step.amount.minor}", amount=amount, by=LEAD, now=now)


_LEFT = (
    "SELECT p.id, p.amount_minor - COALESCE((SELECT SUM(r.amount_minor) FROM payout_reversal r"
    " WHERE r.payout_id = p.id), 0) FROM payout p WHERE p.state = 'settled' ORDER BY p.id"
)


def _correct_statement(step: Step, month: Month) -> None:
    with reading() as session:
        numbers = list(session.scalars(text("SELECT number FROM statement WHERE version = 1 ORDER BY number")))
    if numbers:
        issuing.correct(
            numbers[step.amount.minor % len(numbers)],
            reason="In other words",
            explanations={1: f"Earned, as was said {step.amount.minor} times"},
            by=LEAD,
            now=morning_after(month.previous, 15),
        )


_STEPS: dict[str, Callable[[Step, Month], None]] = {
    "correct up": _adjust("correction", 1),
    "correct down": _adjust("correction", -1),
    "advance": _adjust("advance", 1),
    "fee": _adjust("fee", -1),
    "reverse": _reverse,
    "pay": _pay,
    "return": _return,
    "take back": _take_back,
    "reissue": _correct_statement,
}
STEPS = st.builds(Step, do=st.sampled_from(sorted(_STEPS)), who=PEOPLE, amount=AMOUNTS)
MONTHS = st.lists(st.tuples(st.lists(STEPS, max_size=5), st.booleans()), min_size=2, max_size=3)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=MONTHS, rate=st.sampled_from([0, 500, 10_000]))
def test_every_statement_is_the_books_and_stays_as_it_was(
    sqlite_at: Opens, history: list[tuple[list[Step], bool]], rate: int
) -> None:
    with sqlite_at("closed"):
        rule = Proposal(guarantee=usd("4000.00"), recovery_bp=rate)
        terms.set_terms("Grace", rule, from_month=OCTOBER.next, by=LEAD, now=morning_after(OCTOBER))
        issued = bytes_of_all()
        for number, (steps, withheld) in enumerate(history, 1):
            month = OCTOBER.plus(number)
            for step in steps:
                step.take(month)
            duties = withheld_from("Ada") if withheld else nobody
            month_end.close(month, duties=duties, by=LEAD, now=morning_after(month))
            now_issued = bytes_of_all()
            assert {key: now_issued[key] for key in issued} == issued
            issued = now_issued
            _refuse_differences(month)
        lovelace.assert_books_hold()


def _refuse_differences(month: Month) -> None:
    """The balance of each account of the last month, added up from the postings alone."""
    with reading() as session:
        query = text(
            "SELECT s.number, s.closing_minor, (SELECT -COALESCE(SUM(p.amount_minor), 0) FROM posting p"
            " JOIN journal_entry e ON e.id = p.entry_id WHERE p.account = 'liabilities:payables'"
            " AND p.maintainer_id = s.maintainer_id AND e.month <= s.month) AS owed FROM statement s"
            " WHERE s.month = :month"
        )
        for row in session.execute(query, {"month": str(month)}):
            assert row.closing_minor == row.owed, row.number
