"""Months and runs that are not ready: the right status, and a sentence that says what to do."""

from __future__ import annotations

import pytest
from flask import Flask

from firm.actor import Role
from firm.billing import recognition
from tests import lovelace
from tests.api.callers import Caller, as_role


@pytest.fixture
def lead(closed: Flask) -> Caller:
    return as_role(closed, Role.LEAD)


@pytest.mark.parametrize(
    "month", ["2026-13", "2026-00", "2026-1", "26-10", "october", "2026-10-01", "٢٠٢٦-١٠", "1999-12"]
)
@pytest.mark.parametrize("rest", ["", "/preview", "/earnings"])
def test_what_is_no_month_is_a_422(lead: Caller, month: str, rest: str) -> None:
    assert "month" in lead.get(f"/v1/months/{month}{rest}", status=422)["detail"]


@pytest.mark.parametrize("rest", ["/close", "/invoices"])
def test_what_is_no_month_is_not_closed_or_billed(lead: Caller, rest: str) -> None:
    assert "month" in lead.post(f"/v1/months/2026-13{rest}", status=422)["detail"]


@pytest.mark.parametrize(
    ("month", "says"),
    [
        ("2026-11", "November 2026 is not over; close it from 1 December 2026 on."),
        ("2026-12", "December 2026 is not over"),
        ("2199-11", "November 2199 is not over"),
        ("2026-09", "The books begin with October 2026"),
    ],
)
def test_a_month_that_cannot_be_closed_is_a_409_that_says_why(lead: Caller, month: str, says: str) -> None:
    before = lead.get("/v1/trial-balance")
    assert says in lead.post(f"/v1/months/{month}/close", status=409)["detail"]
    assert lead.get("/v1/trial-balance") == before


def test_the_last_month_there_is_can_be_asked_for(lead: Caller) -> None:
    assert lead.get("/v1/months/2199-12")["state"] == "open"
    lead.get("/v1/months/2199-12/preview", status=409)
    assert lead.get("/v1/months/2199-12/earnings")["items"] == []


def test_every_month_of_the_books_is_there_and_says_how_it_stands(lead: Caller) -> None:
    closed = lead.get("/v1/months/2026-10")
    assert (closed["state"], closed["closed"], closed["recognized"]["amount"]) == ("closed", True, "15000.00")
    running = lead.get("/v1/months/2026-11")
    assert (running["state"], running["closed"], running["steps"], running["held_back"]) == ("open", False, [], [])
    figures = ("recognized", "allocated", "earned", "residual", "payable")
    assert {name: running[name] for name in figures} == dict.fromkeys(figures)
    assert set(running) == set(closed)


def test_a_month_before_the_first_of_the_books_is_not_there(lead: Caller) -> None:
    assert "The books begin with October 2026" in lead.get("/v1/months/2026-09", status=404)["detail"]


def test_a_month_whose_close_was_interrupted_is_open_and_says_how_far_it_came(lead: Caller) -> None:
    with lead.app.app_context():
        recognition.recognise_month(lovelace.OCTOBER.next, by=lovelace.LEAD, now=lovelace.AFTER)
    half = lead.get("/v1/months/2026-11")
    assert (half["state"], [step["name"] for step in half["steps"]]) == ("open", ["recognition"])
    assert half["recognized"]["amount"] == "15000.00"


def test_the_running_month_is_previewed_and_future_and_closed_ones_are_not(lead: Caller) -> None:
    preview = lead.get("/v1/months/2026-11/preview")
    assert (preview["month"], preview["without_terms"]) == ("2026-11", [])
    work = {"package": "ssh", "role": "co-maintainer", "share_bp": 1000, "from_on": "2026-11-01"}
    charles = {"name": "Charles", "email": "charles@lovelace.example", "country": "GB", "grade": "junior"}
    lead.post("/v1/maintainers", charles | {"works_as": "employee"})
    lead.post("/v1/assignments", {"maintainer": "Charles"} | work)
    assert lead.get("/v1/months/2026-11/preview")["without_terms"] == ["Charles"]
    assert "has not begun" in lead.get("/v1/months/2026-12/preview", status=409)["detail"]
    assert "is closed" in lead.get("/v1/months/2026-10/preview", status=409)["detail"]
    assert "books begin" in lead.get("/v1/months/2026-09/preview", status=409)["detail"]


@pytest.mark.parametrize(
    ("month", "says"),
    [
        ("2026-12", "December 2026 has not begun; invoice it from its first day on."),
        ("2199-11", "November 2199 has not begun"),
        ("2026-09", "The books begin with October 2026; September 2026 lies before."),
        ("2025-01", "The books begin with October 2026"),
    ],
)
def test_a_month_that_is_not_in_the_books_yet_is_not_invoiced(lead: Caller, month: str, says: str) -> None:
    before = lead.get("/v1/trial-balance")
    assert says in lead.post(f"/v1/months/{month}/invoices", status=409)["detail"]
    assert lead.get("/v1/trial-balance") == before


def test_invoices_of_a_closed_month_are_refused(lead: Caller) -> None:
    assert lead.post("/v1/months/2026-10/invoices", status=409)["detail"].startswith("October 2026 is closed")


def test_a_firm_that_is_not_set_up_says_so(served: Flask) -> None:
    lead = as_role(served, Role.LEAD)
    for problem in (
        lead.get("/v1/firm", status=409),
        lead.post("/v1/months/2026-10/close", status=409),
        lead.post("/v1/payout-runs", status=409),
    ):
        assert problem["type"].endswith("/not-established")


@pytest.mark.parametrize("key", ["RUN-2026-9999", "run_01M84MNWC7JZ27WZWJ9VH3QV4M", "x", "0"])
def test_an_unknown_run_is_a_404(lead: Caller, key: str) -> None:
    assert key in lead.get(f"/v1/payout-runs/{key}", status=404)["detail"]
    for step in ("proposal", "approval", "cancellation", "release"):
        assert lead.post(f"/v1/payout-runs/{key}/{step}", status=404)["type"].endswith("/run-not-found")
    assert lead.get(f"/v1/payout-runs/{key}/files/sepa", status=404)


def test_a_step_of_a_run_out_of_its_order_is_a_409(lead: Caller) -> None:
    run = lead.post("/v1/payout-runs")
    path = f"/v1/payout-runs/{run['number']}"
    for step in ("approval", "release"):
        assert run["number"] in lead.post(f"{path}/{step}", status=409)["detail"]
    lead.post(f"{path}/proposal")
    assert lead.post(f"{path}/proposal", status=409)["type"].endswith("/run-not-in-state")
    assert lead.get(f"{path}/files/sepa", status=404)["detail"]
    settlement = {"reference": "wire", "on": "2026-11-01"}
    payout = run["payouts"][0]["id"]
    assert lead.post(f"/v1/payouts/{payout}/settlement", settlement, status=409)["detail"]
    assert lead.post(f"/v1/payouts/{payout}/return", {"reason": "No such account", "on": "2026-11-01"}, status=409)
    assert lead.post("/v1/payouts/pay_1/settlement", settlement, status=404)
    assert lead.post(f"{path}/cancellation")["state"] == "canceled"
    assert lead.post(f"{path}/approval", status=409)


def test_a_payment_that_came_back_is_payable_again(closed: Flask, lead: Caller) -> None:
    office = as_role(closed, Role.ADMINISTRATOR)
    run = office.post("/v1/payout-runs")
    path = f"/v1/payout-runs/{run['id']}"
    office.post(f"{path}/proposal")
    lead.post(f"{path}/approval")
    office.post(f"{path}/release")
    for payout in run["payouts"]:
        office.post(f"/v1/payouts/{payout['id']}/settlement", {"reference": "wire", "on": "2026-11-01"})
    back = {"reason": "Account closed", "on": "2026-11-01"}
    assert office.post(f"/v1/payouts/{run['payouts'][0]['id']}/return", back)["state"] == "returned"
    again = office.post("/v1/payout-runs")
    assert [payout["amount"] for payout in again["payouts"]] == [run["payouts"][0]["amount"]]


def test_an_address_that_names_nothing_answers_a_sentence_that_names_it(lead: Caller) -> None:
    for path in (
        "/v1/clients/Initech",
        "/v1/packages/golang.org/x/crypto",
        "/v1/maintainers/Linus",
        "/v1/engagements/eng_1",
        "/v1/invoices/INV-2026-9999",
        "/v1/statements/ST-2026-9999",
        "/v1/pay-terms/ptm_1",
        "/v1/allocation-plans/pln_1",
        "/v1/journal-entries/ent_1x",
        "/v1/funded-work-reports/FWR-1",
    ):
        assert path.rpartition("/")[2] in lead.get(path, status=404)["detail"]


def test_a_package_is_found_by_the_name_its_ecosystem_gives_it(lead: Caller) -> None:
    made = lead.post("/v1/packages", {"name": "golang.org/x/crypto/ssh", "ecosystem": "Go"})
    assert lead.get("/v1/packages/golang.org/x/crypto/ssh") == made
    assert lead.post("/v1/packages", {"name": "golang.org/x/crypto/ssh", "ecosystem": "Go"}, status=409)["detail"]


def test_what_is_told_of_pay_is_never_more_than_the_end_of_an_account(lead: Caller) -> None:
    iban = "DE89370400440532013000"
    made = lead.post("/v1/maintainers/Grace/destination", {"rail": "sepa", "iban": iban})
    assert made["iban_last4"] == "3000"
    assert iban not in str(made)
    wrong = {"rail": "sepa", "iban": "DE88370400440532013000"}
    assert lead.post("/v1/maintainers/Ada/destination", wrong, status=422)["detail"]
    assert lead.post("/v1/maintainers/Grace/destination", {"rail": "pigeon"}, status=422)["detail"]
