"""Payees' accounts at Stripe: opened once however often it is interrupted, and paid only when Stripe says so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.jobs import refresh_accounts
from api.parts import parts
from firm import faults as points
from firm.actor import Actor, Role
from firm.audit.model import audit_record
from firm.db import db, reading, transaction
from firm.errors import Busy, Misconfigured, Refused
from firm.jobs.kinds import Task
from payouts.provider_accounts import operations, queries, rules
from payouts.provider_accounts.model import ProviderAccount
from payouts.rails import provider
from payouts.rails.provider import Requirement
from payouts.rails.stripe.accounts import StripeAccounts
from payouts.rails.stripe.client import Client
from staffing.maintainers import operations as staff
from staffing.maintainers import queries as maintainers
from tests import lovelace
from tests.lovelace import ADMINISTRATOR, AFTER, BEFORE, LEAD
from tests.stripe import accounts, faults
from tests.stripe.server import Server

CREATE = "POST /v2/core/accounts"
PAGE = "https://pay.lovelace.example/onboarding"
BOT = Actor("stripe", Role.SYSTEM)


class Killed(BaseException):
    """What a power cut is to the product."""


@pytest.fixture
def firm(app: Flask) -> Flask:
    """Lovelace Maintainers with Grace and Ada."""
    founded()
    return app


@pytest.fixture
def stripe(stripe_server: Server) -> Iterator[StripeAccounts]:
    client = Client([stripe_server.api_key], base=stripe_server.url, calls_a_second=10_000)
    yield StripeAccounts(client)
    client.close()


def founded() -> None:
    lovelace.establish()
    for name in ("Grace", "Ada"):
        email, country = f"{name.lower()}@lovelace.example", "US"
        staff.add(
            name=name, email=email, country=country, grade="junior", works_as="subcontractor", by=LEAD, now=BEFORE
        )


def opened(stripe: StripeAccounts, *, who: str = "Ada", now: object = AFTER) -> ProviderAccount:
    return operations.open_account(who, provider=stripe, by=ADMINISTRATOR, now=AFTER if now is AFTER else now)  # type: ignore[arg-type]


def refreshed(stripe: StripeAccounts, *, seconds: int = 1) -> ProviderAccount:
    return operations.refresh("Ada", provider=stripe, by=BOT, now=AFTER + timedelta(seconds=seconds))


def obstacle(who: str = "Ada") -> str:
    with reading() as session:
        return queries.obstacle(session, maintainers.find(session, who).id)


def account_ids(server: Server) -> list[str]:
    return list(server.state.objects["account"])


def verbs() -> list[str]:
    with reading() as session:
        query = db.select(audit_record.c.verb).where(audit_record.c.verb.like("provider-account.%"))
        return list(session.scalars(query.order_by(audit_record.c.id)))


def test_an_account_is_opened_once_and_waits_for_the_payee(
    firm: Flask, stripe: StripeAccounts, stripe_server: Server
) -> None:
    assert obstacle().startswith("has no account at the payment provider")
    first, again = opened(stripe), opened(stripe)
    assert first.account_id == again.account_id
    assert account_ids(stripe_server) == [first.account_id]
    assert (first.status, first.payouts_status) == ("pending", "pending")
    assert obstacle().startswith("has not finished onboarding")
    assert verbs() == ["provider-account.begun", "provider-account.opened"]
    made = stripe_server.state.objects["account"][str(first.account_id)]
    assert made["identity"] == {"country": "us"}
    assert made["defaults"]["responsibilities"]["losses_collector"] == "application"
    assert made["metadata"] == {"account": first.id, "maintainer": first.maintainer_id, "env": "test"}


def test_a_payee_can_be_paid_when_money_may_come_in_and_go_on_to_the_bank(
    firm: Flask, stripe: StripeAccounts, stripe_server: Server
) -> None:
    account_id = str(opened(stripe).account_id)
    accounts.set_capability(stripe_server.state, account_id, payouts="restricted")
    assert refreshed(stripe).status == "active"
    assert obstacle().startswith("cannot be paid yet")
    accounts.set_capability(stripe_server.state, account_id)
    refreshed(stripe, seconds=2)
    assert obstacle() == ""
    with reading() as session:
        person = maintainers.find(session, "Ada").id
        assert queries.account_id_of(session, person) == account_id
        assert queries.obstacles(session) == {person: ""}
    lovelace.assert_books_hold()


def test_what_stripe_asks_for_is_in_the_obstacle(firm: Flask, stripe: StripeAccounts, stripe_server: Server) -> None:
    account_id = str(opened(stripe).account_id)
    accounts.set_capability(stripe_server.state, account_id, transfers="restricted", payouts="restricted")
    refreshed(stripe)
    assert "send a new onboarding link" in obstacle()


@pytest.mark.parametrize("status", ["rejected", "unsupported"])
def test_who_stripe_will_not_pay_is_paid_over_another_rail(
    firm: Flask, stripe: StripeAccounts, stripe_server: Server, status: str
) -> None:
    accounts.set_capability(stripe_server.state, str(opened(stripe).account_id), transfers=status, payouts=status)
    assert refreshed(stripe).status == status
    assert "another rail" in obstacle()


@pytest.mark.parametrize("point", [operations.BEGUN, operations.ANSWERED])
def test_an_opening_that_was_killed_goes_on_with_the_same_account(
    firm: Flask, stripe: StripeAccounts, stripe_server: Server, point: str
) -> None:
    def kill(name: str) -> None:
        if name == point:
            raise Killed

    points.listen(kill)
    try:
        with pytest.raises(Killed):
            opened(stripe)
    finally:
        points.listen(None)
    assert "still being opened" in obstacle()
    found = opened(stripe)
    assert account_ids(stripe_server) == [found.account_id]


def test_eight_who_open_at_once_open_one_account(firm: Flask, stripe: StripeAccounts, stripe_server: Server) -> None:
    barrier = threading.Barrier(8)

    def attempt(_: int) -> str | None:
        with firm.app_context():
            barrier.wait()
            try:
                return opened(stripe).account_id
            except Busy:
                return None
            finally:
                db.session.remove()

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(attempt, range(8)))
    assert account_ids(stripe_server) == list(answers - {None})
    assert len(account_ids(stripe_server)) == 1


@pytest.mark.parametrize("fault", [faults.ERROR_AFTER, faults.HTML_PAGE_AFTER, faults.rate_limited()])
def test_an_opening_without_an_answer_is_asked_for_again(
    firm: Flask, stripe: StripeAccounts, stripe_server: Server, fault: faults.Fault
) -> None:
    stripe_server.faults.plan(CREATE, fault)
    with pytest.raises(Busy):
        opened(stripe)
    found = opened(stripe)
    assert account_ids(stripe_server) == [found.account_id]


def test_what_is_asked_for_stays_the_same_when_the_maintainer_changes(
    firm: Flask, stripe: StripeAccounts, stripe_server: Server
) -> None:
    stripe_server.faults.plan(CREATE, faults.DROP_BEFORE)
    with pytest.raises(Busy):
        opened(stripe)
    with transaction() as session:
        session.execute(text("UPDATE maintainer SET email = 'new@lovelace.example' WHERE name = 'Ada'"))
    account = stripe_server.state.objects["account"][str(opened(stripe).account_id)]
    assert account["contact_email"] == "ada@lovelace.example"


def test_a_refused_opening_is_over_and_another_may_begin(
    firm: Flask, stripe: StripeAccounts, stripe_server: Server
) -> None:
    stripe_server.faults.plan(CREATE, faults.refused("unsupported_country", "Not there."))
    with pytest.raises(Refused):
        opened(stripe)
    assert obstacle().startswith("has no account")
    assert opened(stripe).status == "pending"
    assert verbs()[:3] == ["provider-account.begun", "provider-account.refused", "provider-account.begun"]
    lovelace.assert_books_hold()


def test_a_link_leads_the_payee_to_stripe_and_stays_nowhere(
    firm: Flask, stripe: StripeAccounts, stripe_server: Server
) -> None:
    opened(stripe)
    link = operations.onboarding_link("Ada", page=PAGE, provider=stripe, by=ADMINISTRATOR, now=AFTER)
    asked = stripe_server.log[-1].request.parameters["use_case"]
    assert asked == {
        "type": "account_onboarding",
        "account_onboarding": {"return_url": f"{PAGE}?link=returned", "refresh_url": f"{PAGE}?link=expired"},
    }
    assert link.url not in repr(link)
    with reading() as session:
        stored = "".join(
            repr(tuple(row)) for name in db.metadata.tables for row in session.execute(text(f'SELECT * FROM "{name}"'))
        )
    assert link.url.rpartition("#")[2] not in stored
    assert verbs()[-1] == "provider-account.link-asked"


def test_who_is_onboarded_is_led_to_changing_details(
    firm: Flask, stripe: StripeAccounts, stripe_server: Server
) -> None:
    accounts.set_capability(stripe_server.state, str(opened(stripe).account_id))
    operations.onboarding_link("Ada", page=PAGE, provider=stripe, by=ADMINISTRATOR, now=AFTER)
    assert stripe_server.log[-1].request.parameters["use_case"]["type"] == "account_update"


def test_without_an_account_or_a_page_there_is_no_link(firm: Flask, stripe: StripeAccounts) -> None:
    with pytest.raises(queries.ProviderAccountNotFound):
        operations.onboarding_link("Ada", page=PAGE, provider=stripe, by=ADMINISTRATOR, now=AFTER)
    opened(stripe)
    with pytest.raises(operations.NoOnboardingPage):
        operations.onboarding_link("Ada", page="", provider=stripe, by=ADMINISTRATOR, now=AFTER)


def test_an_older_answer_does_not_replace_a_newer_one(
    firm: Flask, stripe: StripeAccounts, stripe_server: Server
) -> None:
    account_id = str(opened(stripe).account_id)
    accounts.set_capability(stripe_server.state, account_id)
    refreshed(stripe, seconds=10)
    accounts.set_capability(stripe_server.state, account_id, transfers="pending")
    assert refreshed(stripe, seconds=5).status == "active"
    assert refreshed(stripe, seconds=11).status == "pending"


def test_events_refresh_by_the_accounts_own_id_and_strangers_do_nothing(
    firm: Flask, stripe: StripeAccounts, stripe_server: Server
) -> None:
    account_id = str(opened(stripe).account_id)
    accounts.set_capability(stripe_server.state, account_id)
    found = operations.refresh_account(account_id, provider=stripe, by=BOT, now=AFTER)
    assert found is not None
    assert found.status == "active"
    assert operations.refresh_account("acct_stranger", provider=stripe, by=BOT, now=AFTER) is None
    assert operations.disconnected("acct_stranger", by=BOT, now=AFTER) is None
    assert operations.refresh_all(provider=stripe, by=BOT, now=AFTER) == 1


def test_an_account_that_stripe_tells_nothing_about_does_not_hide_the_others(
    firm: Flask, stripe: StripeAccounts, stripe_server: Server
) -> None:
    opened(stripe, who="Grace")
    accounts.set_capability(stripe_server.state, str(opened(stripe).account_id))
    revoked = faults.refused("account_invalid", "Access may have been revoked.", status=403)
    stripe_server.faults.plan("GET /v2/core/accounts/{id}", revoked)
    assert operations.refresh_all(provider=stripe, by=BOT, now=AFTER) == 1
    assert obstacle() == ""


def test_an_account_that_no_answer_comes_for_does_not_stop_the_others_and_is_asked_about_first_the_next_time(
    firm: Flask, stripe: StripeAccounts, stripe_server: Server
) -> None:
    opened(stripe, who="Grace")
    accounts.set_capability(stripe_server.state, str(opened(stripe).account_id))
    # As often as the library asks: nobody answers for the first account.
    stripe_server.faults.plan("GET /v2/core/accounts/{id}", faults.ERROR_BEFORE, times=3)
    with pytest.raises(operations.SomeUnanswered, match="told about 1 of 2 accounts"):
        operations.refresh_all(provider=stripe, by=BOT, now=AFTER + timedelta(seconds=1))
    assert obstacle() == ""
    with reading() as session:
        grace = maintainers.find(session, "Grace").id
        assert queries.to_check(session)[0] == queries.account_id_of(session, grace)
    assert operations.refresh_all(provider=stripe, by=BOT, now=AFTER + timedelta(seconds=2)) == 2


class Silent:
    """A provider that gives no answer for some accounts, and from some call on for none."""

    def __init__(self, *silent: str, answers: int = 1_000) -> None:
        self.silent, self.answers = silent, answers
        self.asked: list[str] = []

    def account(self, account_id: str) -> provider.ProviderAccount:
        self.asked.append(account_id)
        if account_id in self.silent or len(self.asked) > self.answers:
            raise Busy("Nobody answers.")
        return provider.ProviderAccount(account_id, None, "US", "active", "active", True, ())


class Misset:
    """A provider that the firm has set up wrongly."""

    def account(self, account_id: str) -> provider.ProviderAccount:
        raise Misconfigured("The key opens nothing.")


FIVE = ("Ada", "Barbara", "Grace", "Katherine", "Radia")


def open_five(stripe: StripeAccounts) -> list[str]:
    """The accounts of five payees, in the order in which they are asked about."""
    for name in ("Barbara", "Katherine", "Radia"):
        details = {"country": "US", "grade": "junior", "works_as": "subcontractor"}
        staff.add(name=name, email=f"{name.lower()}@lovelace.example", **details, by=LEAD, now=BEFORE)
    return [str(opened(stripe, who=name).account_id) for name in FIVE]


def ask_all(away: Silent, *, seconds: int = 0) -> None:
    operations.refresh_all(provider=away, by=BOT, now=AFTER + timedelta(seconds=seconds))  # type: ignore[arg-type]


def test_a_provider_that_is_away_is_not_asked_about_every_account(firm: Flask, stripe: StripeAccounts) -> None:
    open_five(stripe)
    away = Silent(answers=0)
    with pytest.raises(operations.SomeUnanswered, match="told about 0 of 5 accounts"):
        ask_all(away)
    assert len(away.asked) == operations.SILENCE + 1


def test_accounts_that_are_never_answered_for_do_not_starve_the_others(firm: Flask, stripe: StripeAccounts) -> None:
    five = open_five(stripe)
    asked: set[str] = set()
    for seconds in range(1, 6):
        some = Silent(*five[:3])
        with pytest.raises(operations.SomeUnanswered):
            ask_all(some, seconds=seconds)
        asked |= set(some.asked)
    assert asked == set(five)


def test_a_provider_that_goes_away_in_the_middle_is_noticed(firm: Flask, stripe: StripeAccounts) -> None:
    five = open_five(stripe)
    away = Silent(answers=1)
    with pytest.raises(operations.SomeUnanswered, match="told about 1 of 5 accounts"):
        ask_all(away)
    assert away.asked == [*five[: operations.SILENCE + 1], five[0]]


def test_a_provider_that_fails_does_not_keep_the_others_from_being_asked(firm: Flask, stripe: StripeAccounts) -> None:
    opened(stripe)
    away, there = Silent(answers=0), Silent()
    firm.extensions["chambers"] = replace(parts(), providers={"a": Misset(), "b": away, "c": there})
    task = Task("job_1", operations.REFRESH, {}, BOT, AFTER, attempt=1, leased_by="", last_try=False)
    with pytest.raises(operations.SomeUnanswered):
        refresh_accounts(task)
    assert len(there.asked) == 1


def test_a_closed_account_is_over_for_good_and_another_may_be_opened(
    firm: Flask, stripe: StripeAccounts, stripe_server: Server
) -> None:
    first = opened(stripe)
    assert operations.close("Ada", provider=stripe, by=LEAD, now=AFTER).status == "closed"
    assert operations.close("Ada", provider=stripe, by=LEAD, now=AFTER).status == "closed"
    assert obstacle().startswith("has no account")
    assert opened(stripe).account_id != first.account_id
    assert len(account_ids(stripe_server)) == 2
    lovelace.assert_books_hold()


def test_a_payee_who_disconnects_is_not_paid_into_that_account_any_more(firm: Flask, stripe: StripeAccounts) -> None:
    found = operations.disconnected(str(opened(stripe).account_id), by=BOT, now=AFTER)
    assert found is not None
    assert found.status == "closed"
    assert obstacle().startswith("has no account")


def test_words_that_are_new_to_us_hold_the_payee() -> None:
    what = Requirement("individual.\u0007verification.document", "past_due", True)
    found = rules.standing(provider.ProviderAccount("acct_1", None, "US", "teleporting", "active", False, (what,)))
    assert found.status == "restricted"
    assert "teleporting" in found.requirements
    assert found.requirements.startswith("individual.verification.document (overdue)")
    assert rules.obstacle(found.status, found.payouts_status, found.requirements)


ATTACKS = [
    "UPDATE provider_account SET account_id = 'acct_thief'",
    "UPDATE provider_account SET account_id = NULL, status = 'opening', checked_at = NULL",
    "UPDATE provider_account SET maintainer_id = (SELECT id FROM maintainer WHERE name = 'Grace')",
    "UPDATE provider_account SET key = 'other'",
    "UPDATE provider_account SET request = '{}'",
    "UPDATE provider_account SET status = 'splendid'",
    "UPDATE provider_account SET payouts_status = 'splendid'",
    "UPDATE provider_account SET checked_at = '2020-01-01 00:00:00'",
    "DELETE FROM provider_account",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_database_keeps_an_account_what_it_is(firm: Flask, stripe: StripeAccounts, attack: str) -> None:
    opened(stripe)
    with pytest.raises(DBAPIError), db.engine.begin() as connection:
        connection.exec_driver_sql(attack)


def test_the_database_keeps_one_live_account_a_maintainer(firm: Flask, stripe: StripeAccounts) -> None:
    opened(stripe)
    columns = "maintainer_id, provider, request, country, payouts_status, requirements, created_at"
    second = (
        f"INSERT INTO provider_account (id, key, status, {columns})"
        f" SELECT 'pac_2', 'k2', 'opening', {columns} FROM provider_account"
    )
    with pytest.raises(DBAPIError), db.engine.begin() as connection:
        connection.exec_driver_sql(second)


def test_the_database_keeps_what_is_over(firm: Flask, stripe: StripeAccounts) -> None:
    opened(stripe)
    operations.close("Ada", provider=stripe, by=LEAD, now=AFTER)
    with pytest.raises(DBAPIError), db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE provider_account SET status = 'active'")


def test_no_row_is_replaced_on_sqlite(sqlite_app: Flask, stripe: StripeAccounts) -> None:
    founded()
    opened(stripe)
    columns = "id, key, status, maintainer_id, provider, request, country, payouts_status, requirements, created_at"
    thief = columns.replace("country", "'XX'").replace("status, m", "'opening', m")
    attack = f"INSERT OR REPLACE INTO provider_account ({columns}) SELECT {thief} FROM provider_account"
    with pytest.raises(DBAPIError), db.engine.begin() as connection:
        connection.exec_driver_sql(attack)


def test_a_firm_has_accounts_for_its_balance_at_stripe_and_for_fees(firm: Flask) -> None:
    with reading() as session:
        query = text("SELECT kind FROM account WHERE code IN ('assets:stripe', 'expenses:payment-fees') ORDER BY code")
        assert list(session.scalars(query)) == ["asset", "expense"]
