"""A transfer counts on the day on which Stripe made it, whenever the books hear of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from api.parts import parts
from firm.db import reading
from payouts.provider_events import sweeping
from payouts.runs import cash, queries, sending
from tests import lovelace
from tests.lovelace import ADMINISTRATOR, AFTER, usd
from tests.payouts.over_stripe import WORKER, OverStripe, paying
from tests.stripe.server import Server

LATE = AFTER + timedelta(days=65)
"""In the next year."""


@pytest.fixture
def firm(closed_october: Flask, stripe_server: Server) -> Iterator[OverStripe]:
    with paying(stripe_server) as found:
        yield found


def assert_paid_on_the_day_of_the_transfer(firm: OverStripe) -> None:
    grace = firm.payout_to("Grace")
    assert (grace.state, grace.settled_on) == ("settled", AFTER.date())
    with reading() as session:
        assert queries.booked_on(session, grace) == LATE.date(), "the books have it when they heard of it"
        assert cash.paid_in_year(session, AFTER.year)[grace.maintainer_id] == usd("4300.00")
        assert cash.paid_in_year(session, LATE.year) == {}
    lovelace.assert_books_hold()


def test_a_transfer_that_a_sweep_finds_late_was_paid_on_its_day(firm: OverStripe) -> None:
    # The next sweep looks back to this one.
    sweeping.sweep("stripe", source=firm.source, by=WORKER, now=AFTER)
    firm.send(cut_for=["Grace"])
    firm.server.clock.set(LATE)
    sweeping.sweep("stripe", source=firm.source, by=WORKER, now=LATE)
    assert_paid_on_the_day_of_the_transfer(firm)


def test_a_transfer_that_is_looked_up_late_was_paid_on_its_day(firm: OverStripe) -> None:
    firm.send(cut_for=["Grace"])
    firm.server.clock.set(LATE)
    sending.send(firm.run, rails={"stripe": firm.rail}, keys=parts().keys, by=ADMINISTRATOR, now=LATE)
    assert_paid_on_the_day_of_the_transfer(firm)


def test_a_clock_of_stripes_that_is_ahead_makes_nothing_paid_before_it_is_booked(firm: OverStripe) -> None:
    firm.server.clock.set(AFTER + timedelta(days=2))
    firm.send()
    assert firm.payout_to("Grace").settled_on == AFTER.date()
    lovelace.assert_books_hold()
