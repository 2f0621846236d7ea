"""Every thing that a route shows has a history, and its first record is the one that made it.

Two firms between them have one of everything: the worked month with its papers, paid; and the firm in euros, whose
bank sends files. Every list of theirs is read, and of everything in it the history.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from flask import Flask

from firm.actor import Role
from firm.audit import sequencer
from payouts.rails.sepa import references
from tests import lovelace
from tests.api.callers import Caller, as_role
from tests.api.conftest import serving
from tests.api.matrix import cells
from tests.payouts import euros
from tests.payouts.bank_messages import detail, entry, statement

POSTINGS = {"entry.posted", "entries.posted"}
TOGETHER = {
    *("bank-lines", "invoices", "journal-entries", "payouts", "statements", "webhook-deliveries", "work-items"),
}
"""What is made with others by one act: the subject of its first record is what they were all made of."""

MADE_BY = {
    "adjustments": {"adjustment.made"},
    "allocation-plans": {"plan.set"},
    "assignments": {"assignment.made"},
    "bank-files": {"bank-file.received"},
    "bank-lines": {"bank-file.received"},
    "clients": {"client.registered"},
    "destinations": {"destination.proposed"},
    "engagements": {"engagement.drafted"},
    "funded-work-reports": {"report.issued"},
    "invoices": {"invoices.issued"},
    "journal-entries": POSTINGS,
    "maintainers": {"maintainer.added"},
    "notices": {"notice.promised"},
    "operations": {"operation.asked"},
    "packages": {"package.adopted"},
    "pay-terms": {"terms.set", "terms.corrected"},
    "payout-policies": {"payout-policy.set"},
    "payout-runs": {"run.drafted"},
    "payouts": {"run.drafted"},
    "pre-commitment-letters": {"onramp.letter-recorded"},
    "principals": {"principal.enrolled"},
    "receipts": {"receipt.recorded"},
    "reconciliation-differences": {"difference.opened"},
    "remittance-advices": {"remittance-advice.issued"},
    "self-billed-invoices": {"self-billed-invoice.issued", "self-billed-invoice.credited"},
    "self-billing-agreements": {"self-billing.agreed"},
    "statements": {"statements.issued", "statement.corrected"},
    "tax-forms": {"tax-form.recorded"},
    "tiers": {"tier.added"},
    "tokens": {"token.issued"},
    "webhook-deliveries": {"package.adopted"},
    "webhook-endpoints": {"webhook-endpoint.added"},
    "work-items": {"work.imported"},
}
"""For each kind of thing the act that makes it."""

PARTS = {
    "/v1/firm": "firm.established",
    "/v1/months/2026-10": "rate.set",
    "/v1/months/2026-10/exchange-rates": "rate.set",
    "/v1/months/2026-10/exchange-rates/EUR": "rate.set",
    "/v1/maintainers/Grace/on-ramp": "onramp.stage-entered",
    "/v1/maintainers/Grace/provider-account": "provider-account.begun",
    "/v1/payouts/PAYOUT/proof": "payment-proof.added",
}
"""Things that have an address and stand in no list."""

NO_THINGS = {
    "audit_records.listed": "the log itself",
    "audit_records.record_shown": "the log itself",
    "advances.listed": "sums of adjustments",
    "destinations.rails": "what could be",
    "engagements.interests_listed": "part of the engagement",
    "imports.template": "an empty form",
    "ledger_exports.shown": "the journal as a file",
    "months.earned": "a part of the month's close",
    "months.listed": "months have addresses, and no ids",
    "months.previewed": "what could be",
    "payment_proofs.document": "the proof's bytes",
    "payout_runs.file": "the run's file, opened and on record",
}
"""Reading routes that show no thing with a life of its own, and why. A paper's forms are the paper."""


@pytest.fixture
def worked(sqlite_url: str) -> Iterator[Caller]:
    """The lead of the worked month with its papers, its run paid."""
    with time_machine.travel(lovelace.AFTER.replace(day=20), tick=False):
        for app in serving(sqlite_url):
            cells.set_up(app)
            yield as_role(app, Role.LEAD)


@pytest.fixture
def banked(fresh_url: str) -> Iterator[Caller]:
    """The lead of the firm in euros after its bank booked Ada's payment and a fee."""
    with time_machine.travel(lovelace.AFTER + timedelta(days=4), tick=False):
        for app in serving(fresh_url):
            with app.app_context():
                euros.set_up_firm()
                euros.set_bank_account()
                number = euros.approved_run()
                euros.send(number)
            lead = as_role(app, Role.LEAD)
            payouts = lead.get(f"/v1/payout-runs/{number}")["payouts"]
            ada = next(one["id"] for one in payouts if one["payee_name"] == "Ada")
            booked = entry("DBIT", "1000.00", detail(references.end_to_end_id(ada)))
            message = statement(booked, entry("DBIT", "7.50", words="Fee"), closing="3992.50")
            assert lead.post_raw("/v1/bank-files", message, "application/xml").status_code == 201
            yield lead


def reading_routes(app: Flask) -> dict[str, str]:
    """The rule of each route of the API that reads, by its endpoint."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    return {str(rule.endpoint): rule.rule for rule in rules if rule.rule.startswith("/v1/")}


def listed(lead: Caller) -> dict[str, list[str]]:
    """The ids in every list, by resource."""
    found = {}
    for endpoint, rule in reading_routes(lead.app).items():
        shown = lead.get(f"{rule}?limit=200") if "<" not in rule and endpoint.endswith("listed") else {}
        if endpoint not in NO_THINGS and "items" in shown:
            found[rule.removeprefix("/v1/")] = [one["id"] for one in shown["items"]]
    runs = [lead.get(f"/v1/payout-runs/{key}") for key in found["payout-runs"]]
    return found | {"payouts": [payout["id"] for run in runs for payout in run["payouts"]]}


def history(lead: Caller, subject: str) -> list[dict[str, str]]:
    with lead.app.app_context():
        sequencer.run(now=lovelace.AFTER)
    records: list[dict[str, str]] = lead.get(f"/v1/audit-records?limit=200&subject={quote(subject, safe='')}")["items"]
    return records


def begins_rightly(lead: Caller, resource: str, key: str) -> None:
    """The thing has a history, which an act of the right kind begins: one on the thing itself, or on what it is of."""
    records = history(lead, key)
    assert records, (resource, key)
    first = records[0]
    assert first["verb"] in MADE_BY[resource], (resource, key, first)
    assert first["subject"] == key or resource in TOGETHER, (resource, key, first)
    assert history(lead, f"/v1/{resource}/{key}") == records


def test_each_kind_of_thing_has_its_line(worked: Caller) -> None:
    """Whoever adds a route that shows a thing says here by what act the thing is made."""
    parts = {re.sub(r"\b(Grace|2026-1[01]|EUR|PAYOUT)\b", "*", path) for path in PARTS}
    for endpoint, rule in reading_routes(worked.app).items():
        pieces = ["*" if piece.startswith("<") else piece for piece in rule.split("/")]
        known = pieces[2] in MADE_BY and (len(pieces) == 3 or pieces[3:] == ["*"] or endpoint.endswith(".paper"))
        things = "<" in rule or endpoint.endswith(".listed") or rule == "/v1/firm"
        assert known or "/".join(pieces) in parts or endpoint in NO_THINGS or not things, (endpoint, rule)


def test_every_thing_of_the_worked_month_has_a_history_that_begins_with_its_making(worked: Caller) -> None:
    things = listed(worked)
    assert {resource for resource in MADE_BY if not things.get(resource)} == UNLISTED
    for resource, keys in things.items():
        for key in keys:
            begins_rightly(worked, resource, key)


UNLISTED = {"pre-commitment-letters"}


def test_what_stands_in_no_list_has_a_history_too(worked: Caller) -> None:
    [payout, *_] = listed(worked)["payouts"]
    for path, verb in PARTS.items():
        address = path.replace("PAYOUT", payout)
        assert history(worked, address)[0]["verb"] == verb, address
    for letter in worked.get("/v1/maintainers/Grace/on-ramp")["letters"]:
        begins_rightly(worked, "pre-commitment-letters", letter["id"])


def test_every_thing_of_a_firm_with_a_bank_has_a_history_that_begins_with_its_making(banked: Caller) -> None:
    things = listed(banked)
    assert things["bank-files"]
    assert things["bank-lines"]
    for resource, keys in things.items():
        for key in keys:
            begins_rightly(banked, resource, key)
