"""The books against what Stripe says, in both directions; every difference is kept until somebody has explained it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from firm.access import principals
from firm.actor import Role
from firm.db import db, reading
from firm.errors import Busy
from firm.money import Money
from payouts.differences.model import ReconciliationDifference
from payouts.provider_events import sweeping
from payouts.rails.stripe.values import Transfer
from payouts.reconciliation import comparing, operations, queries, rules
from payouts.reconciliation.operations import DifferenceResolved, NotAnOwner
from payouts.reconciliation.rules import Comparison, Finding
from tests import lovelace
from tests.lovelace import AFTER, LEAD, usd
from tests.payouts import paying as by_bank
from tests.payouts.bank import Bank
from tests.payouts.over_stripe import WORKER, OverStripe, paying
from tests.stripe import faults, payouts, transfers
from tests.stripe.server import Server

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def firm(closed_october: Flask, stripe_server: Server) -> Iterator[OverStripe]:
    with paying(stripe_server) as found:
        yield found


def reconcile(firm: OverStripe, *, now: datetime = AFTER + HOUR, swept: bool = True) -> list[tuple[str, str, str]]:
    """Sweep, compare and keep; what is open then: its kind and both sides."""
    if swept:
        sweeping.sweep("stripe", source=firm.source, by=WORKER, now=now)
    found = comparing.with_provider("stripe", source=firm.source, now=now) + comparing.with_time(
        {"stripe": None, "manual": None}, now=now
    )
    return [(one.kind, one.our_side, one.their_side) for one in operations.keep(found, now=now)]


def kinds(found: list[tuple[str, str, str]]) -> set[str]:
    return {kind for kind, _, _ in found}


def transfer(firm: OverStripe, **changes: Any) -> dict[str, Any]:
    """A transfer that somebody made at Stripe, like that to Grace but for the changes."""
    state, like = firm.server.state, firm.transfer_to("Grace")
    made = {**like, "id": state.new_id("tr"), "metadata": {}, **changes}
    state.add("transfer", made)
    return made


def test_books_and_stripe_agree_after_a_run(firm: OverStripe) -> None:
    firm.send()
    assert reconcile(firm) == []


def test_after_reversals_fees_and_lost_answers_they_still_agree(firm: OverStripe) -> None:
    firm.server.state.cross_border_fees["us"] = 25
    firm.send(cut_for=["Grace"])
    transfers.give_back(firm.server.state, firm.transfer_to("Ada"), 50_000)
    assert reconcile(firm) == []
    lovelace.assert_books_hold()


def test_before_the_sweep_a_balance_nobody_booked_differs(firm: OverStripe) -> None:
    firm.send()
    assert reconcile(firm, swept=False) == [("balance-differs", "-6,250.00 USD", "3,750.00 USD")]
    assert reconcile(firm) == []


def test_a_transfer_made_by_hand_has_no_payout_here(firm: OverStripe) -> None:
    firm.send()
    made = transfer(firm, amount=100)
    assert reconcile(firm) == [("transfer-without-payout", "nothing", f"1.00 USD to {made['destination']}")]


def test_a_payout_whose_transfer_is_not_there_is_found(firm: OverStripe) -> None:
    firm.send()
    lost = firm.transfer_to("Grace")
    del firm.server.state.objects["transfer"][lost["id"]]
    assert ("payout-without-transfer", "settled, 4,300.00 USD", "nothing") in reconcile(firm)


def test_an_older_transfer_than_the_list_begins_with_is_asked_for(firm: OverStripe) -> None:
    firm.send()
    firm.transfer_to("Grace")["created"] -= 40 * 86_400
    assert reconcile(firm) == []


def test_a_payee_who_was_paid_twice_is_found(firm: OverStripe) -> None:
    firm.send()
    again = transfer(firm, metadata=firm.transfer_to("Grace")["metadata"])
    found = reconcile(firm)
    assert "paid-twice" in kinds(found)
    again["amount_reversed"] = again["amount"]
    assert "paid-twice" not in kinds(reconcile(firm, now=AFTER + 2 * HOUR))


def test_what_stands_beside_the_transfer_that_came_back_stays_found(firm: OverStripe) -> None:
    firm.send()
    first, second = firm.transfer_to("Grace"), firm.paid_again("Grace")
    transfers.give_back(firm.server.state, first, 430_000)
    assert ("paid-twice", "settled, 4,300.00 USD", second["id"]) in reconcile(firm)
    transfers.give_back(firm.server.state, second, 430_000)
    assert "paid-twice" not in kinds(reconcile(firm, now=AFTER + 2 * HOUR))
    assert reconcile(firm, now=AFTER + 3 * HOUR) == []
    assert firm.states()["Grace"] == "returned"
    third = firm.paid_again("Grace")
    found = reconcile(firm, now=AFTER + 4 * HOUR)
    assert ("paid-twice", "returned, 4,300.00 USD", third["id"]) in found


@pytest.mark.parametrize(
    ("changes", "kind", "theirs"),
    [
        ({"amount": 430_001}, "amount-differs", "4,300.01 USD"),
        ({"destination": "acct_thief"}, "destination-differs", "acct_thief"),
        ({"amount_reversed": 100}, "reversal-differs", "1.00 USD"),
    ],
)
def test_what_a_transfer_says_otherwise_is_found(
    firm: OverStripe, changes: dict[str, Any], kind: str, theirs: str
) -> None:
    firm.send()
    firm.transfer_to("Grace").update(changes)
    assert (kind, theirs) in {(one, their_side) for one, _, their_side in reconcile(firm)}


def test_an_outcome_that_nobody_knows_for_a_day_is_a_difference(firm: OverStripe) -> None:
    firm.send(cut_for=["Grace"])
    del firm.server.state.objects["transfer"][firm.transfer_to("Grace")["id"]]
    assert "outcome-unknown" not in kinds(reconcile(firm, now=AFTER + 23 * HOUR))
    assert "outcome-unknown" in kinds(reconcile(firm, now=AFTER + 25 * HOUR))


def test_what_a_bank_has_not_proved_for_long_is_a_difference(closed_october: Flask) -> None:
    number = by_bank.approved()
    by_bank.send(number, Bank())

    def open_after(time: timedelta) -> set[tuple[str, str]]:
        found = comparing.with_time({"manual": None}, now=AFTER + time)
        return {(one.kind, one.rail) for one in operations.keep(found, now=AFTER + time)}

    assert open_after(4 * DAY) == set()
    assert open_after(6 * DAY) == {("not-settled", "manual")}
    for name in ("Grace", "Ada"):
        by_bank.settle(by_bank.payout_to(number, name).id)
    assert open_after(7 * DAY) == set()


def test_money_that_a_bank_did_not_take_is_somebodys_to_ask_about(firm: OverStripe) -> None:
    firm.send()
    payout = payouts.pay_out(firm.server.state, firm.accounts["Grace"], "usd")
    assert payout is not None
    payouts.move(firm.server.state, payout["id"], "paid")
    payouts.move(firm.server.state, payout["id"], "failed")
    assert reconcile(firm) == [("not-paid-to-bank", "settled", "4,300.00 USD, account_closed")]
    firm.server.clock.advance(hours=2)
    payouts.pay_out(firm.server.state, firm.accounts["Grace"], "usd")
    assert reconcile(firm, now=AFTER + 3 * HOUR) == []


def test_while_stripe_is_away_nothing_is_found_and_nothing_resolved(firm: OverStripe) -> None:
    firm.send()
    transfer(firm, amount=100)
    before = reconcile(firm)
    firm.server.faults.plan("GET /v1/transfers", faults.BAD_GATEWAY, times=50)
    with pytest.raises(Busy):
        reconcile(firm, swept=False)
    with reading() as session:
        assert len(queries.all_open(session)) == len(before) == 1


# What is kept

FOUND = Finding("stripe", "balance-differs", "USD", "The balance in USD differs.", "1.00 USD", "2.00 USD")


def keep(*findings: Finding, at: timedelta = HOUR) -> list[ReconciliationDifference]:
    return operations.keep([Comparison("stripe", ["balance-differs"], findings)], now=AFTER + at)


def test_a_difference_is_opened_once_and_seen_again(closed_october: Flask) -> None:
    (first,) = keep(FOUND)
    (again,) = keep(FOUND, at=2 * HOUR)
    assert (again.id, again.opened_at, again.seen_at) == (first.id, AFTER + HOUR, AFTER + 2 * HOUR)


def test_what_is_found_no_longer_resolves_itself_and_may_come_back(closed_october: Flask) -> None:
    (first,) = keep(FOUND)
    assert keep(at=2 * HOUR) == []
    with reading() as session:
        assert queries.find(session, first.id).resolved_by == "reconciler"
    (again,) = keep(FOUND, at=3 * HOUR)
    assert again.id != first.id


def test_what_was_not_compared_stays_open(closed_october: Flask) -> None:
    keep(FOUND)
    assert len(operations.keep([Comparison("stripe", ["paid-twice"], [])], now=AFTER + 2 * HOUR)) == 1
    assert len(operations.keep([Comparison("manual", ["balance-differs"], [])], now=AFTER + 2 * HOUR)) == 1


def test_what_a_person_explained_stays_explained_until_a_side_changes(closed_october: Flask) -> None:
    (first,) = keep(FOUND)
    operations.resolve(first.id, note="A charge of the bank's.", by=LEAD, now=AFTER + HOUR)
    assert keep(FOUND, at=2 * HOUR) == []
    other = Finding("stripe", "balance-differs", "USD", "It differs.", "1.00 USD", "3.00 USD")
    (again,) = keep(other, at=3 * HOUR)
    assert again.their_side == "3.00 USD"
    with pytest.raises(DifferenceResolved):
        operations.resolve(first.id, note="Once more.", by=LEAD, now=AFTER + HOUR)


def test_only_who_may_resolve_it_looks_after_a_difference(closed_october: Flask) -> None:
    (found,) = keep(FOUND)
    for name, role in (("lin", Role.ADMINISTRATOR), ("ann", Role.AUDITOR)):
        principals.enroll(name=name, role=role, by=LEAD, now=AFTER)
    assert operations.assign(found.id, owner="lin", by=LEAD, now=AFTER + HOUR).owner == "lin"
    with pytest.raises(NotAnOwner):
        operations.assign(found.id, owner="ann", by=LEAD, now=AFTER + HOUR)
    assert keep(FOUND, at=2 * HOUR)[0].owner == "lin"


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE reconciliation_difference SET opened_at = '2020-01-01 00:00:00'",
        "UPDATE reconciliation_difference SET subject = 'EUR'",
        "UPDATE reconciliation_difference SET resolved_by = 'nobody'",
        "DELETE FROM reconciliation_difference",
        "UPDATE provider_sweep SET started_at = '2030-01-01 00:00:00'",
        "UPDATE provider_sweep SET finished_at = NULL",
        "DELETE FROM provider_sweep",
        "UPDATE provider_movement SET treatment = 'unknown'",
        "UPDATE provider_movement SET net_minor = net_minor + 1",
        "DELETE FROM provider_movement",
        "UPDATE provider_event SET object_id = 'tr_other'",
        "UPDATE provider_event SET state = 'stored', finished_at = NULL",
        "DELETE FROM provider_event",
        "UPDATE payee_payout SET amount_minor = 1",
        "UPDATE payee_payout SET state = 'pending'",
        "DELETE FROM payee_payout",
    ],
)
def test_what_was_received_cannot_be_changed_afterwards(firm: OverStripe, attack: str) -> None:
    firm.send()
    payout = payouts.pay_out(firm.server.state, firm.accounts["Grace"], "usd")
    assert payout is not None
    payouts.move(firm.server.state, payout["id"], "paid")
    firm.tell(firm.news())
    reconcile(firm)
    keep(FOUND)
    with pytest.raises(DBAPIError), db.engine.begin() as connection:
        connection.execute(text(attack))


def test_sqlite_does_not_replace_what_was_received(sqlite_at: Any, stripe_server: Server) -> None:
    with sqlite_at("closed"), paying(stripe_server) as firm:
        firm.send()
        firm.tell(firm.news())
        for table in ("provider_event", "provider_sweep", "provider_movement", "reconciliation_difference"):
            reconcile(firm)
            keep(FOUND)
            with pytest.raises(DBAPIError), db.engine.begin() as connection:
                connection.execute(text(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"))


@pytest.mark.parametrize(
    ("state", "taken_back", "found"),
    [
        ("refused", "0.00", ["transfer-without-payout"]),
        ("canceled", "0.00", ["transfer-without-payout"]),
        ("unknown", "0.00", ["transfer-without-payout"]),
        ("refused", "1.00", []),
        ("sending", "0.00", []),
        ("settled", "0.00", []),
    ],
)
def test_a_transfer_for_a_payout_that_did_not_leave(state: str, taken_back: str, found: list[str]) -> None:
    one = Transfer("tr_1", AFTER, usd("1.00"), usd(taken_back), "acct_1", None, {"payout": "pay_1"}, False, None)
    ours = rules.OurPayout("pay_1", state, usd("1.00"), usd("0.00"), "tr_1", frozenset({"acct_1"}))
    assert [each.kind for each in rules.of_transfers("stripe", [one], {"pay_1": ours})] == found


def test_balances_of_every_currency_are_compared() -> None:
    found = rules.of_balances("stripe", {"USD": Money(1, "USD")}, {"EUR": Money(2, "EUR"), "USD": Money(1, "USD")})
    assert [(one.subject, one.our_side, one.their_side) for one in found] == [("EUR", "0.00 EUR", "0.02 EUR")]
