"""What was entered wrongly is corrected: audited before and after, against a version, and no issued paper changes."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from firm.actor import Role
from firm.audit import sequencer
from tests import lovelace
from tests.api.callers import Caller, as_role, money


@pytest.fixture
def lead(closed: Flask) -> Caller:
    return as_role(closed, Role.LEAD)


def patched(lead: Caller, path: str, body: dict[str, Any], status: int = 200) -> Any:
    answer = lead.send("PATCH", path, json=body)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


def records(lead: Caller, verb: str) -> list[Any]:
    with lead.app.app_context():
        sequencer.run(now=lovelace.AFTER)
    items: list[Any] = lead.get(f"/v1/audit-records?verb={verb}")["items"]
    return items


def test_a_client_is_corrected_and_its_invoice_keeps_its_name(lead: Caller) -> None:
    before = lead.get("/v1/clients/Acme")
    [invoice, *_] = lead.get("/v1/invoices")["items"]
    changes = {"name": " Acme Corporation ", "country": "DE", "address": [" 1 Other Street"], "requires_po": True}
    now = patched(lead, "/v1/clients/Acme", changes)
    right = {"name": "Acme Corporation", "country": "DE", "address": ["1 Other Street"], "requires_po": True}
    assert now | {"contacts": before["contacts"]} == before | right
    assert lead.get("/v1/invoices/" + invoice["number"]) == invoice
    [record] = records(lead, "client.changed")
    assert record["facts"]["before"]["name"] == "Acme"
    assert record["facts"]["after"]["name"] == "Acme Corporation"
    assert record["before_sha256"] != record["after_sha256"]
    with lead.app.app_context():
        lovelace.assert_books_hold()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/clients/Acme", {"name": "globex"}, 409),
        ("/v1/clients/Acme", {"name": "Acme"}, 422),
        ("/v1/clients/Acme", {"name": "Ac\u202eme"}, 422),
        ("/v1/clients/Acme", {"country": "ZZ"}, 422),
        ("/v1/clients/Acme", {"id": "cli_1"}, 422),
        ("/v1/clients/Nobody", {"name": "X"}, 404),
        ("/v1/maintainers/Ada", {"name": "Grace"}, 409),
        ("/v1/maintainers/Ada", {"email": "nope"}, 422),
        ("/v1/maintainers/Ada", {"email": "grace@lovelace.example"}, 409),
        ("/v1/maintainers/Ada", {"grade": "emperor"}, 422),
        ("/v1/packages/ssh", {"repository": "javascript:alert(1)"}, 422),
        ("/v1/packages/ssh", {"folder": "../../etc"}, 422),
        ("/v1/packages/nothing", {"folder": "x"}, 404),
    ],
)
def test_a_wrong_correction_changes_nothing(lead: Caller, path: str, body: dict[str, Any], status: int) -> None:
    everything = ("/v1/clients", "/v1/maintainers", "/v1/packages")
    before = [lead.get(where) for where in everything]
    patched(lead, path, body, status)
    assert [lead.get(where) for where in everything] == before


def test_a_correction_needs_the_version_it_was_decided_on(lead: Caller) -> None:
    stale = lead.send("PATCH", "/v1/clients/Acme", json={"country": "DE"}, headers={"If-Match": '"of-yesterday"'})
    assert stale.status_code == 412


def test_a_maintainer_is_corrected_and_goes_by_the_old_name_too(lead: Caller) -> None:
    lead.get("/v1/maintainers/Grace")
    changed = patched(lead, "/v1/maintainers/Grace", {"name": "Grace Hopper", "email": "hopper@example.org"})
    assert (changed["name"], changed["email"]) == ("Grace Hopper", "hopper@example.org")
    aliases = {one["value"] for one in lead.get("/v1/maintainers/Grace Hopper")["aliases"]}
    assert {"grace", "grace hopper", "hopper@example.org"} <= aliases
    lead.get("/v1/maintainers/Grace", status=404)
    statement = lead.get(f"/v1/statements/{lead.get('/v1/statements')['items'][0]['id']}")
    assert statement["figures"]["maintainer"]["name"] in ("Ada", "Grace")
    assert len(records(lead, "maintainer.changed")) == 1
    with lead.app.app_context():
        lovelace.assert_books_hold()


def test_a_package_moves_to_its_right_place(lead: Caller) -> None:
    changed = patched(lead, "/v1/packages/ssh", {"repository": "https://example.org/crypto.git", "folder": "/ssh/"})
    assert (changed["repository"], changed["folder"]) == ("https://example.org/crypto.git", "ssh")
    assert lead.get("/v1/packages/ssh") == changed
    assert patched(lead, "/v1/packages/ssh", {"ecosystem": "crates.io"})["ecosystem"] == "crates.io"
    with lead.app.app_context():
        lovelace.assert_books_hold()


def test_an_interest_is_taken_back_and_the_last_one_is_not(lead: Caller) -> None:
    [engagement, *_] = lead.get("/v1/engagements")["items"]
    path = f"/v1/engagements/{engagement['id']}"
    for package in ("ssh", "age"):
        left = lead.post(f"{path}/interest-withdrawals", {"package": package, "reason": "named by mistake"})
    assert len(left["interests"]) == 1
    assert lead.get(f"{path}/interests")["items"] == left["interests"]
    lead.post(f"{path}/interest-withdrawals", {"package": "ssh", "reason": "again"}, status=404)
    last = lead.post(f"{path}/interest-withdrawals", {"package": "staticcheck", "reason": "all"}, status=409)
    assert last["detail"].startswith("A signed engagement names at least one package")
    assert len(records(lead, "engagement.interest-withdrawn")) == 2


def test_the_same_engagement_is_drafted_twice_on_purpose_only(lead: Caller) -> None:
    body = {"client": "Acme", "tier": "gold", "cycle": "monthly", "starts_on": "2026-12-01"}
    body |= {"fee": {"amount": "100.00", "currency": "USD"}}  # type: ignore[dict-item]
    first = lead.post("/v1/engagements", body)
    again = lead.post("/v1/engagements", body, status=409)
    assert first["id"] in again["detail"]
    lead.post("/v1/engagements", body | {"duplicate_of": "eng_another"}, status=409)
    lead.post("/v1/engagements", body | {"duplicate_of": first["id"]})
    lead.post("/v1/engagements", body | {"starts_on": "2026-12-02"})


@pytest.mark.parametrize(
    "change",
    [
        {"starts_on": "0001-01-01"},
        {"starts_on": "9999-12-31"},
        {"renews_on": "2026-11-30"},
        {"renews_on": "9999-12-31"},
        {"ends_on": "2200-01-01"},
    ],
)
def test_days_that_no_agreement_has_are_refused(lead: Caller, change: dict[str, str]) -> None:
    body = {"client": "Acme", "tier": "gold", "cycle": "monthly", "starts_on": "2026-12-01"}
    body |= {"fee": {"amount": "100.00", "currency": "USD"}}  # type: ignore[dict-item]
    refused = lead.post("/v1/engagements", body | change, status=422)
    assert refused["errors"][0]["pointer"] == f"/{next(iter(change))}"


@pytest.mark.parametrize(
    ("name", "says"),
    [("acme", "Acme"), ("ACME ", "Acme"), ("a\nb", "U+000A"), ("\u202eevil", "U+202E"), (" \u2009 ", "Write")],
)
def test_a_name_that_could_not_be_told_apart_or_seen_is_refused(lead: Caller, name: str, says: str) -> None:
    answer = lead.send("POST", "/v1/clients", json={"name": name, "country": "US"})
    assert answer.status_code in (409, 422)
    assert says in answer.get_json()["detail"]


@pytest.mark.parametrize(
    "package",
    [
        {"repository": "file:///etc"},
        {"repository": "https://ada:secret@example.org/x"},
        {"repository": "https://example.org/../x"},
        {"folder": "a/../../b"},
        {"name": "x/../y"},
        {"name": "/etc/passwd"},
    ],
)
def test_a_package_that_cannot_live_there_is_refused(lead: Caller, package: dict[str, str]) -> None:
    lead.post("/v1/packages", {"name": "crypto", "ecosystem": "Go"} | package, status=422)


def test_a_package_is_not_called_as_another_ones_id(lead: Caller) -> None:
    [first, *_] = lead.get("/v1/packages")["items"]
    lead.post("/v1/packages", {"name": first["id"], "ecosystem": "Go"}, status=409)


def test_terms_that_pay_nothing_and_paid_work_of_no_time_are_refused(lead: Caller) -> None:
    lead.post("/v1/pay-terms", {"maintainer": "Grace", "from_month": "2027-01"}, status=422)
    work = {"maintainer": "Grace", "package": "age", "role": "lead", "share_bp": 0, "from_on": "2026-12-01"}
    assert lead.post("/v1/assignments", work, status=422)["errors"][0]["pointer"] == "/share_bp"


def test_what_was_recorded_is_read_again(lead: Caller) -> None:
    [invoice, *_] = lead.get("/v1/invoices")["items"]
    money = {"amount": "1.00", "currency": "USD"}
    body = {"invoice": invoice["number"], "amount": money, "received_on": "2026-11-01", "reference": "b-1"}
    receipt = lead.post("/v1/receipts", body)
    assert lead.get(f"/v1/receipts/{receipt['id']}") == receipt
    assert lead.get("/v1/receipts")["items"] == [receipt]
    rate = lead.send("PUT", "/v1/months/2026-11/exchange-rates/EUR", json={"rate": "1.0850", "source": "ECB"})
    assert lead.get("/v1/months/2026-11/exchange-rates")["items"] == [rate.get_json()]
    [tier, *_] = lead.get("/v1/tiers")["items"]
    assert lead.get(f"/v1/tiers/{tier['id']}") == tier


def test_a_route_refuses_what_it_would_not_look_at(lead: Caller) -> None:
    refused = lead.post("/v1/months/2026-10/close", {"x": 1}, status=422)
    assert refused["errors"] == [{"pointer": "/x", "detail": "Unknown field."}]
    assert lead.send("POST", "/v1/months/2026-10/close?x=1").status_code == 422
    assert lead.send("GET", "/v1/firm?x=1").status_code == 422
    assert lead.post_raw("/v1/months/2026-10/close", b"{", "application/json").status_code == 400
    lead.post("/v1/months/2026-10/close", {}, status=200)


def test_a_principal_stands_for_somebody_who_is_there_and_reaches_what_there_is(lead: Caller) -> None:
    for body in (
        {"name": "m", "role": "maintainer", "subject_id": "mnt_nope"},
        {"name": "c", "role": "client", "subject_id": "cli_nope"},
    ):
        for path in ("/v1/tokens", "/v1/principals"):
            assert lead.post(path, body, status=422)["errors"][0]["pointer"] == "/subject_id"
    lead.post("/v1/principals", {"name": "kim", "role": "auditor"})
    assert "nope" in lead.post("/v1/principals/kim/tokens", {"scopes": ["read", "read:nope"]}, status=422)["detail"]
    lead.post("/v1/principals/kim/tokens", {"scopes": ["read:clients", "write:payout-runs"]})


def test_a_report_issued_again_takes_the_place_of_the_one_before(lead: Caller) -> None:
    body = {"client": "Acme", "from_month": "2026-10", "until_month": "2026-11"}
    first, second, third = (lead.post("/v1/funded-work-reports", body) for _ in range(3))
    assert first["figures"]["corrects"] is None
    assert second["figures"]["corrects"] == first["number"]
    assert third["figures"]["corrects"] == second["number"]
    page = lead.send("GET", f"/v1/funded-work-reports/{third['number']}/html").get_data(as_text=True)
    assert f"It takes the place of {second['number']}." in page


def test_a_pointer_names_a_place_of_the_body(lead: Caller) -> None:
    plan = {"from_month": "2027-01", "overhead_bp": 1000, "reserves": {}, "weights": {"ssh": -1}}
    assert lead.post("/v1/allocation-plans", plan, status=422)["errors"][0]["pointer"] == "/weights/ssh"
    named = plan | {"weights": {"ssh": 1}, "reserves": {"": 5}}
    assert lead.post("/v1/allocation-plans", named, status=422)["errors"][0]["pointer"] == "/reserves/"


def test_a_bank_is_named_by_a_code_that_banks_have(lead: Caller) -> None:
    account = {"rail": "sepa", "iban": "DE89370400440532013000", "bic": "x"}
    refused = lead.post("/v1/maintainers/Ada/destination", account, status=422)
    assert refused["errors"][0]["pointer"] == "/bic"
    lead.post("/v1/maintainers/Ada/destination", account | {"bic": "COBADEFFXXX"})


@pytest.mark.parametrize("alias", [{"email": "nope"}, {"name": "a\nb"}, {}])
def test_an_alias_is_a_name_or_an_address(lead: Caller, alias: dict[str, str]) -> None:
    lead.post("/v1/maintainers/Ada/aliases", alias, status=422)


def test_pay_terms_are_corrected_while_their_month_is_open(lead: Caller) -> None:
    later = {"maintainer": "Grace", "from_month": "2026-12", "guarantee": money("1400.00")}
    wrong = lead.post("/v1/pay-terms", later)
    path, right = f"/v1/pay-terms/{wrong['id']}", {"guarantee": money("4100.00"), "reason": "Mistyped."}
    assert lead.post(f"{path}/correction", right | {"reason": " "}, status=422)["errors"]
    made = lead.post(f"{path}/correction", right)
    assert (made["corrects_id"], made["reason"], made["from_month"]) == (wrong["id"], "Mistyped.", "2026-12")
    assert (made["guarantee"], made["superseded_at"]) == (money("4100.00"), None)
    assert lead.get(path)["superseded_at"]
    assert "correct those that replaced them" in lead.post(f"{path}/correction", right, status=409)["detail"]
    assert lead.post("/v1/pay-terms/ptm_1/correction", right, status=404)["detail"]
    closed = next(one for one in lead.get("/v1/pay-terms")["items"] if one["from_month"] == "2026-10")
    assert "is closed" in lead.post(f"/v1/pay-terms/{closed['id']}/correction", right, status=409)["detail"]
    assert [record["subject"] for record in records(lead, "terms.corrected")] == [made["id"]]


def test_the_version_that_a_correction_answers_with_is_that_of_the_new_terms(lead: Caller) -> None:
    wrong = lead.post("/v1/pay-terms", {"maintainer": "Grace", "from_month": "2026-12", "guarantee": money("1400.00")})
    right = {"guarantee": money("4100.00"), "reason": "Mistyped."}
    answer = lead.send("POST", f"/v1/pay-terms/{wrong['id']}/correction", json=right)
    shown = lead.send("GET", f"/v1/pay-terms/{answer.get_json()['id']}")
    assert answer.headers["ETag"] == shown.headers["ETag"]
    path, seen = f"{shown.request.path}/correction", {"If-Match": answer.headers["ETag"]}
    assert lead.send("POST", path, json=right | {"reason": "Again."}, headers=seen).status_code == 201


def test_what_is_added_to_a_thing_answers_with_the_version_of_the_thing(lead: Caller) -> None:
    contact = {"name": "Kim", "email": "kim@acme.example", "role": "champion"}
    added = lead.send("POST", "/v1/clients/Acme/contacts", json=contact)
    assert (added.status_code, added.headers["ETag"]) == (201, lead.send("GET", "/v1/clients/Acme").headers["ETag"])
    assert added.headers["Location"] == f"/v1/clients/{lead.get('/v1/clients/Acme')['id']}"


def test_what_has_an_address_of_its_own_answers_with_its_own_version(lead: Caller) -> None:
    proposed = {"rail": "sepa", "iban": "DE89370400440532013000"}
    made = lead.send("POST", "/v1/maintainers/Ada/destination", json=proposed)
    assert made.headers["Location"] == f"/v1/destinations/{made.get_json()['id']}"
    seen = {"If-Match": made.headers["ETag"]}
    path = f"{made.headers['Location']}/withdrawal"
    assert lead.send("POST", path, headers=seen).status_code == 201
