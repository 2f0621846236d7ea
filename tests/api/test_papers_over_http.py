"""Tax forms, remittance advices and self-billing over HTTP: what the office does, and what each maintainer sees."""

from __future__ import annotations

import pytest
from flask import Flask

from firm.actor import Role
from firm.db import reading
from firm.profile.changes import change_firm
from staffing.maintainers import queries as maintainers
from tests import lovelace
from tests.api.callers import Caller, as_role, money

TIN = "536904399"
AGREEMENT = {
    "maintainer": "Grace",
    "consented_on": "2026-10-01",
    "from_on": "2026-10-01",
    "series": "SB-LM-",
    "treatment": "domestic",
    "rate_bp": 1900,
    "supplier_vat_id": "DE136695976",
    "supplier_address": ["4 Compiler Lane", "10115 Berlin"],
}


@pytest.fixture
def office(closed: Flask) -> Caller:
    return as_role(closed, Role.ADMINISTRATOR)


def maintainer(app: Flask, name: str) -> Caller:
    with app.app_context(), reading() as session:
        subject = maintainers.find(session, name).id
    return as_role(app, Role.MAINTAINER, name=name, subject=subject)


def record_form(office: Caller, **changes: object) -> dict[str, object]:
    draft = {"maintainer": "Grace", "kind": "W-9", "name": "Grace Hopper", "tin": TIN}
    days = {"signed_on": "2026-10-01", "received_on": "2026-10-02"}
    found: dict[str, object] = office.post("/v1/tax-forms", draft | days | changes)
    return found


def test_a_form_is_recorded_listed_and_withdrawn_and_its_number_never_comes_back(closed: Flask, office: Caller) -> None:
    form = record_form(office)
    assert (form["state"], form["tin_last4"], form["expires_on"]) == ("on file", "4399", None)
    newer = record_form(office, kind="W-8BEN", tin=None)
    assert newer["expires_on"] == "2029-12-31"
    listed = office.get("/v1/tax-forms")["items"]
    assert [item["state"] for item in listed] == ["superseded", "on file"]
    assert office.get("/v1/tax-forms?expires_by=2029-12-31")["items"] == listed[1:]
    assert office.get("/v1/tax-forms?expires_by=2029-12-30")["items"] == []
    withdrawn = office.post(f"/v1/tax-forms/{newer['id']}/withdrawal", {"reason": "misspelled"})
    assert withdrawn["state"] == "withdrawn"
    office.post(f"/v1/tax-forms/{newer['id']}/withdrawal", {"reason": "again"}, status=409)
    shown = repr([form, newer, withdrawn, listed, office.get(f"/v1/tax-forms/{form['id']}")])
    assert TIN not in shown
    wrong = {"maintainer": "Grace", "kind": "W-9", "name": "G", "tin": "123-45"}
    problem = office.post("/v1/tax-forms", wrong | {"signed_on": "2026-10-01", "received_on": "2026-10-02"}, status=422)
    assert problem["errors"][0]["pointer"] == "/tin"
    assert "123-45" not in repr(problem)


def test_each_maintainer_sees_their_own_papers_and_no_others(closed: Flask, office: Caller) -> None:
    lead = as_role(closed, Role.LEAD)
    number = office.post("/v1/payout-runs")["number"]
    office.post(f"/v1/payout-runs/{number}/proposal")
    lead.post(f"/v1/payout-runs/{number}/approval")
    sent = office.post(f"/v1/payout-runs/{number}/release")["payouts"]
    advices = [office.post(f"/v1/payouts/{payout['id']}/remittance-advice") for payout in sent]
    form = record_form(office)
    agreement = office.post("/v1/self-billing-agreements", AGREEMENT)
    invoice = office.post("/v1/self-billed-invoices", {"maintainer": "Grace", "month": "2026-10"})
    grace, ada = maintainer(closed, "Grace"), maintainer(closed, "Ada")
    hers = next(advice for advice in advices if advice["maintainer_id"] == form["maintainer_id"])
    paths = [
        f"/v1/remittance-advices/{hers['number']}",
        f"/v1/remittance-advices/{hers['id']}/pdf",
        f"/v1/tax-forms/{form['id']}",
        f"/v1/self-billing-agreements/{agreement['id']}",
        f"/v1/self-billed-invoices/{invoice['number']}",
        f"/v1/self-billed-invoices/{invoice['id']}/html",
    ]
    for path in paths:
        assert grace.get(path)
        ada.get(path, status=404)
    for resource in ("tax-forms", "self-billing-agreements", "self-billed-invoices"):
        assert ada.get(f"/v1/{resource}")["items"] == []
        assert len(grace.get(f"/v1/{resource}")["items"]) == 1
    assert [item["id"] for item in grace.get("/v1/remittance-advices")["items"]] == [hers["id"]]


def test_an_advice_is_the_same_as_json_html_and_pdf_and_however_often_it_is_asked_for(
    closed: Flask, office: Caller
) -> None:
    lead = as_role(closed, Role.LEAD)
    number = office.post("/v1/payout-runs")["number"]
    [first, *_] = office.get(f"/v1/payout-runs/{number}")["payouts"]
    refused = office.post(f"/v1/payouts/{first['id']}/remittance-advice", status=409)
    assert refused["detail"].endswith("an advice is issued once it is sent.")
    office.post(f"/v1/payout-runs/{number}/proposal")
    lead.post(f"/v1/payout-runs/{number}/approval")
    office.post(f"/v1/payout-runs/{number}/release")
    advice = office.post(f"/v1/payouts/{first['id']}/remittance-advice")
    assert office.post(f"/v1/payouts/{first['id']}/remittance-advice") == advice
    assert advice["amount"] == first["amount"] == advice["figures"]["total"]
    address = f"/v1/remittance-advices/{advice['number']}"
    assert office.get(address) == advice
    pdf = office.send("GET", f"{address}/pdf")
    assert pdf.headers["Content-Disposition"] == f'inline; filename="{advice["number"]}.pdf"'
    assert pdf.get_data() == office.send("GET", f"{address}/pdf").get_data()
    tag = pdf.headers["ETag"]
    for method in ("GET", "HEAD"):
        again = office.send(method, f"{address}/pdf", headers={"If-None-Match": tag})
        assert (again.status_code, again.headers["ETag"], again.get_data()) == (304, tag, b"")
    assert office.send("HEAD", f"{address}/pdf").headers["ETag"] == tag
    assert b"Remittance advice" in office.get(f"{address}/html")


def test_an_invoice_is_issued_under_an_agreement_and_taken_back_by_a_credit_note(closed: Flask, office: Caller) -> None:
    wanted = {"maintainer": "Grace", "month": "2026-10"}
    refused = office.post("/v1/self-billed-invoices", wanted, status=409)
    assert refused["detail"].startswith("Grace has not agreed to self-billing")
    agreement = office.post("/v1/self-billing-agreements", AGREEMENT)
    assert (agreement["until_on"], agreement["ended_on"]) == ("2027-10-01", None)
    invoice = office.post("/v1/self-billed-invoices", wanted)
    assert invoice["number"] == "SB-LM-0001"
    assert [invoice[name] for name in ("net", "vat", "gross")] == [
        money("4300.00"),
        money("817.00"),
        money("5117.00"),
    ]
    office.post("/v1/self-billed-invoices", wanted, status=409)
    note = office.post(f"/v1/self-billed-invoices/{invoice['id']}/credit-note", {"reason": "the rate was wrong"})
    assert (note["kind"], note["gross"], note["credits_id"]) == ("credit-note", money("-5117.00"), invoice["id"])
    page = office.get(f"/v1/self-billed-invoices/{note['id']}/html").decode()
    assert "takes back invoice SB-LM-0001 of 1 November 2026" in page
    ended = office.post(
        f"/v1/self-billing-agreements/{agreement['id']}/ending",
        {"ended_by": "supplier", "reason": "sends her own", "on": "2026-11-02"},
    )
    assert ended["ended_on"] == "2026-11-02"
    with closed.app_context():
        lovelace.assert_books_hold()


def test_papers_that_are_issued_keep_the_letterhead_of_their_day(closed: Flask, office: Caller) -> None:
    lead = as_role(closed, Role.LEAD)
    number = office.post("/v1/payout-runs")["number"]
    office.post(f"/v1/payout-runs/{number}/proposal")
    lead.post(f"/v1/payout-runs/{number}/approval")
    [payout, *_] = office.post(f"/v1/payout-runs/{number}/release")["payouts"]
    advice = office.post(f"/v1/payouts/{payout['id']}/remittance-advice")
    office.post("/v1/self-billing-agreements", AGREEMENT)
    bill = office.post("/v1/self-billed-invoices", {"maintainer": "Grace", "month": "2026-10"})
    [statement, *_] = office.get("/v1/statements?month=2026-10")["items"]
    period = {"client": "Acme", "from_month": "2026-10", "until_month": "2026-11"}
    report = office.post("/v1/funded-work-reports", period)
    pages = [
        f"/v1/remittance-advices/{advice['id']}/html",
        f"/v1/self-billed-invoices/{bill['id']}/html",
        f"/v1/statements/{statement['id']}/html",
        f"/v1/funded-work-reports/{report['id']}/html",
    ]
    before = [office.get(page) for page in pages]
    assert all(b"Lovelace Maintainers" in page for page in before)
    with closed.app_context():
        moved = {"name": "Hopper and Heirs", "address": ["12 St James's Square"], "color": "#aa0000"}
        change_firm(**moved, email="books@hopper.example", by=lovelace.LEAD, now=lovelace.AFTER)
    assert [office.get(page) for page in pages] == before


def test_the_firm_s_settings_change_what_is_asked_of_a_supplier(closed: Flask, office: Caller) -> None:
    with closed.app_context():
        change_firm(self_billing_months=6, by=lovelace.LEAD, now=lovelace.AFTER)
    problem = office.post("/v1/self-billing-agreements", AGREEMENT | {"until_on": "2027-10-01"}, status=409)
    assert problem["detail"].startswith("This firm's agreements run 6 months at most; end this one by 1 April 2027")
