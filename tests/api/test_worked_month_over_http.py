"""The worked month of Lovelace Maintainers, entirely through HTTP, to the cent."""

from __future__ import annotations

import pytest
import time_machine
from flask import Flask

from firm.actor import Role
from firm.db import transaction
from firm.ledger import accounts, journal
from firm.ledger.entry import Entry, credit, debit
from tests import lovelace
from tests.api.callers import Caller, as_role, bearing, money
from tests.firm.documents.reading import words

PACKAGES = ("ssh", "age", "staticcheck")


@pytest.fixture
def office(served: Flask, lead: Caller, clock: time_machine.Traveller) -> Caller:
    """An administrator of the firm that is set up, on 1 November 2026."""
    with served.app_context():
        lovelace.establish()
    secret = lead.post("/v1/tokens", {"name": "Charles", "role": "administrator"})["secret"]
    office = bearing(served, secret)
    sell(lead, office)
    staff(lead, office)
    clock.move_to(lovelace.AFTER)
    return office


def sell(lead: Caller, office: Caller) -> None:
    for name in PACKAGES:
        office.post("/v1/packages", {"name": name, "ecosystem": "Go"})
    for name, tier, fee, cycle in (
        ("Acme", "gold", "10000.00", "yearly"),
        ("Globex", "platinum", "5000.00", "monthly"),
    ):
        office.post("/v1/clients", {"name": name, "country": "US", "address": ["1 Main Street"]})
        office.post("/v1/tiers", {"name": tier, "entitlements": ["Two meetings a year"]})
        engagement = {
            "client": name,
            "tier": tier,
            "fee": money(fee),
            "cycle": cycle,
            "starts_on": "2026-10-01",
            "subcontracting_allowed": True,
            "interests": [{"package": one, "may_stop": False, "months_to_replace": 24} for one in PACKAGES],
        }
        drafted = office.post("/v1/engagements", engagement)
        assert drafted["state"] == "draft"
        assert lead.post(f"/v1/engagements/{drafted['id']}/signature")["state"] == "signed"
    weights = {"ssh": 3, "age": 2, "staticcheck": 1}
    plan = {"from_month": "2026-10", "overhead_bp": 2000, "reserves": {"on-ramp": 500}, "weights": weights}
    assert lead.post("/v1/allocation-plans", plan)["version"] == 1


def staff(lead: Caller, office: Caller) -> None:
    for name in ("Grace", "Ada"):
        person = {"name": name, "email": f"{name.lower()}@lovelace.example", "country": "US"}
        office.post("/v1/maintainers", person | {"grade": "junior", "works_as": "subcontractor"})
        proposed = office.post(f"/v1/maintainers/{name}/destination", {"rail": "manual"})
        assert lead.post(f"/v1/destinations/{proposed['id']}/confirmation")["state"] == "live"
    for name, package, role, share_bp in (
        ("Grace", "ssh", "lead", 10_000),
        ("Ada", "staticcheck", "co-maintainer", 5_000),
        ("Ada", "age", "co-maintainer", 5_000),
    ):
        assignment = {"maintainer": name, "package": package, "role": role}
        lead.post("/v1/assignments", assignment | {"share_bp": share_bp, "from_on": "2026-10-01"})
    grace = {"guarantee": money("4000.00"), "growth_bp": 1000, "baseline": money("12000.00")}
    ada = {"fund_shares": {"staticcheck": 4000}, "fixed_fees": {"age": money("1200.00")}}
    for name, terms in (("Grace", grace), ("Ada", ada)):
        lead.post("/v1/pay-terms", {"maintainer": name, "from_month": "2026-10"} | terms)


def balances(caller: Caller) -> dict[str, str]:
    accounts = caller.get("/v1/trial-balance")["accounts"]
    found = {row["account"]: row["balance"] for row in accounts}
    assert {balance["currency"] for balance in found.values()} <= {"USD"}
    return {account: balance["amount"] for account, balance in found.items() if float(balance["amount"])}


def test_the_month_comes_out_to_the_cent_over_http(served: Flask, office: Caller) -> None:
    assert office.get("/v1/months/2026-10/preview")["earned"] == money("6250.00")
    first = office.send("POST", "/v1/months/2026-10/close")
    again = office.send("POST", "/v1/months/2026-10/close")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_json() == first.get_json()
    assert again.get_data() == first.get_data()
    closing = first.get_json()
    assert closing["closed"] is True
    assert {fund["name"]: fund["amount"]["amount"] for fund in closing["allocated"]} == {
        "overhead": "3000.00",
        "on-ramp": "750.00",
        "ssh": "5625.00",
        "age": "3750.00",
        "staticcheck": "1875.00",
    }
    assert {name: closing[name]["amount"] for name in ("recognized", "earned", "residual", "payable")} == {
        "recognized": "15000.00",
        "earned": "6250.00",
        "residual": "8750.00",
        "payable": "6250.00",
    }
    assert office.get("/v1/months/2026-10") == closing
    with served.app_context():
        lovelace.assert_books_hold()


def test_everybody_is_paid_over_http_and_the_books_balance(served: Flask, lead: Caller, office: Caller) -> None:
    office.post("/v1/months/2026-10/close")
    run = office.post("/v1/payout-runs")
    path = f"/v1/payout-runs/{run['number']}"
    office.post(f"{path}/proposal")
    assert as_role(served, Role.AUDITOR).post(f"{path}/approval", status=403)["title"] == "Forbidden"
    assert lead.post(f"{path}/approval")["approved_by"] == "lead"
    assert "payouts" in office.post(f"{path}/release")
    for payout in office.get(path)["payouts"]:
        settled = office.post(f"/v1/payouts/{payout['id']}/settlement", {"reference": "wire", "on": "2026-11-01"})
        assert settled["state"] == "settled"
    paid = office.get(path)
    assert paid["state"] == "settled"
    assert {payout["payee_name"]: payout["amount"] for payout in paid["payouts"]} == {
        "Grace": money("4300.00"),
        "Ada": money("1950.00"),
    }
    assert office.post("/v1/payout-runs", status=409)["type"].endswith("/nothing-payable")
    assert balances(office) == {
        "assets:bank": "-6250.00",
        "assets:receivables": "125000.00",
        "equity:allocated": "8750.00",
        "equity:funds:overhead": "-3000.00",
        "equity:funds:packages": "-5000.00",
        "equity:funds:reserves:on-ramp": "-750.00",
        "expenses:maintainers": "6250.00",
        "income:retainers": "-15000.00",
        "liabilities:deferred-revenue": "-110000.00",
    }
    with served.app_context():
        lovelace.assert_books_hold()


def test_whoever_prepared_a_run_does_not_approve_it_over_http(lead: Caller, office: Caller) -> None:
    office.post("/v1/months/2026-10/close")
    path = f"/v1/payout-runs/{lead.post('/v1/payout-runs')['id']}"
    lead.post(f"{path}/proposal")
    assert lead.post(f"{path}/approval", status=409)["type"].endswith("/approver-is-preparer")
    assert office.get(path)["state"] == "proposed"


def test_statements_say_the_same_as_json_html_and_pdf(served: Flask, office: Caller) -> None:
    office.post("/v1/months/2026-10/close")
    issued = office.get("/v1/statements?month=2026-10")["items"]
    people = {one["id"]: one["name"] for one in as_role(served, Role.AUDITOR).get("/v1/maintainers")["items"]}
    of = {people[one["maintainer_id"]]: one["number"] for one in issued}
    assert set(of) == {"Grace", "Ada"}
    statement = office.get(f"/v1/statements/{of['Grace']}")
    assert statement["figures"]["earned"] == money("4300.00")
    pdf = office.send("GET", f"/v1/statements/{of['Grace']}/pdf")
    html = office.send("GET", f"/v1/statements/{of['Grace']}/html")
    assert (pdf.content_type, html.content_type) == ("application/pdf", "text/html; charset=utf-8")
    assert pdf.headers["Content-Disposition"] == f'inline; filename="{of["Grace"]}.pdf"'
    for text in (words(pdf.get_data()), html.get_data(as_text=True)):
        for figure in ("Grace", "October 2026", "4,000.00", "300.00", "4,300.00", of["Grace"]):
            assert figure in text
        assert "1,950.00" not in text
    assert office.get(f"/v1/statements/{of['Grace']}/pdf") == pdf.get_data()
    assert office.get("/v1/statements?month=2026-09")["items"] == []


def test_a_client_gets_a_funded_work_report(office: Caller) -> None:
    office.post("/v1/months/2026-10/close")
    period = {"client": "Acme", "from_month": "2026-10", "until_month": "2026-11"}
    report = office.post("/v1/funded-work-reports", period)
    assert report["figures"]["client"]["name"] == "Acme"
    assert office.get(f"/v1/funded-work-reports/{report['number']}") == report
    pdf, html = (office.get(f"/v1/funded-work-reports/{report['id']}/{form}") for form in ("pdf", "html"))
    for text in (words(pdf), html.decode()):
        for fact in ("Acme", "October 2026", *PACKAGES, report["number"]):
            assert fact in text
        assert "Globex" not in text
    assert office.post("/v1/funded-work-reports", period | {"until_month": "2026-12"}, status=422)
    assert office.post("/v1/funded-work-reports", period | {"until_month": "2026-10"}, status=422)


def test_the_journal_says_what_was_booked_and_reverses_it_once(served: Flask, lead: Caller, office: Caller) -> None:
    with served.app_context(), transaction() as session:
        lines = (debit(accounts.EXCHANGE, lovelace.usd("9.00")), credit(accounts.BANK, lovelace.usd("9.00")))
        entry = Entry("by hand", lovelace.START, "Lunch", lines)
        journal.post(session, entry, by=lovelace.LEAD, now=lovelace.AFTER)
    office.post("/v1/months/2026-10/close")
    entries = {entry["source"]: entry for entry in office.get("/v1/journal-entries?limit=200")["items"]}
    allocation, lunch = entries["allocation:2026-10"], entries["by hand"]
    assert sum(int(line["amount"]["amount"].replace(".", "")) for line in allocation["lines"]) == 0
    assert office.get(f"/v1/journal-entries/{allocation['id']}") == allocation
    wrong = {"on": "2026-11-01", "reason": "Wrong"}
    refused = lead.post(f"/v1/journal-entries/{allocation['id']}/reversal", wrong, status=409)
    assert "earnings are charged to the funds that it filled" in refused["detail"]
    reversal = f"/v1/journal-entries/{lunch['id']}/reversal"
    refused = lead.post(reversal, wrong | {"on": "2026-10-31"}, status=409)
    assert refused["detail"].startswith("October 2026 is closed")
    turned = lead.post(reversal, wrong)
    assert turned["reverses"] == lunch["id"]
    again = lead.post(reversal, wrong, status=409)
    assert again["type"].endswith("/already-reversed")


def test_earned_lines_are_explained(office: Caller) -> None:
    office.post("/v1/months/2026-10/close")
    lines = office.get("/v1/months/2026-10/earnings")["items"]
    assert sorted((line["kind"], line["amount"]["amount"], line["explanation"]) for line in lines) == [
        ("fixed-fee", "1200.00", "Fixed fee for age"),
        ("fund-share", "750.00", "40 % of the 1,875.00 USD allocated to staticcheck"),
        (
            "growth-share",
            "300.00",
            "10 % of 3,000.00 USD, the retainer revenue of 15,000.00 USD above the baseline of 12,000.00 USD",
        ),
        ("guarantee", "4000.00", "Guarantee of 4,000.00 USD a month"),
    ]


def test_money_that_arrived_settles_an_invoice_once(office: Caller) -> None:
    office.post("/v1/months/2026-10/close")
    invoice = next(one for one in office.get("/v1/invoices")["items"] if one["total"] == money("5000.00"))
    receipt = {"invoice": invoice["number"], "received_on": "2026-11-01", "reference": "bank-1"}
    office.post("/v1/receipts", receipt | {"amount": money("5000.00")})
    assert office.get(f"/v1/invoices/{invoice['id']}")["open_amount"] == money("0.00")
    assert office.post("/v1/receipts", receipt | {"amount": money("1.00"), "reference": "bank-2"}, status=409)
    assert balances(office)["assets:bank"] == "5000.00"
