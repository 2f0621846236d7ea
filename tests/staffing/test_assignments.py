"""The funding gate and a person's one whole time."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from firm.clients import operations as clients
from firm.db import reading
from firm.engagements import operations as engagements
from firm.engagements.interests import NamedInterest
from firm.errors import EndTooEarly
from firm.portfolio import operations as portfolio
from firm.portfolio import queries as portfolio_queries
from firm.portfolio.queries import PackageNotFound
from payouts import month_end
from staffing.assignments import operations as assignments
from staffing.assignments import queries
from staffing.assignments.operations import InvalidAssignment, MoreThanWholeTime, PackageNotFunded
from staffing.assignments.queries import AssignmentNotFound
from staffing.assignments.rules import Funding, obstacles
from staffing.maintainers import operations as maintainers
from staffing.maintainers.queries import MaintainerNotFound
from tests import lovelace
from tests.examples.refusals import refused
from tests.firm.books import together
from tests.lovelace import AFTER, BEFORE, LEAD, OCTOBER, START, usd


@pytest.fixture
def firm(sqlite_app: Flask) -> Flask:
    """Lovelace with clients, plan, and Grace and Ada at work."""
    lovelace.establish()
    lovelace.add_clients()
    lovelace.set_plan()
    lovelace.staff()
    return sqlite_app


def assign(maintainer: str, package: str, **changes: Any) -> object:
    values: dict[str, Any] = {"role": "co-maintainer", "share_bp": 1_000, "from_on": START} | changes
    return assignments.assign(maintainer=maintainer, package=package, by=LEAD, now=BEFORE, **values)


def hire(name: str, *, works_as: str = "subcontractor") -> None:
    maintainers.add(
        name=name,
        email=f"{name.lower()}@lovelace.example",
        country="US",
        grade="junior",
        works_as=works_as,
        by=LEAD,
        now=BEFORE,
    )


def interest_of_a_client_that_forbids_subcontracting(package: str) -> None:
    clients.register(name="Initech", country="US", by=LEAD, now=BEFORE)
    engagement = engagements.draft(
        client="Initech",
        tier="gold",
        fee=usd("100.00"),
        cycle="monthly",
        starts_on=START,
        interests=[NamedInterest(package, False, 24)],
        by=LEAD,
        now=BEFORE,
    )
    engagements.sign(engagement.id, by=LEAD, now=BEFORE)


def state_of(package: str) -> str:
    with reading() as session:
        return str(session.scalar(text("SELECT state FROM package WHERE name = :name"), {"name": package}))


def test_a_package_without_money_and_interest_is_not_staffed(firm: Flask) -> None:
    hire("Mary")
    portfolio.adopt(name="left-pad", ecosystem="npm", by=LEAD, now=BEFORE)
    with refused(PackageNotFunded, "left-pad has no money.*No client.*The lead may override this with a reason"):
        assign("Mary", "left-pad")
    assert state_of("left-pad") == "adopted"


def test_the_lead_may_override_the_gate_and_the_log_keeps_the_reason(firm: Flask) -> None:
    hire("Mary")
    portfolio.adopt(name="left-pad", ecosystem="npm", by=LEAD, now=BEFORE)
    assign("Mary", "left-pad", override_reason="Globex signs next week")
    with reading() as session:
        facts = session.scalars(text("SELECT facts FROM audit_record WHERE verb = 'assignment.made'")).all()
    assert '"override":"Globex signs next week"' in facts[-1]
    assert state_of("left-pad") == "staffed"


def test_a_volunteer_needs_no_money(firm: Flask) -> None:
    hire("Mary")
    portfolio.adopt(name="left-pad", ecosystem="npm", by=LEAD, now=BEFORE)
    assign("Mary", "left-pad", paid=False)
    assert state_of("left-pad") == "adopted"


def test_no_subcontractor_serves_clients_that_do_not_allow_it(firm: Flask) -> None:
    hire("Mary")
    hire("Emil", works_as="employee")
    portfolio.adopt(name="left-pad", ecosystem="npm", by=LEAD, now=BEFORE)
    interest_of_a_client_that_forbids_subcontracting("left-pad")
    lovelace.allocation.set_plan(
        from_month=OCTOBER, overhead_bp=0, reserves={}, weights={"left-pad": 1}, by=LEAD, now=BEFORE
    )
    with refused(PackageNotFunded, "No agreement of the clients interested in left-pad allows subcontracting"):
        assign("Mary", "left-pad")
    assign("Emil", "left-pad")
    assert state_of("left-pad") == "staffed"


def test_nobody_is_assigned_for_more_than_their_whole_time(firm: Flask) -> None:
    with refused(MoreThanWholeTime, "100 % of their time is assigned already; end or shorten an assignment first"):
        assign("Grace", "age", share_bp=1)
    with refused(MoreThanWholeTime, "100 % of their time"):
        assign("Ada", "ssh", share_bp=5_000, from_on=date(2027, 1, 1), until_on=date(2027, 1, 2))
    assign("Ada", "ssh", share_bp=5_000, paid=False)
    with pytest.raises(InvalidAssignment, match="Paid work takes a share of time"):
        assign("Ada", "ssh", share_bp=0)
    with pytest.raises(InvalidAssignment, match="9999-12-31 lies outside of what books are kept of"):
        assign("Ada", "ssh", share_bp=1, until_on=date(9999, 12, 31))


def test_time_that_was_given_back_can_be_assigned_again(firm: Flask) -> None:
    with reading() as session:
        [work] = session.scalars(text("SELECT id FROM assignment WHERE role = 'lead'")).all()
    assignments.end(work, on=date(2026, 10, 16), by=LEAD, now=BEFORE)
    assert state_of("ssh") == "adopted"
    with refused(MoreThanWholeTime, "100 % of their time"):
        assign("Grace", "age", share_bp=10_000, from_on=date(2026, 10, 15))
    assign("Grace", "age", share_bp=10_000, from_on=date(2026, 10, 16))


def test_time_is_counted_day_by_day_and_not_all_together(firm: Flask) -> None:
    hire("Emil", works_as="employee")
    for begin, end in ((START, date(2026, 11, 1)), (date(2026, 11, 1), date(2026, 12, 1))):
        assign("Emil", "ssh", share_bp=6_000, from_on=begin, until_on=end)
    assign("Emil", "age", share_bp=4_000, from_on=START)
    with refused(MoreThanWholeTime, "100 % of their time"):
        assign("Emil", "staticcheck", share_bp=1, from_on=date(2026, 11, 30), until_on=date(2027, 1, 1))
    assign("Emil", "staticcheck", share_bp=6_000, from_on=date(2026, 12, 1))


def test_two_assignments_at_the_same_moment_do_not_fill_more_than_one_time(app: Flask) -> None:
    lovelace.establish()
    lovelace.add_clients()
    lovelace.set_plan()
    hire("Emil", works_as="employee")
    work = [lambda package=package: assign("Emil", package, share_bp=6_000) for package in ("ssh", "age")]
    results = together(app, *work)
    assert [type(result) for result in results if isinstance(result, Exception)] == [MoreThanWholeTime], results


def test_half_a_month_on_each_of_two_packages_splits_the_guarantee_by_days(firm: Flask) -> None:
    lovelace.set_terms()
    with reading() as session:
        [work] = session.scalars(text("SELECT id FROM assignment WHERE role = 'lead'")).all()
    assignments.end(work, on=date(2026, 10, 17), by=LEAD, now=BEFORE)
    assign("Grace", "age", share_bp=10_000, from_on=date(2026, 10, 17))
    month_end.close(OCTOBER, by=LEAD, now=AFTER)
    with reading() as session:
        lines = session.execute(
            text(
                "SELECT p.name, e.amount_minor, e.explanation FROM earning e JOIN package p ON p.id = e.package_id"
                " WHERE e.kind = 'guarantee' ORDER BY p.name DESC"
            )
        ).all()
    assert [(name, minor) for name, minor, _ in lines] == [("ssh", 206_452), ("age", 193_548)]
    assert lines[0].explanation == "Guarantee of 4,000.00 USD a month; 51.61 % of the time was for ssh"
    lovelace.assert_books_hold()


def test_an_assignment_ends_after_its_start_and_in_an_open_month(firm: Flask) -> None:
    lovelace.set_terms()
    with reading() as session:
        [work] = session.scalars(text("SELECT id FROM assignment WHERE role = 'lead'")).all()
    with refused(EndTooEarly, "End it after its start and not before October 2026, the first open month"):
        assignments.end(work, on=START, by=LEAD, now=BEFORE)
    month_end.close(OCTOBER, by=LEAD, now=AFTER)
    with refused(EndTooEarly, "not before November 2026, the first open month"):
        assignments.end(work, on=date(2026, 10, 20), by=LEAD, now=AFTER)
    with refused(AssignmentNotFound, "There is no assignment 'asn_1'"):
        assignments.end("asn_1", on=date(2026, 12, 1), by=LEAD, now=AFTER)
    lovelace.assert_books_hold()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"role": "hero"}, "'hero' is no role of an assignment; use one of lead, co-maintainer, reviewer, shadow"),
        ({"share_bp": 10_001}, "A share of time lies between 0 and 100 %"),
        ({"share_bp": -1}, "A share of time lies between 0 and 100 %"),
        ({"until_on": START}, "An assignment ends after it starts"),
    ],
    ids=["role", "above", "below", "end"],
)
def test_an_assignment_that_cannot_be_is_refused(firm: Flask, changes: dict[str, Any], words: str) -> None:
    with refused(InvalidAssignment, words):
        assign("Ada", "ssh", **changes)


def test_people_and_packages_nobody_knows_are_not_found(firm: Flask) -> None:
    with refused(MaintainerNotFound, "There is no maintainer 'Charles'"):
        assign("Charles", "ssh")
    with refused(PackageNotFound, "There is no package 'left-pad'"):
        assign("Ada", "left-pad")


def test_money_left_in_a_fund_is_money_also_without_weight(firm: Flask) -> None:
    lovelace.set_terms()
    month_end.close(OCTOBER, by=LEAD, now=AFTER)
    lovelace.allocation.set_plan(
        from_month=OCTOBER.next, overhead_bp=0, reserves={}, weights={"age": 1}, by=LEAD, now=AFTER
    )
    with reading() as session:
        found = queries.funding_of(session, portfolio_queries.find(session, "ssh"), OCTOBER.next)
        archive = queries.funding_of(session, portfolio_queries.find(session, "staticcheck"), OCTOBER.next)
    assert (found.has_money, found.has_interest) == (True, True)
    assert archive.has_money
    lovelace.assert_books_hold()


def funding(money: bool, interest: bool, subcontractors: bool) -> Funding:
    return Funding("ssh", has_money=money, has_interest=interest, allows_subcontractors=subcontractors)


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_the_gate_opens_only_with_money_and_interest_and_leave_to_subcontract(
    money: bool, interest: bool, allowed: bool, subcontractor: bool
) -> None:
    found = obstacles(funding(money, interest, allowed), subcontractor=subcontractor)
    assert (found == []) == (money and interest and (allowed or not subcontractor))
    assert all(sentence.endswith(".") and "ssh" in sentence for sentence in found)
