"""What is meant by the subject of a history, what stands in it, and how the log is narrowed otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from flask import Flask

from firm.access import denials
from firm.actor import Actor, Role
from firm.audit import sequencer
from firm.billing import invoices
from firm.clients import operations as clients
from firm.clock import rfc3339
from firm.db import transaction
from firm.engagements import operations as engagements
from firm.engagements.interests import NamedInterest
from firm.exchange import operations as exchange
from firm.ledger import accounts, journal
from firm.ledger.entry import Entry, credit, debit
from payouts.adjustments import fees
from tests import lovelace
from tests.api.callers import Caller, as_role, money
from tests.api.test_command_line import Shell
from tests.lovelace import AFTER, BEFORE, LEAD, OCTOBER, usd


@pytest.fixture
def lead(closed: Flask) -> Caller:
    return as_role(closed, Role.LEAD)


def found(caller: Caller, status: int = 200, **filters: str) -> Any:
    """The records, or the problem, that the filters lead to; everything that is committed is in the chain."""
    with caller.app.app_context():
        sequencer.run(now=AFTER)
    answer = caller.get(f"/v1/audit-records?{urlencode({'limit': 200} | filters)}", status)
    return answer["items"] if status == 200 else answer


def verbs(caller: Caller, subject: str) -> list[str]:
    return [record["verb"] for record in found(caller, subject=subject)]


def test_an_invoice_was_issued_with_the_month_recognized_by_its_close_and_paid(lead: Caller) -> None:
    invoice = next(one for one in lead.get("/v1/invoices")["items"] if one["total"] == money("5000.00"))
    paid = {"invoice": invoice["number"], "received_on": "2026-11-01", "reference": "bank-1"}
    lead.post("/v1/receipts", paid | {"amount": money("5000.00")})
    assert verbs(lead, invoice["number"]) == ["invoices.issued", "revenue.recognized", "receipt.recorded"]


def test_invoices_of_one_month_that_were_issued_apart_have_each_their_own_beginning(served: Flask) -> None:
    lead = as_role(served, Role.LEAD)
    with served.app_context():
        lovelace.establish()
        lovelace.add_clients()
        invoices.issue_month(OCTOBER, by=LEAD, now=BEFORE)
        clients.register(name="Initech", country="US", by=LEAD, now=BEFORE)
        drafted = engagements.draft(
            client="Initech",
            tier="gold",
            fee=usd("1.00"),
            cycle="monthly",
            starts_on=lovelace.START,
            subcontracting_allowed=True,
            interests=[NamedInterest("ssh", False, 24)],
            by=LEAD,
            now=BEFORE,
        )
        engagements.sign(drafted.id, by=LEAD, now=BEFORE)
        invoices.issue_month(OCTOBER, by=LEAD, now=BEFORE + timedelta(days=1))
    with time_machine.travel(BEFORE + timedelta(days=2)):
        [first] = found(lead, subject="INV-2026-0001")
        [second] = found(lead, subject="INV-2026-0003")
    assert (first["facts"], second["facts"]) == ({"held_back": 0, "issued": 2}, {"held_back": 0, "issued": 1})


def test_a_correction_stands_in_the_history_of_what_it_corrects_and_begins_its_own(lead: Caller) -> None:
    [first, *_] = lead.get("/v1/statements")["items"]
    change = {"reason": "Say it better", "explanations": [{"line": 1, "explanation": "As agreed"}]}
    corrected = lead.post(f"/v1/statements/{first['number']}/correction", change)
    assert verbs(lead, first["number"]) == ["statements.issued", "statement.corrected"]
    assert verbs(lead, corrected["number"]) == ["statement.corrected"]


def test_an_entry_was_posted_with_others_and_taken_back_alone(lead: Caller) -> None:
    lines = (debit(accounts.EXCHANGE, usd("9.00")), credit(accounts.BANK, usd("9.00")))
    with lead.app.app_context(), transaction() as session:
        both = [Entry(name, AFTER.date(), "Lunch", lines) for name in ("lunch-1", "lunch-2")]
        numbers = journal.post_many(session, both, by=LEAD, now=AFTER)
        other = journal.post(session, Entry("lunch-3", AFTER.date(), "Lunch", lines), by=LEAD, now=AFTER)
    entries = {one["source"]: one["id"] for one in lead.get("/v1/journal-entries?limit=200")["items"]}
    lead.post(f"/v1/journal-entries/{entries['lunch-2']}/reversal", {"on": "2026-11-01", "reason": "Eaten twice"})
    span = f"{numbers[0]}-{numbers[1]}"
    assert [record["subject"] for record in found(lead, subject=entries["lunch-2"])] == [span, str(other + 1)]
    assert [record["subject"] for record in found(lead, subject=entries["lunch-1"])] == [span]
    assert [record["subject"] for record in found(lead, subject=entries["lunch-3"])] == [str(other)]


def test_a_payout_shows_what_became_of_its_run_and_of_itself(lead: Caller) -> None:
    office = as_role(lead.app, Role.ADMINISTRATOR)
    run = office.post("/v1/payout-runs")
    payouts = {one["payee_name"]: one for one in office.get(f"/v1/payout-runs/{run['number']}")["payouts"]}
    grace, ada = payouts["Grace"], payouts["Ada"]
    office.post(f"/v1/payouts/{ada['id']}/hold", {"reason": "Is abroad"})
    office.post(f"/v1/payout-runs/{run['number']}/proposal")
    lead.post(f"/v1/payout-runs/{run['number']}/approval")
    office.post(f"/v1/payout-runs/{run['number']}/release")
    office.post(f"/v1/payouts/{grace['id']}/remittance-advice")
    with lead.app.app_context(), transaction() as session:
        to = {"payout_id": grace["id"], "maintainer_id": grace["maintainer_id"], "reference": run["number"]}
        fees.charge(session, **to, fee=usd("1.50"), on=AFTER.date(), by=LEAD, now=AFTER)
    of_run = ["run.drafted", "run.proposed", "run.approved", "run.released"]
    of_grace = verbs(lead, grace["id"])
    assert [verb for verb in of_grace if verb.startswith("run.")] == of_run
    assert of_grace[-2:] == ["remittance-advice.issued", "adjustment.made"]
    assert "payout.sent" in of_grace
    assert "payout.held" not in of_grace
    assert "payout.held" in verbs(lead, ada["id"])
    assert "adjustment.made" not in verbs(lead, ada["id"])
    assert {"payout.held", "payout.sent"} < set(verbs(lead, "RUN-2026-0001"))


def test_a_month_has_its_rates_and_each_rate_its_own_history(lead: Caller) -> None:
    with lead.app.app_context():
        for month, rate in ((OCTOBER.next, "1.0850"), (OCTOBER.next, "1.0900"), (OCTOBER.next.next, "1.1000")):
            exchange.set_rate("EUR", month, rate, source="ECB", by=LEAD, now=AFTER)
    assert verbs(lead, "2026-11") == verbs(lead, "EUR:2026-11") == ["rate.set", "rate.set"]
    assert verbs(lead, "months/2026-11/exchange-rates") == ["rate.set", "rate.set"]
    assert verbs(lead, "/v1/months/2026-12/exchange-rates/EUR") == ["rate.set"]
    assert found(lead, 404, subject="months/2026-12/exchange-rates/GBP")
    assert verbs(lead, "2026-10")[-2:] == ["month.closed", "statements.issued"]
    assert verbs(lead, "2030-01") == []


def test_a_package_has_its_assignments_and_a_client_its_contacts(lead: Caller) -> None:
    contact = {"name": "Mallory", "email": "mallory@acme.example", "role": "accounts-payable"}
    lead.post("/v1/clients/Acme/contacts", contact)
    assert verbs(lead, "ssh") == ["package.adopted", "assignment.made"]
    assert verbs(lead, "Acme") == ["client.registered", "client.contact-added"]


def test_a_thing_is_meant_by_its_id_its_name_or_number_and_its_address(lead: Caller) -> None:
    invoice = lead.get("/v1/invoices")["items"][0]
    package = lead.get("/v1/packages/ssh")
    for resource, names in (("invoices", (invoice["id"], invoice["number"])), ("packages", (package["id"], "ssh"))):
        expected = found(lead, subject=names[0])
        assert expected
        for name in (*names, *(f"{begin}{resource}/{name}" for begin in ("", "/v1/") for name in names)):
            assert found(lead, subject=name) == expected, name
    assert found(lead, subject="firm") == found(lead, subject="/v1/firm")
    assert verbs(lead, "firm")[0] == "firm.established"


def test_a_package_of_a_long_name_is_meant_by_its_address(lead: Caller) -> None:
    name = "golang.org/x/crypto/ssh"
    lead.post("/v1/packages", {"name": name, "ecosystem": "Go"})
    assert verbs(lead, name) == verbs(lead, f"packages/{name}") == ["package.adopted"]


def test_a_name_that_several_things_have_is_refused_with_the_addresses_to_choose_from(lead: Caller) -> None:
    lead.post("/v1/principals", {"name": "Ada", "role": "auditor"})
    refused = found(lead, 409, subject="Ada")
    assert refused["type"].endswith("/subject-ambiguous")
    assert refused["detail"] == (
        "Several things are called 'Ada'; write which is meant: principals/Ada and maintainers/Ada."
    )
    assert verbs(lead, "principals/Ada") == ["principal.enrolled"]
    assert verbs(lead, "maintainers/Ada") == ["maintainer.added"]


@pytest.mark.parametrize(
    "subject", ["Nobody", "inv_01KB0000000000000000000000", "packages/none", "2026-13", "packages/", "/"]
)
def test_what_is_not_there_is_a_404_that_says_what_to_write(lead: Caller, subject: str) -> None:
    refused = found(lead, 404, subject=subject)
    assert refused["type"].endswith("/subject-not-found")
    assert refused["detail"].startswith(f"Nothing is called {subject!r}; write an id, a name")


def test_what_is_gone_or_never_was_a_thing_is_found_by_the_words_of_the_log(lead: Caller) -> None:
    with lead.app.app_context():
        denials.note(Actor("mallory", Role.AUDITOR), "packages.adopted", "The role may not.", now=AFTER)
    assert verbs(lead, "packages.adopted") == ["attempt.denied"]
    token = lead.get("/v1/tokens")["items"][0]["id"]
    assert verbs(lead, token)[0] == "token.issued"


def test_an_operator_finds_what_one_request_changed(lead: Caller) -> None:
    lead.send("POST", "/v1/tiers", json={"name": "silver"}, headers={"X-Request-Id": "line-17-of-the-log"})
    lead.post("/v1/tiers", {"name": "bronze"})
    [record] = found(lead, request_id="line-17-of-the-log")
    assert (record["verb"], record["actor"]) == ("tier.added", "lead")
    token = lead.get("/v1/me")["token_id"]
    assert [one["verb"] for one in found(lead, token_id=token, verb="tier.added")] == ["tier.added"] * 2
    assert found(lead, token_id=token, subject="bronze") != found(lead, token_id=token, subject="silver")
    assert found(lead, request_id="line-18-of-the-log") == []


def test_the_log_is_narrowed_to_a_span_of_time_that_ends_before_its_end(lead: Caller) -> None:
    registered = found(lead, verb="client.registered")
    assert registered
    assert found(lead, verb="client.registered", since=rfc3339(BEFORE), until=rfc3339(AFTER)) == registered
    assert found(lead, verb="client.registered", until=rfc3339(BEFORE)) == []
    assert found(lead, verb="month.closed", since=rfc3339(BEFORE), until=rfc3339(AFTER)) == []
    assert len(found(lead, subject="2026-10", verb="month.closed", since=rfc3339(AFTER))) == 1
    assert found(lead, 422, since="yesterday")["errors"][0]["parameter"] == "since"


def test_what_was_done_for_somebody_is_found_by_them(lead: Caller) -> None:
    with lead.app.app_context():
        bot = Actor("bot", Role.SYSTEM, on_behalf_of="ada")
        clients.register(name="Initech", country="US", by=bot, now=AFTER)
    assert [record["verb"] for record in found(lead, on_behalf_of="ada")] == ["client.registered"]


def test_a_history_is_read_at_the_shell_by_the_same_names(lead: Caller) -> None:
    url = lead.app.config["SQLALCHEMY_DATABASE_URI"].render_as_string(hide_password=False)
    shell = Shell(url)
    told = shell.run("audit", "history", "INV-2026-0001").splitlines()
    assert [line.split()[4:6] for line in told] == [["invoices.issued", "2026-10"], ["revenue.recognized", "2026-10"]]
    assert shell.json("audit", "history", "packages/ssh") == found(lead, subject="ssh")
    assert shell.json("audit", "list", "--subject", "ssh", "--until", "2026-10-01T00:00:00Z") == []
    assert "Nothing is called 'Nobody'" in shell.call("audit", "history", "Nobody").output
    assert shell.call("audit", "history", "Nobody").exit_code == 1
    assert "with its zone" in shell.call("audit", "list", "--since", "2026-10-01T00:00:00").output
