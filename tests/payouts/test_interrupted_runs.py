"""A payout run dies at every moment and is gone on with: everybody is paid once, and the books say so once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from api.parts import parts
from firm import faults
from payouts.rails.rail import Order
from payouts.runs import sending
from payouts.runs.preparation import NothingPayable
from payouts.runs.sending import BEFORE_SENDING, RailNotNow, StillSending
from payouts.runs.settling import SentAfterAll
from tests import lovelace
from tests.firm.books import together
from tests.lovelace import ADMINISTRATOR, AFTER
from tests.payouts import paying
from tests.payouts.bank import Bank
from tests.payouts.interruptions import Killed, dying_at, losing_the_connection_at, whole_database
from tests.payouts.paying import LATER

Opens = Callable[[str], AbstractContextManager[Flask]]
ONCE = ["Ada 1,950.00 USD", "Grace 4,300.00 USD"]


def undisturbed(opens: Opens) -> tuple[dict[str, list[str]], int]:
    """What every interrupted run must come to, row by row, and how many moments it takes. In it the books hold."""
    bank = Bank()
    with opens("closed"):
        with dying_at(0) as moments:
            paying.pay(bank)
        lovelace.assert_books_hold()
        assert bank.amounts() == ONCE
        return whole_database(), moments.count


def paid_again(opens: Opens, moment: int) -> dict[str, list[str]]:
    """Die at a moment of the run; then go on with it."""
    bank = Bank()
    with opens("closed"):
        with pytest.raises(Killed), dying_at(moment):
            paying.pay(bank)
        paying.pay(bank, now=LATER)
        assert bank.amounts() == ONCE
        assert len(bank.asked) == 2, f"asked {bank.asked} after dying at moment {moment}"
        return whole_database()


def test_a_run_that_dies_at_every_sixth_statement_pays_everybody_once(sqlite_at: Opens) -> None:
    expected, moments = undisturbed(sqlite_at)
    for moment in range(1, moments + 1, 6):
        assert paid_again(sqlite_at, moment) == expected, f"after dying at moment {moment}"


@pytest.mark.slow
def test_a_run_that_dies_at_any_other_statement_pays_everybody_once(sqlite_at: Opens) -> None:
    expected, moments = undisturbed(sqlite_at)
    for moment in sorted({*range(1, moments + 1)} - {*range(1, moments + 1, 6)}):
        assert paid_again(sqlite_at, moment) == expected, f"after dying at moment {moment}"


@pytest.mark.slow
def test_on_postgresql_a_run_that_dies_pays_everybody_once(postgresql_at: Opens) -> None:
    expected, moments = undisturbed(postgresql_at)
    for moment in range(4, moments + 1, 11):
        assert paid_again(postgresql_at, moment) == expected, f"after dying at moment {moment}"


@pytest.mark.slow
def test_a_run_that_loses_its_connection_pays_everybody_once(postgresql_at: Opens) -> None:
    expected, moments = undisturbed(postgresql_at)
    for moment in range(moments // 6, moments, moments // 6):
        bank = Bank()
        with postgresql_at("closed"):
            with pytest.raises(DBAPIError), losing_the_connection_at(moment):
                paying.pay(bank)
            paying.pay(bank, now=LATER)
            assert whole_database() == expected, f"after losing the connection at moment {moment}"
            assert bank.amounts() == ONCE


def cut_the_power(order: Order) -> None:
    raise KeyboardInterrupt


def test_a_sender_that_dies_before_the_bank_heard_of_it_sends_again_under_the_same_key(closed_october: Flask) -> None:
    bank = Bank(before_paying=cut_the_power)
    number = paying.approved(bank)
    with pytest.raises(KeyboardInterrupt):
        paying.send(number, bank)
    assert bank.paid == {}
    assert sorted(paying.states(number).values()) == ["reserved", "sending"]

    bank.before_paying = lambda order: None
    paying.send(number, bank, now=LATER)
    assert bank.amounts() == ONCE
    assert len(bank.asked) == 3
    assert bank.asked[0] == bank.asked[1] == bank.looked_up[0]
    assert set(paying.states(number).values()) == {"sent"}
    lovelace.assert_books_hold()


def test_a_sender_that_dies_after_the_bank_paid_looks_it_up_and_sends_nothing_again(closed_october: Flask) -> None:
    bank = Bank(after_paying=cut_the_power)
    number = paying.approved(bank)
    with pytest.raises(KeyboardInterrupt):
        paying.send(number, bank)
    [first] = bank.paid
    assert sorted(paying.states(number).values()) == ["reserved", "sending"]

    bank.after_paying = lambda order: None
    paying.send(number, bank, now=LATER)
    assert bank.looked_up == [first]
    assert bank.asked.count(first) == 1
    assert bank.amounts() == ONCE
    assert set(paying.states(number).values()) == {"sent"}
    lovelace.assert_books_hold()


def test_a_sender_that_dies_each_time_gets_through_in_the_end(closed_october: Flask) -> None:
    bank = Bank(after_paying=cut_the_power)
    number = paying.approved(bank)
    for hour in range(2):
        with pytest.raises(KeyboardInterrupt):
            paying.send(number, bank, now=AFTER + timedelta(hours=hour))
    paying.send(number, bank, now=AFTER + timedelta(hours=2))
    assert bank.amounts() == ONCE
    assert len(bank.asked) == 2
    with pytest.raises(NothingPayable):
        paying.draft(bank)
    lovelace.assert_books_hold()


def test_an_answer_that_was_lost_is_looked_up_and_never_sent_again(closed_october: Flask) -> None:
    bank = Bank(loses_answer_for={"Grace"}, finds=False)
    number = paying.approved(bank)
    paying.send(number, bank)
    assert paying.states(number) == {"Ada": "sent", "Grace": "unknown"}
    paying.send(number, bank, now=LATER)
    assert paying.states(number)["Grace"] == "unknown"
    lovelace.assert_books_hold()

    bank.finds = True
    paying.send(number, bank, now=AFTER + timedelta(hours=2))
    assert paying.states(number) == {"Ada": "sent", "Grace": "sent"}
    assert bank.amounts() == ONCE
    assert len(bank.asked) == 2
    lovelace.assert_books_hold()


def test_a_bank_that_breaks_down_leaves_the_attempt_on_record(closed_october: Flask) -> None:
    def break_down(order: Order) -> None:
        raise ConnectionError("the bank's program broke")

    bank = Bank(before_paying=break_down)
    number = paying.approved(bank)
    with pytest.raises(ConnectionError):
        paying.send(number, bank)
    assert sorted(paying.states(number).values()) == ["reserved", "sending"]
    bank.before_paying = lambda order: None
    paying.pay(bank, now=LATER)
    assert set(paying.states(number).values()) == {"settled"}
    assert bank.amounts() == ONCE
    lovelace.assert_books_hold()


def test_an_answer_that_comes_too_late_changes_nothing_that_is_known(closed_october: Flask) -> None:
    """The first sender hangs for longer than its lease; by then a second one knows that the money left."""
    bank = Bank()
    number = paying.approved(bank)

    def hang(order: Order) -> None:
        bank.before_paying = lambda order: None
        together(closed_october, lambda: paying.send(number, bank, now=LATER))
        bank.loses_answer_for = {"Ada", "Grace"}

    bank.before_paying = hang
    paying.send(number, bank)
    assert bank.amounts() == ONCE
    assert set(paying.states(number).values()) == {"sent"}
    lovelace.assert_books_hold()


def test_a_sender_that_slept_past_its_lease_leaves_without_sending(closed_october: Flask) -> None:
    """Between its commit and its call the first sender's machine stands still for an hour."""
    bank = Bank()
    number = paying.approved(bank)
    slept: list[str] = []

    def sleep(point: str) -> None:
        if point == BEFORE_SENDING and not slept:
            slept.append(point)
            together(closed_october, lambda: paying.send(number, bank, now=LATER))

    def clock() -> datetime:
        return LATER if slept else AFTER

    faults.listen(sleep)
    try:
        sending.send(number, rails={"manual": bank}, keys=parts().keys, by=ADMINISTRATOR, now=AFTER, clock=clock)
    finally:
        faults.listen(None)
    assert len(bank.asked) == 2, f"asked {bank.asked}"
    assert set(paying.states(number).values()) == {"sent"}
    lovelace.assert_books_hold()


def test_a_look_up_that_took_longer_than_the_lease_is_followed_by_no_sending(closed_october: Flask) -> None:
    bank = Bank(before_paying=cut_the_power)
    number = paying.approved(bank)
    with pytest.raises(KeyboardInterrupt):
        paying.send(number, bank)
    [first] = bank.asked
    bank.before_paying = lambda order: None

    def clock() -> datetime:
        return LATER + timedelta(minutes=3) if bank.looked_up else LATER

    with pytest.raises(StillSending):
        sending.send(number, rails={"manual": bank}, keys=parts().keys, by=ADMINISTRATOR, now=LATER, clock=clock)
    assert bank.asked.count(first) == 1
    paying.send(number, bank, now=LATER + timedelta(minutes=3))
    assert bank.amounts() == ONCE
    lovelace.assert_books_hold()


def test_a_payment_heard_of_after_it_was_given_up_is_told_to_a_person(closed_october: Flask) -> None:
    """The call itself hangs for hours; meanwhile the payout is looked up, found nowhere, and refused."""
    bank = Bank(finds=False)
    number = paying.approved(bank)

    def hang(order: Order) -> None:
        bank.before_paying = lambda order: None
        silent = Bank(loses_answer_for={"Ada", "Grace"}, after_paying=lambda order: silent.paid.clear())
        for minutes in (5, 70, 135):
            together(
                closed_october,
                lambda minutes=minutes: paying.send(number, silent, now=AFTER + timedelta(minutes=minutes)),
            )

    bank.before_paying = hang
    with pytest.raises(SentAfterAll, match="its answer came too late"):
        paying.send(number, bank)
    assert set(paying.states(number).values()) == {"refused"}
    lovelace.assert_books_hold()


def test_not_now_told_late_makes_nothing_sendable_that_was_lost(closed_october: Flask) -> None:
    """The first sender hangs and hears "not now"; the one that took over has lost its answer meanwhile."""
    bank = Bank(loses_answer_for={"Ada", "Grace"})
    number = paying.approved(bank)
    hung: list[str] = []

    def hang(order: Order) -> None:
        bank.before_paying = lambda order: None
        hung.append(order.key)
        together(closed_october, lambda: paying.send(number, bank, now=LATER))
        bank.closed = True

    bank.before_paying = hang
    with pytest.raises(RailNotNow):
        paying.send(number, bank)
    assert set(paying.states(number).values()) == {"unknown"}
    bank.closed, bank.paid = False, {}
    paying.send(number, bank, now=AFTER + timedelta(hours=2))
    assert bank.asked.count(hung[0]) == 2, "what is lost is looked up and never sent again"
    lovelace.assert_books_hold()
