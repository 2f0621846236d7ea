"""While a month is being closed, and beside one that is still open: what was worked out once is not undermined."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask

from firm.allocation import operations as allocation
from firm.allocation.operations import PlanTooLate
from firm.clients import operations as clients
from firm.db import reading
from firm.engagements import operations as engagements
from firm.engagements import queries as found_engagements
from firm.engagements.interests import NamedInterest
from firm.errors import EndTooEarly
from payouts import month_end
from tests import lovelace
from tests.examples.refusals import refused
from tests.lovelace import AFTER, BEFORE, LEAD, OCTOBER, START, usd

NOVEMBER = OCTOBER.next
IN_NOVEMBER = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
IN_DECEMBER = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def close_until(step: str) -> None:
    def stop(done: str) -> None:
        if done == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        month_end.close(OCTOBER, by=LEAD, now=AFTER, progress=stop)


def sell_to_initech(*, requires_po: bool = False, now: datetime = BEFORE) -> str:
    clients.register(name="Initech", country="US", requires_po=requires_po, by=LEAD, now=now)
    engagement = engagements.draft(
        client="Initech",
        tier="gold",
        fee=usd("9000.00"),
        cycle="monthly",
        starts_on=START,
        interests=[NamedInterest("ssh", False, 24)],
        by=LEAD,
        now=now,
    )
    return engagements.sign(engagement.id, by=LEAD, now=now).id


def test_a_preview_beside_an_open_month_is_of_its_own_month(ready_october: Flask) -> None:
    """Closing October books October; it must not swell November's revenue and the growth that is paid on it."""
    october = month_end.preview(OCTOBER, now=IN_NOVEMBER)
    ahead = month_end.preview(NOVEMBER, now=IN_NOVEMBER)
    assert (ahead.first_open, ahead.recognized) == (OCTOBER, october.recognized)
    month_end.close(OCTOBER, by=LEAD, now=IN_NOVEMBER)
    after = month_end.preview(NOVEMBER, now=IN_NOVEMBER)
    assert (after.first_open, after.recognized) == (NOVEMBER, ahead.recognized)


def test_a_late_month_is_in_the_preview_of_the_month_that_books_it(closed_october: Flask) -> None:
    sell_to_initech(now=AFTER)
    found = month_end.preview(NOVEMBER, now=IN_NOVEMBER)
    closed = month_end.close(NOVEMBER, by=LEAD, now=IN_DECEMBER)
    assert found.recognized == usd("33000.00")
    assert (found.recognized, found.earned) == (closed.recognized, closed.earned)


def test_the_steps_of_a_closing_are_in_their_order(closed_october: Flask) -> None:
    assert [step.name for step in month_end.closing(OCTOBER).steps] == list(month_end.STEPS)


def test_a_close_names_the_clients_that_it_could_not_bill(ready_october: Flask) -> None:
    engagement = sell_to_initech(requires_po=True)
    [reason] = month_end.close(OCTOBER, by=LEAD, now=AFTER).held_back
    assert reason.startswith("Initech requires a purchase order number; enter it with")
    engagements.set_po_number(engagement, "PO-77", by=LEAD, now=AFTER)
    assert month_end.closing(OCTOBER).held_back == []
    lovelace.assert_books_hold()


def test_no_plan_begins_in_a_month_that_is_divided(ready_october: Flask) -> None:
    close_until("allocation")
    plan: dict[str, Any] = {"overhead_bp": 3000, "reserves": {}, "weights": {"ssh": 1, "age": 1, "staticcheck": 1}}
    with refused(PlanTooLate, "The revenue of October 2026 is divided; finish it with `chambers month close 2026-10`"):
        allocation.set_plan(from_month=OCTOBER, **plan, by=LEAD, now=AFTER)
    assert allocation.set_plan(from_month=NOVEMBER, **plan, by=LEAD, now=AFTER).version == 2
    month_end.close(OCTOBER, by=LEAD, now=AFTER)
    lovelace.assert_books_hold()


def test_no_engagement_ends_within_a_month_that_is_recognized(ready_october: Flask) -> None:
    close_until("recognition")
    with reading() as session:
        first = found_engagements.page(session)[0].id
    with refused(EndTooEarly, "has been recognized until October 2026; end it later"):
        engagements.end(first, on=date(2026, 10, 11), by=LEAD, now=AFTER)
    assert engagements.end(first, on=NOVEMBER.first_day, by=LEAD, now=AFTER).state == "ended"
    month_end.close(OCTOBER, by=LEAD, now=AFTER)
    lovelace.assert_books_hold()
