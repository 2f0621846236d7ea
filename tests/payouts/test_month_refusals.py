"""What stands in the way of closing a month: found before the first step, said in a sentence, nothing half done."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime

import pytest
from flask import Flask

from firm.allocation import operations as allocation
from firm.allocation.operations import PlanTooLate
from firm.allocation.queries import NoPlanInForce, PackageWithoutWeight
from firm.billing import queries as billing
from firm.billing import receipts
from firm.clients import operations as clients
from firm.db import reading
from firm.engagements import operations as engagements
from firm.engagements.interests import NamedInterest
from firm.exchange import operations as exchange
from firm.exchange.operations import RateInUse, RateMissing
from firm.ledger.periods import EarlierMonthOpen, MonthClosed
from firm.money import Money
from firm.month import Month
from firm.portfolio import operations as portfolio
from firm.portfolio import queries as portfolio_queries
from firm.profile.operations import BeforeTheBooks, NotEstablished
from payouts import month_end
from payouts.month_end import MonthNotOver, NotClosedYet
from payouts.terms import operations as terms
from payouts.terms.operations import InvalidTerms, Proposal, TermsTaken, TermsTooLate
from payouts.terms.queries import MaintainerWithoutTerms
from tests import lovelace
from tests.examples.refusals import refused
from tests.lovelace import AFTER, BEFORE, LEAD, OCTOBER, START, usd

Opens = Callable[[str], AbstractContextManager[Flask]]
SEPTEMBER, NOVEMBER, DECEMBER = Month(2026, 9), Month(2026, 11), Month(2026, 12)


def close(month: Month = OCTOBER, *, now: datetime = AFTER) -> month_end.Closing:
    return month_end.close(month, by=LEAD, now=now)


def test_a_month_that_is_still_running_is_not_closed(ready_october: Flask) -> None:
    with refused(MonthNotOver, "October 2026 is not over; close it from 1 November 2026 on"):
        close(now=datetime(2026, 10, 31, 23, 59, tzinfo=UTC))


def test_the_firms_own_clock_says_when_a_month_is_over(sqlite_app: Flask) -> None:
    lovelace.set_up()
    # London left summer time on 25 October, so its midnight is UTC's.
    close(now=datetime(2026, 11, 1, 0, 0, tzinfo=UTC))
    lovelace.assert_books_hold()


def test_a_future_month_is_not_closed(ready_october: Flask) -> None:
    with refused(MonthNotOver, "December 2026 is not over"):
        close(DECEMBER)
    with refused(MonthNotOver, "December 2026 has not begun; there is nothing to preview"):
        month_end.preview(DECEMBER, now=AFTER)


def test_a_month_before_the_books_is_not_closed(ready_october: Flask) -> None:
    with refused(BeforeTheBooks, "The books begin with October 2026; September 2026 lies before"):
        close(SEPTEMBER)
    with refused(BeforeTheBooks, "The books begin with October 2026"):
        month_end.preview(SEPTEMBER, now=AFTER)


def test_months_are_closed_in_their_order(ready_october: Flask) -> None:
    with refused(EarlierMonthOpen, "Close October 2026 first"):
        close(NOVEMBER, now=datetime(2026, 12, 1, 12, 0, tzinfo=UTC))


def test_a_month_that_was_never_closed_has_no_closing(ready_october: Flask) -> None:
    with refused(NotClosedYet, "October 2026 has not been closed; a month is closed when it is over"):
        month_end.closing(OCTOBER)


def test_a_month_of_no_firm_is_not_closed(sqlite_app: Flask) -> None:
    with refused(NotEstablished, "run `chambers init` first"):
        close()


def test_a_month_without_a_plan_is_not_closed(sqlite_app: Flask) -> None:
    lovelace.establish()
    lovelace.add_clients()
    with refused(NoPlanInForce, "make one with `chambers plan set --from 2026-10"):
        close()


def test_a_package_that_a_client_cares_about_must_have_a_weight(sqlite_app: Flask) -> None:
    lovelace.establish()
    lovelace.add_clients()
    allocation.set_plan(from_month=OCTOBER, overhead_bp=0, reserves={}, weights={"ssh": 1}, by=LEAD, now=BEFORE)
    with refused(PackageWithoutWeight, "age, staticcheck have no weight in version 1 of the allocation plan"):
        close()
    allocation.set_plan(
        from_month=OCTOBER,
        overhead_bp=0,
        reserves={},
        weights={"ssh": 1, "age": 0, "staticcheck": 0},
        by=LEAD,
        now=BEFORE,
    )
    close()
    lovelace.assert_books_hold()


def test_somebody_with_a_paid_assignment_must_have_terms(sqlite_app: Flask) -> None:
    lovelace.establish()
    lovelace.add_clients()
    lovelace.set_plan()
    lovelace.staff()
    with refused(MaintainerWithoutTerms, "Ada, Grace have a paid assignment in October 2026 and no pay terms"):
        close()
    assert month_end.preview(OCTOBER, now=AFTER).without_terms == ["Ada", "Grace"]
    lovelace.set_terms()
    assert month_end.preview(OCTOBER, now=AFTER).without_terms == []
    close()
    lovelace.assert_books_hold()


def test_terms_that_have_ended_are_no_terms(sqlite_app: Flask) -> None:
    lovelace.establish()
    lovelace.add_clients()
    lovelace.set_plan()
    lovelace.staff()
    short = Proposal(guarantee=usd("100.00"))
    for name in ("Grace", "Ada"):
        terms.set_terms(name, short, from_month=OCTOBER, until_month=NOVEMBER, by=LEAD, now=BEFORE)
    close()
    with refused(MaintainerWithoutTerms, "Ada, Grace have a paid assignment in November 2026"):
        close(NOVEMBER, now=datetime(2026, 12, 1, 12, 0, tzinfo=UTC))
    lovelace.assert_books_hold()


def test_revenue_in_euros_needs_the_months_rate(sqlite_app: Flask) -> None:
    lovelace.set_up()
    clients.register(name="Hooli", country="DE", by=LEAD, now=BEFORE)
    engagement = engagements.draft(
        client="Hooli",
        tier="gold",
        fee=Money.parse("1000.00", "EUR"),
        cycle="monthly",
        starts_on=START,
        interests=[NamedInterest("ssh", False, 12)],
        by=LEAD,
        now=BEFORE,
    )
    engagements.sign(engagement.id, by=LEAD, now=BEFORE)
    with refused(RateMissing, "There is no EUR rate for October 2026; enter it with `chambers rate set EUR 2026-10"):
        close()
    with refused(RateMissing, "There is no EUR rate for October 2026"):
        month_end.preview(OCTOBER, now=AFTER)
    exchange.set_rate("EUR", OCTOBER, "1.0850", source="ECB", by=LEAD, now=BEFORE)
    close()
    with refused(RateInUse, "October 2026 has been recognized with its rates"):
        exchange.set_rate("EUR", OCTOBER, "1.0900", source="ECB", by=LEAD, now=AFTER)
    lovelace.assert_books_hold()


def test_a_closed_month_takes_no_receipt(closed_october: Flask) -> None:
    with reading() as session:
        number = billing.invoices(session)[0].number
    with refused(MonthClosed, "October 2026 is closed; post the correction in an open month"):
        receipts.record(
            number, amount=usd("10.00"), received_on=date(2026, 10, 31), reference="late", by=LEAD, now=AFTER
        )
    receipts.record(number, amount=usd("10.00"), received_on=date(2026, 11, 1), reference="late", by=LEAD, now=AFTER)
    lovelace.assert_books_hold()


def test_a_closed_month_takes_no_new_plan(closed_october: Flask) -> None:
    with refused(PlanTooLate, "October 2026 is closed; let the plan begin in an open month"):
        allocation.set_plan(from_month=OCTOBER, overhead_bp=0, reserves={}, weights={"ssh": 1}, by=LEAD, now=AFTER)


def test_a_closed_month_takes_no_new_terms(closed_october: Flask) -> None:
    with refused(TermsTooLate, "October 2026 is closed; let the terms begin in an open month"):
        terms.set_terms("Grace", Proposal(guarantee=usd("1.00")), from_month=OCTOBER, by=LEAD, now=AFTER)


def test_a_closed_month_is_previewed_no_more(closed_october: Flask) -> None:
    with refused(MonthClosed, "October 2026 is closed"):
        month_end.preview(OCTOBER, now=AFTER)


def test_one_month_has_one_version_of_somebodys_terms(ready_october: Flask) -> None:
    with refused(TermsTaken, "Terms from October 2026 on are set already"):
        terms.set_terms("Grace", Proposal(guarantee=usd("1.00")), from_month=OCTOBER, by=LEAD, now=BEFORE)


@pytest.mark.parametrize(
    ("proposal", "words"),
    [
        (Proposal(guarantee=Money.parse("1.00", "EUR")), "Pay terms are in USD, the currency of the books"),
        (Proposal(guarantee=usd("-1.00")), "Amounts of pay terms are zero or more"),
        (Proposal(growth_bp=10_001, baseline=usd("0.00")), "between 0 and 100 %"),
        (Proposal(growth_bp=-1, baseline=usd("0.00")), "between 0 and 100 %"),
        (Proposal(fund_shares={"ssh": 0}), "between 0 and 100 %"),
        (Proposal(growth_bp=100), "needs the baseline above which revenue counts as growth"),
        (Proposal(fixed_fees={"ssh": usd("0.00")}), "A fixed fee is above zero"),
    ],
    ids=["euros", "negative", "above-100", "below-0", "no-share", "no-baseline", "no-fee"],
)
def test_terms_that_cannot_be_are_refused(sqlite_at: Opens, proposal: Proposal, words: str) -> None:
    with sqlite_at("ready"), refused(InvalidTerms, words):
        terms.set_terms("Grace", proposal, from_month=NOVEMBER, by=LEAD, now=BEFORE)


def test_terms_end_after_they_begin(sqlite_at: Opens) -> None:
    with sqlite_at("ready"), refused(InvalidTerms, "end"):
        terms.set_terms(
            "Grace", Proposal(guarantee=usd("1.00")), from_month=DECEMBER, until_month=DECEMBER, by=LEAD, now=BEFORE
        )


def test_terms_for_a_package_nobody_knows_leave_nothing_behind(sqlite_at: Opens) -> None:
    proposal = Proposal(guarantee=usd("1.00"), fund_shares={"left-pad": 100})
    with (
        sqlite_at("ready"),
        refused(portfolio_queries.PackageNotFound, "There is no package 'left-pad' in the portfolio"),
    ):
        terms.set_terms("Grace", proposal, from_month=NOVEMBER, by=LEAD, now=BEFORE)


def test_a_package_in_the_portfolio_that_nobody_needs_holds_up_no_month(sqlite_app: Flask) -> None:
    lovelace.set_up()
    portfolio.adopt(name="left-pad", ecosystem="npm", by=LEAD, now=BEFORE)
    assert close().closed
    lovelace.assert_books_hold()
