"""A destination is proposed by one person, confirmed by another, cools off, and is told to whom it concerns."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.parts import parts
from firm.actor import Actor, Role
from firm.db import db, reading, transaction
from firm.notices import queries as notices
from firm.particulars import InvalidParticulars
from firm.profile.changes import change_firm
from payouts.destinations import decisions, operations, queries
from payouts.destinations.accounts import InvalidBic
from payouts.destinations.decisions import (
    Confirmed,
    ConfirmerIsProposer,
    NotProposed,
    NotTheProposer,
    PayoutUnderWay,
)
from payouts.destinations.model import Destination
from payouts.destinations.operations import ChangePending
from payouts.destinations.rules import PROPOSAL_LASTS, CountryNotReached
from payouts.runs import changes, preparation
from payouts.runs.preparation import NothingPayable
from staffing.maintainers import operations as maintainers
from staffing.maintainers.operations import Change
from tests import lovelace
from tests.examples.refusals import refused
from tests.firm.books import together
from tests.lovelace import ADMINISTRATOR, AFTER, BEFORE, LEAD
from tests.payouts import paying
from tests.payouts.bank import Bank

Opens = Callable[[str], AbstractContextManager[Flask]]
PARTNER = Actor("partner", Role.LEAD)
IBAN = "DE89370400440532013000"
OTHER_IBAN = "ES9121000418450200051332"
COOLED = AFTER + timedelta(hours=72)


def propose(name: str = "Grace", *, by: Actor = ADMINISTRATOR, now: Any = AFTER, **account: Any) -> Destination:
    wanted = {"rail": "sepa", "iban": IBAN, **account}
    return operations.propose(name, **wanted, rails=parts().rails, keys=parts().keys, by=by, now=now)


def id_of(name: str) -> str:
    with reading() as session:
        return str(session.scalar(text("SELECT id FROM maintainer WHERE name = :name"), {"name": name}))


def way_of(name: str, now: Any) -> queries.Way:
    with reading() as session:
        ways = queries.live(session, now=now)
    return ways[id_of(name)]


def left_out(now: Any) -> dict[str, str]:
    """Whom a draft would leave out or hold, by name, and why."""
    people = {id_of(name): name for name in ("Grace", "Ada")}
    try:
        drafted = preparation.draft(rails={"manual": Bank()}, by=ADMINISTRATOR, now=now)
    except NothingPayable as error:
        return {"everybody": error.message}
    found = {people[out.maintainer_id]: out.reason for out in drafted.left_out}
    found |= {people[one.maintainer_id]: one.reason for one in drafted.payouts if one.state == "held"}
    preparation.cancel(drafted.run.number, by=ADMINISTRATOR, now=now)
    return found


def records(verb: str) -> list[dict[str, Any]]:
    query = text("SELECT facts FROM audit_record WHERE verb = :verb ORDER BY id")
    with reading() as session:
        return [json.loads(facts) for facts in session.scalars(query, {"verb": verb})]


def test_whoever_proposes_a_destination_does_not_confirm_it(ready_october: Flask) -> None:
    proposal = propose()
    with refused(ConfirmerIsProposer, "proposed by administrator; somebody else has to confirm it"):
        changes.confirm_destination(proposal.id, by=ADMINISTRATOR, now=AFTER)
    confirmed = changes.confirm_destination(proposal.id, by=LEAD, now=AFTER).destination
    assert (confirmed.decided_by, confirmed.sole_approval) == ("lead", False)
    lovelace.assert_books_hold()


def test_a_firm_of_one_confirms_its_own_with_the_switch_and_the_log_says_so(sqlite_at: Opens) -> None:
    with sqlite_at("ready"):
        proposal = propose(by=LEAD)
        with refused(ConfirmerIsProposer, "somebody else"):
            changes.confirm_destination(proposal.id, by=LEAD, now=AFTER)
        change_firm(sole_approval=True, by=LEAD, now=AFTER)
        assert changes.confirm_destination(proposal.id, by=LEAD, now=AFTER).destination.sole_approval is True
        assert records("destination.confirmed")[-1]["sole_approval"] is True
        lovelace.assert_books_hold()


def test_the_first_destination_is_used_at_once_and_a_change_cools_off(ready_october: Flask) -> None:
    assert way_of("Grace", BEFORE).obstacle == ""
    confirmed = changes.confirm_destination(propose().id, by=LEAD, now=AFTER).destination
    assert confirmed.usable_from == COOLED
    assert confirmed.state_at(COOLED - timedelta(microseconds=1)) == "confirmed"
    assert confirmed.state_at(COOLED) == "live"


def test_nobody_is_paid_to_the_old_destination_nor_the_new_one_before_it_has_cooled_off(closed_october: Flask) -> None:
    old = way_of("Grace", AFTER)
    assert left_out(AFTER) == {}
    proposal = propose(rail="manual", iban=None)
    assert "change of destination that was proposed on 1 November 2026" in left_out(AFTER)["Grace"]
    changes.confirm_destination(proposal.id, by=LEAD, now=AFTER)
    held = left_out(AFTER + timedelta(hours=71))
    assert held == {"Grace": "has a destination that was changed; it is usable from 4 November 2026, 09:00 UTC on"}
    assert left_out(COOLED) == {}
    assert (way_of("Grace", COOLED).id, old.id != proposal.id) == (proposal.id, True)
    lovelace.assert_books_hold()


def test_a_rejected_change_leaves_the_old_destination_as_it_was(closed_october: Flask) -> None:
    old = way_of("Grace", AFTER)
    rejected = decisions.reject(propose().id, reason="she did not ask for it", by=LEAD, now=AFTER)
    assert (rejected.state, rejected.reason) == ("rejected", "she did not ask for it")
    assert way_of("Grace", AFTER) == old
    with refused(NotProposed, "is rejected, not proposed any more"):
        changes.confirm_destination(rejected.id, by=LEAD, now=AFTER)
    lovelace.assert_books_hold()


def test_only_who_proposed_withdraws(sqlite_at: Opens) -> None:
    with sqlite_at("ready"):
        proposal = propose()
        with refused(NotTheProposer, "reject it instead"):
            decisions.withdraw(proposal.id, by=LEAD, now=AFTER)
        assert decisions.withdraw(proposal.id, by=ADMINISTRATOR, now=AFTER).state == "withdrawn"
        assert way_of("Grace", AFTER).obstacle == ""
        again = propose()
        with refused(InvalidParticulars, "Say why it is rejected"):
            decisions.reject(again.id, reason=" ", by=LEAD, now=AFTER)


def test_one_change_is_proposed_at_a_time_and_an_old_one_makes_room(ready_october: Flask) -> None:
    first = propose()
    with refused(ChangePending, "A change of Grace's destination waits to be confirmed already"):
        propose(iban=OTHER_IBAN)
    later = AFTER + PROPOSAL_LASTS
    assert way_of("Grace", later).obstacle == ""
    with refused(NotProposed, "is expired, not proposed"):
        changes.confirm_destination(first.id, by=LEAD, now=later)
    second = propose(iban=OTHER_IBAN, now=later)
    with reading() as session:
        assert queries.find(session, first.id).state == "expired"
    assert operations.expire(now=later) == 0
    assert operations.expire(now=later + PROPOSAL_LASTS) == 1
    with reading() as session:
        assert queries.find(session, second.id).state == "expired"
    lovelace.assert_books_hold()


def test_the_cooling_off_time_is_the_firms_and_what_was_confirmed_keeps_its_own(sqlite_at: Opens) -> None:
    with sqlite_at("ready"):
        change_firm(cooling_off_hours=24, by=LEAD, now=AFTER)
        confirmed = changes.confirm_destination(propose().id, by=LEAD, now=AFTER).destination
        change_firm(cooling_off_hours=0, by=LEAD, now=AFTER)
        assert confirmed.usable_from == AFTER + timedelta(hours=24)
        assert way_of("Grace", AFTER).obstacle != ""
        assert [facts["hours"] for facts in records("firm.cooling-off")] == [24, 0]


def test_of_two_confirmations_at_the_same_moment_one_counts(opens: Opens) -> None:
    for _ in range(3):
        with opens("ready") as app:
            key = propose().id

            def confirm(by: Actor, key: str = key) -> Callable[[], Confirmed]:
                return lambda: changes.confirm_destination(key, by=by, now=AFTER)

            found = together(app, confirm(LEAD), confirm(PARTNER))
            assert sorted(type(one).__name__ for one in found) == ["Confirmed", "NotProposed"], found
            lovelace.assert_books_hold()


def test_a_change_is_confirmed_or_rejected_and_never_both(opens: Opens) -> None:
    for _ in range(3):
        with opens("ready") as app:
            key = propose().id

            def confirm(key: str = key) -> Any:
                return changes.confirm_destination(key, by=LEAD, now=AFTER)

            def reject(key: str = key) -> Any:
                return decisions.reject(key, reason="no", by=PARTNER, now=AFTER)

            found = together(app, confirm, reject)
            assert sorted(isinstance(one, NotProposed) for one in found) == [False, True], found
            lovelace.assert_books_hold()


def test_two_changes_at_the_same_moment_leave_one_proposal(opens: Opens) -> None:
    for _ in range(3):
        with opens("ready") as app:
            found = together(app, propose, lambda: propose(iban=OTHER_IBAN))
            assert sorted(type(one).__name__ for one in found) == ["ChangePending", "Destination"], found
            lovelace.assert_books_hold()


def test_the_rail_is_not_switched_while_a_payout_is_under_way(sqlite_at: Opens) -> None:
    with sqlite_at("ready"):
        key = propose().id
        with refused(PayoutUnderWay, "under way over the rail manual .*RUN-2026-0001"), transaction() as session:
            decisions.confirm_in(session, key, in_flight=["RUN-2026-0001"], by=LEAD, now=AFTER)
        decisions.reject(key, reason="not yet", by=LEAD, now=AFTER)
        same_rail = propose(rail="manual", iban=IBAN).id
        with transaction() as session:
            confirmed = decisions.confirm_in(session, same_rail, in_flight=["RUN-2026-0001"], by=LEAD, now=AFTER)
        assert confirmed.replaced is not None


def test_what_may_no_longer_be_paid_to_is_found_among_many(ready_october: Flask) -> None:
    grace, ada = way_of("Grace", AFTER).id, way_of("Ada", AFTER).id

    def changed(now: Any = AFTER) -> set[str]:
        with reading() as session:
            return queries.changed_since(session, [grace, ada], now=now)

    assert changed() == set()
    proposal = propose()
    assert changed() == {grace}
    assert changed(AFTER + PROPOSAL_LASTS) == set()
    changes.confirm_destination(proposal.id, by=LEAD, now=AFTER)
    assert changed() == {grace}
    with reading() as session:
        assert queries.changed_since(session, [proposal.id], now=AFTER) == {proposal.id}
        assert queries.changed_since(session, [proposal.id], now=COOLED) == set()
        assert queries.changed_since(session, [], now=AFTER) == set()


def told() -> list[tuple[str, str, str]]:
    with reading() as session:
        return [(one.template, one.to_address, one.text) for one in notices.page(session)]


def test_the_old_address_is_told_of_a_change_at_its_proposal_and_at_its_confirmation(ready_october: Flask) -> None:
    before = len(told())
    proposal = propose()
    # Whoever takes over an account may change its address first.
    maintainers.change("Grace", Change(email="mallory@evil.example"), by=ADMINISTRATOR, now=AFTER)
    changes.confirm_destination(proposal.id, by=LEAD, now=AFTER)
    news = told()[before:]
    assert [(template, address) for template, address, _ in news] == [
        ("destination-proposed", "grace@lovelace.example"),
        ("destination-confirmed", "grace@lovelace.example"),
        ("destination-confirmed", "mallory@evil.example"),
    ]
    assert "the account ending in 3000" in news[0][2]
    assert "from 4 November 2026, 09:00 UTC on" in news[1][2]
    assert IBAN not in str(news)
    lovelace.assert_books_hold()


def test_who_is_paid_for_the_first_time_is_not_told_of_a_change(sqlite_at: Opens) -> None:
    with sqlite_at("ready"):
        charles = {"name": "Charles", "email": "charles@lovelace.example", "country": "GB", "grade": "junior"}
        maintainers.add(**charles, works_as="employee", by=LEAD, now=BEFORE)
        before = len(told())
        changes.confirm_destination(propose("Charles").id, by=LEAD, now=AFTER)
        proposed, confirmed = (words for _, _, words in told()[before:])
        assert "was asked to pay you to the account ending in 3000" in proposed
        assert "from 1 November 2026, 09:00 UTC on" in confirmed
        assert "so far" not in (proposed + confirmed).lower()
        assert "before that" not in (proposed + confirmed).lower()
        lovelace.assert_books_hold()


def test_an_address_changed_before_the_proposal_does_not_hide_it_either(sqlite_at: Opens) -> None:
    with sqlite_at("ready"):
        with transaction() as session:
            session.execute(text("UPDATE maintainer SET email = 'mallory@evil.example' WHERE name = 'Grace'"))
        propose()
        assert [address for _, address, _ in told()][-2:] == ["grace@lovelace.example", "mallory@evil.example"]


@pytest.mark.parametrize("hours", [0, 48])
def test_who_has_no_address_any_more_is_missed_by_no_check(ready_october: Flask, hours: int) -> None:
    set_email("")
    change_firm(cooling_off_hours=hours, by=LEAD, now=BEFORE)
    before = len(told())
    changes.confirm_destination(propose().id, by=LEAD, now=AFTER)
    assert [address for _, address, _ in told()[before:]] == ["grace@lovelace.example"] * 2
    # The destination before this one has no address, and the one before that has none to do with it.
    changes.confirm_destination(propose(iban=OTHER_IBAN, now=COOLED).id, by=LEAD, now=COOLED)
    assert len(told()) == before + 2
    set_email("grace@lovelace.example")
    lovelace.assert_books_hold()


def set_email(address: str) -> None:
    """Past the product, which lets nobody be without an address."""
    with transaction() as session:
        session.execute(text("UPDATE maintainer SET email = :address WHERE name = 'Grace'"), {"address": address})


def test_a_notice_is_promised_with_its_change_or_not_at_all(sqlite_at: Opens) -> None:
    with sqlite_at("ready"):
        proposal = propose()
        before = len(told())
        with pytest.raises(KeyboardInterrupt):
            confirm_and_die(proposal.id)
        assert len(told()) == before
        changes.confirm_destination(proposal.id, by=LEAD, now=AFTER)
        assert len(told()) == before + 1


def confirm_and_die(key: str) -> None:
    with transaction() as session:
        decisions.confirm_in(session, key, by=LEAD, now=AFTER)
        raise KeyboardInterrupt


def test_each_opening_of_an_account_is_on_record_with_its_order(sqlite_at: Opens) -> None:
    with sqlite_at("closed"):
        change_firm(cooling_off_hours=0, by=LEAD, now=BEFORE)
        changes.confirm_destination(propose(rail="manual").id, by=LEAD, now=AFTER)
        bank = Bank()
        paying.pay(bank)
        [order] = [order for order in bank.paid.values() if order.payee.iban == IBAN]
        opened = records("destination.opened")
        assert {(facts["last4"], facts["for"]) for facts in opened} == {("3000", f"order:{order.key}")}
        lovelace.assert_books_hold()


@pytest.mark.parametrize(
    ("bic", "says"),
    [
        ("DEUTDEFF", ""),
        ("deut de ff 500", ""),
        ("DEUTDEF", "not a valid BIC"),
        ("DEUTXXFF", "not a valid BIC"),
        ("NWBKGB2L", "a bank in GB and the IBAN of an account in DE"),
    ],
)
def test_a_bic_is_one_and_belongs_to_the_country_of_the_iban(sqlite_at: Opens, bic: str, says: str) -> None:
    with sqlite_at("ready"):
        if says:
            with refused(InvalidBic, says):
                propose(bic=bic)
        else:
            assert str(propose(bic=bic).bic).startswith("DEUTDEFF")


def test_an_account_without_iban_is_in_a_country_that_can_be(sqlite_at: Opens) -> None:
    with sqlite_at("ready"):
        with refused(InvalidParticulars, "two capital letters"):
            propose(rail="manual", iban=None, country="usa")
        with refused(CountryNotReached, "an account in DE, not in US"):
            propose(country="US")
        assert propose(rail="manual", iban=None, country="CA").country == "CA"
        assert propose("Ada", rail="manual", iban=None).country == "US"


ATTACKS = {
    "confirm one's own": (
        "UPDATE destination SET state = 'confirmed', decided_by = proposed_by, decided_at = created_at,"
        " usable_from = created_at WHERE state = 'proposed'"
    ),
    "confirm without a cooling-off": "UPDATE destination SET usable_from = decided_at WHERE state = 'confirmed'",
    "confirm without a moment": (
        "UPDATE destination SET state = 'confirmed', decided_by = 'x', decided_at = created_at WHERE state = 'proposed'"
    ),
    "use it before it was confirmed": (
        "UPDATE destination SET state = 'confirmed', decided_by = 'x', decided_at = '2026-11-05 09:00:00+00:00',"
        " usable_from = '2026-11-01 09:00:00+00:00' WHERE state = 'proposed'"
    ),
    "begin confirmed": (
        "INSERT INTO destination (id, maintainer_id, rail, holder, country, created_at, contact, state, proposed_by,"
        " expires_at, decided_by, decided_at, usable_from, sole_approval) SELECT 'dst_x', id, 'manual', 'Mallory',"
        " 'US', '2026-11-01 09:00:00+00:00', 'x', 'confirmed', 'a', '2026-11-01 09:00:00+00:00', 'b',"
        " '2026-11-01 09:00:00+00:00', '2026-11-01 09:00:00+00:00', false FROM maintainer WHERE name = 'Charles'"
    ),
    "propose a second one": (
        "INSERT INTO destination (id, maintainer_id, rail, holder, country, created_at, contact, state, proposed_by,"
        " expires_at, sole_approval) SELECT 'dst_x', maintainer_id, 'manual', 'Mallory', 'US', created_at, 'x',"
        " 'proposed', 'a', expires_at, false FROM destination WHERE state = 'proposed'"
    ),
    "point it elsewhere": "UPDATE destination SET account = 'acct_mallory'",
    "call another the holder": "UPDATE destination SET holder = 'Mallory'",
    "write another account over it": "UPDATE destination SET iban_sealed = iban_sealed || 'x'",
    "take an account off it": "UPDATE destination SET iban_sealed = NULL, iban_last4 = NULL",
    "forget whom it was told": "UPDATE destination SET contact = 'mallory@evil.example'",
    "forget who proposed it": "UPDATE destination SET proposed_by = 'ada'",
    "let a proposal live on": "UPDATE destination SET expires_at = '2099-01-01 00:00:00+00:00'",
    "blame somebody else for the decision": "UPDATE destination SET decided_by = 'ada' WHERE state = 'confirmed'",
    "bring an old one back": (
        "UPDATE destination SET state = 'confirmed', replaced_at = NULL WHERE state = 'replaced'"
    ),
    "propose a rejected one again": (
        "UPDATE destination SET state = 'proposed', decided_by = NULL, decided_at = NULL WHERE state = 'rejected'"
    ),
    "delete one": "DELETE FROM destination WHERE state = 'rejected'",
    "change what a notice says": "UPDATE notice SET text = 'All is well.'",
    "send a notice elsewhere": "UPDATE notice SET to_address = 'mallory@evil.example'",
    "delete a notice": "DELETE FROM notice",
    "give a notice without a name": "UPDATE notice SET state = 'by-hand', finished_at = created_at",
}


def a_bit_of_everything() -> None:
    """Grace has a replaced, a cooling-off, a rejected and a proposed destination; Ada a live one."""
    changes.confirm_destination(propose().id, by=LEAD, now=AFTER)
    decisions.reject(propose(iban=OTHER_IBAN).id, reason="no", by=LEAD, now=AFTER)
    propose(iban=OTHER_IBAN)


def outcome_of(attack: str) -> str:
    """What the database makes of a statement that touches at least one row."""
    try:
        with db.engine.begin() as connection:
            return f"{connection.execute(text(attack)).rowcount} rows changed"
    except DBAPIError:
        return "refused"


def test_raw_sql_cannot_do_what_the_product_would_not(opens: Opens) -> None:
    with opens("ready"):
        a_bit_of_everything()
        # Somebody without any destination, whom only the guard against beginnings protects.
        charles = {"name": "Charles", "email": "charles@lovelace.example", "country": "GB", "grade": "junior"}
        maintainers.add(**charles, works_as="employee", by=LEAD, now=BEFORE)
        for name, attack in ATTACKS.items():
            assert (name, outcome_of(attack)) == (name, "refused")
        lovelace.assert_books_hold()


def test_the_database_lets_nothing_be_sent_to_what_is_not_usable(closed_october: Flask) -> None:
    """Should a run ever hold a payout to a destination that cools off, the attempt itself is refused."""
    number = paying.approved()
    payout = paying.payout_to(number, "Grace")
    attempt = text(
        "INSERT INTO payout_attempt (id, payout_id, number, key, request_digest, state, started_at, leased_until)"
        " VALUES ('att_x', :payout, 1, 'k', 'd', 'sending', :at, :at)"
    )
    early = "2026-09-01 09:00:00" if db.engine.dialect.name == "sqlite" else "2026-09-01 09:00:00+00:00"
    with pytest.raises(DBAPIError, match="once it may be used"), db.engine.begin() as connection:
        connection.execute(attempt, {"payout": payout.id, "at": early})
