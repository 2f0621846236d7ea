"""Bodies are read strictly: what two readers could understand differently is refused, with where and why."""

from __future__ import annotations

import gzip
import io
import json
import time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from api.app import create_app
from firm.access.rules import new_secret
from firm.actor import Role
from firm.db import db, reading
from tests import lovelace
from tests.api.callers import Caller, anonymous, as_role, money, problem_of
from tests.databases import settings_for

CLIENT = {"name": "Initech", "country": "US"}
MOST = 1_000_000


@pytest.fixture
def office(closed: Flask) -> Caller:
    return as_role(closed, Role.ADMINISTRATOR)


def refused(caller: Caller, raw: bytes, status: int, path: str = "/v1/clients") -> dict[str, Any]:
    answer = caller.post_raw(path, raw)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return problem_of(answer)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"nonsense",
        b"{'name': 'Initech'}",
        b'{"name": "Initech", }',
        b'{"name": "Initech", "country": "US"} {}',
        b'{"name": "Initech", "country": "US"}]',
        b'{"name": "Initech", "country": "US"}\x00',
        b'\xef\xbb\xbf{"name": "Initech", "country": "US"}',
        b'{"name": "\xff\xfe", "country": "US"}',
        b'{"name": "\xed\xa0\x80", "country": "US"}',
        '{"name": "Initech", "country": "US"}'.encode("utf-16"),
        b'{"name": "Initech", "name": "Hooli", "country": "US"}',
        b'{"name": "Initech", "n\\u0061me": "Hooli", "country": "US"}',
        b'{"name": NaN, "country": "US"}',
        b'{"name": Infinity, "country": "US"}',
        b'{"name": -Infinity, "country": "US"}',
        b'{"name": 1e999, "country": "US"}',
        b'{"name": -1e999, "country": "US"}',
        b'{"name": 9223372036854775808, "country": "US"}',
        b'{"name": ' + b"9" * 5_000 + b', "country": "US"}',
        b'{"name": 0.' + b"9" * 5_000 + b', "country": "US"}',
        b'{"name": "a\\u0000b", "country": "US"}',
        b'{"name": "\\ud800", "country": "US"}',
        b'{"name": "\\udfff\\ud800", "country": "US"}',
        b'{"name": "Initech", "country": "US", "a\\u0000b": 1}',
        b'{"name": "Initech", "country": "US", "address": ["\\u0000"]}',
        b'{"name": "Initech", "country": "US", "address": ["\\ud800"]}',
        b'{"name": "a\nb", "country": "US"}',
        b'{"name": 01, "country": "US"}',
    ],
)
def test_what_is_no_json_or_ambiguous_is_a_400(closed: Flask, office: Caller, raw: bytes) -> None:
    assert refused(office, raw, 400)["type"].endswith("/invalid-json")
    with closed.app_context(), reading() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM client")) == 2


def test_a_duplicate_deep_inside_is_found(office: Caller) -> None:
    raw = b'{"fee": {"amount": "1.00", "amount": "9.00", "currency": "USD"}}'
    assert "twice" in refused(office, raw, 400, "/v1/engagements")["detail"]


@pytest.mark.parametrize(("depth", "status"), [(32, 422), (33, 400), (100_000, 400)])
def test_32_levels_are_read_and_33_are_not(office: Caller, depth: int, status: int) -> None:
    inner = depth - 1
    refused(office, b'{"name": ' + b"[" * inner + b"]" * inner + b', "country": "US"}', status)


def test_brackets_inside_of_strings_are_no_levels(office: Caller) -> None:
    assert office.post("/v1/clients", {"name": '"' + "[{" * 50, "country": "US"})["name"] == '"' + "[{" * 50


def test_characters_beyond_the_first_plane_are_kept(office: Caller) -> None:
    name = "Ünïcode 🦆 Ltd"
    raw = json.dumps({"name": name, "country": "US"}, ensure_ascii=True).encode()
    answer = office.post_raw("/v1/clients", raw)
    assert answer.status_code == 201
    assert office.get(f"/v1/clients/{answer.get_json()['id']}")["name"] == name


@pytest.mark.parametrize("body", [[], [CLIENT], "Initech", 1, 1.5, True, None])
def test_a_body_that_is_no_object_is_a_422(office: Caller, body: object) -> None:
    assert refused(office, json.dumps(body).encode(), 422)["type"].endswith("/invalid-body")


ENGAGEMENT: dict[str, Any] = {
    "client": "Acme",
    "tier": "gold",
    "fee": money("100.00"),
    "cycle": "monthly",
    "starts_on": "2026-11-01",
    "interests": [{"package": "ssh", "may_stop": False, "months_to_replace": 24}],
}
INTEREST = ENGAGEMENT["interests"][0]


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("notice_days", True, "/notice_days"),
        ("notice_days", "12", "/notice_days"),
        ("notice_days", 1.0, "/notice_days"),
        ("notice_days", 1e3, "/notice_days"),
        ("notice_days", "١٢٣", "/notice_days"),
        ("notice_days", "1_000", "/notice_days"),
        ("notice_days", -1, "/notice_days"),
        ("notice_days", 731, "/notice_days"),
        ("notice_days", None, "/notice_days"),
        ("notice_days", [], "/notice_days"),
        ("notice_days", 2**63 - 1, "/notice_days"),
        ("subcontracting_allowed", "true", "/subcontracting_allowed"),
        ("subcontracting_allowed", 1, "/subcontracting_allowed"),
        ("subcontracting_allowed", None, "/subcontracting_allowed"),
        ("client", 1, "/client"),
        ("client", ["Acme"], "/client"),
        ("client", "", "/client"),
        ("client", "   ", "/client"),
        ("client", "x" * 201, "/client"),
        ("cycle", "daily", "/cycle"),
        ("cycle", ["monthly"], "/cycle"),
        ("cycle", {}, "/cycle"),
        ("starts_on", "2026-02-30", "/starts_on"),
        ("starts_on", "2026-W45-1", "/starts_on"),
        ("starts_on", "20261101", "/starts_on"),
        ("starts_on", "2026-11-01T00:00:00Z", "/starts_on"),
        ("starts_on", "٢٠٢٦-١١-٠١", "/starts_on"),
        ("starts_on", 20261101, "/starts_on"),
        ("interests", {}, "/interests"),
        ("interests", "ssh", "/interests"),
        ("interests", ["ssh"], "/interests/0"),
        ("interests", [INTEREST | {"months_to_replace": True}], "/interests/0/months_to_replace"),
        ("interests", [INTEREST | {"owner": "me"}], "/interests/0/owner"),
        ("clauses", ["ok", 7], "/clauses/1"),
        ("state", "signed", "/state"),
        ("id", "eng_1", "/id"),
        ("a/b~c", 1, "/a~1b~0c"),
    ],
)
def test_a_wrong_type_is_a_422_that_names_the_field(office: Caller, field: str, value: object, pointer: str) -> None:
    problem = refused(office, json.dumps(ENGAGEMENT | {field: value}).encode(), 422, "/v1/engagements")
    assert problem["errors"][0]["pointer"].startswith(pointer), problem
    assert all(error["detail"] for error in problem["errors"])


@pytest.mark.parametrize(
    "fee",
    [
        money("1e300000"),
        money("1" * 5_000),
        money("0." + "1" * 5_000),
        money("100.000"),
        money("100.00", "JPY"),
        money("100.00", "XXZ"),
        money("100.00", "usd"),
        money("100.00", "XAU"),
        money("100.00", ""),
        money("100.00", "U" * 5_000),
        money("1,000.00"),
        money("1_000.00"),
        money("١٢٣"),
        money("１００"),
        money(" 100.00"),
        money("100.00\n"),
        money("+100.00"),
        money("100."),
        money(".50"),
        money(""),
        money("NaN"),
        money("Infinity"),
        money("0x10"),
        money("9999999999999999.99"),
        {"amount": 100, "currency": "USD"},
        {"amount": 100.5, "currency": "USD"},
        {"amount": True, "currency": "USD"},
        {"amount": "100.00", "currency": None},
        {"amount": "100.00"},
        {"currency": "USD"},
        {"amount": "100.00", "currency": "USD", "minor": 1},
        "100.00 USD",
        100,
        ["100.00", "USD"],
        None,
        {},
    ],
)
def test_bad_money_is_a_422_at_once(office: Caller, fee: object) -> None:
    raw = json.dumps(ENGAGEMENT | {"fee": fee}).encode()
    begun = time.perf_counter()
    problem = refused(office, raw, 422, "/v1/engagements")
    assert time.perf_counter() - begun < 1
    assert problem["errors"][0]["pointer"].startswith("/fee")


@pytest.mark.parametrize("fee", [money("-100.00"), money("0.00"), money("-0.00")])
def test_a_fee_below_a_cent_is_refused_with_a_sentence(office: Caller, fee: dict[str, str]) -> None:
    answer = office.send("POST", "/v1/engagements", json=ENGAGEMENT | {"fee": fee})
    assert answer.status_code in (409, 422), answer.get_data(as_text=True)
    problem_of(answer)


@pytest.mark.parametrize("amount", ["0.00", "-5000.00"])
def test_a_receipt_of_nothing_is_refused_with_a_sentence(office: Caller, amount: str) -> None:
    number = office.get("/v1/invoices")["items"][0]["number"]
    receipt = {"invoice": number, "amount": money(amount), "received_on": "2026-11-01", "reference": "b"}
    answer = office.send("POST", "/v1/receipts", json=receipt)
    assert answer.status_code in (409, 422), answer.get_data(as_text=True)
    problem_of(answer)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("guarantee", money("-1.00")),
        ("cap", money("-1.00")),
        ("fund_shares", {"ssh": 10_001}),
        ("fund_shares", {"ssh": True}),
        ("fixed_fees", {"ssh": money("-1.00")}),
        ("fixed_fees", {"ssh": money("1.00", "EUR")}),
        ("fixed_fees", {"": money("1.00")}),
        ("guarantee", money("1.00", "EUR")),
        ("growth_bp", 10_001),
    ],
)
def test_terms_that_make_no_sense_are_refused_with_a_sentence(closed: Flask, field: str, value: object) -> None:
    lead = as_role(closed, Role.LEAD)
    terms = {"maintainer": "Grace", "from_month": "2026-12", field: value}
    answer = lead.send("POST", "/v1/pay-terms", json=terms)
    assert answer.status_code in (409, 422), answer.get_data(as_text=True)
    problem_of(answer)


def test_a_body_of_1_mb_is_read_and_one_byte_more_is_not(office: Caller) -> None:
    whole = json.dumps(CLIENT).encode()
    assert office.post_raw("/v1/clients", whole.ljust(MOST)).status_code == 201
    assert refused(office, whole.ljust(MOST + 1), 413)["detail"] == "The body is too large; send at most 1 MB."


@pytest.mark.parametrize("tail", [b" ", b"garbage", b" " * MOST])
def test_a_body_of_unknown_length_is_measured_and_never_cut(office: Caller, tail: bytes) -> None:
    raw = json.dumps(CLIENT).encode().ljust(MOST) + tail
    options: dict[str, Any] = {"environ_overrides": {"wsgi.input_terminated": True}, "input_stream": io.BytesIO(raw)}
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    answer = office.send("POST", "/v1/clients", headers=headers, **options)
    assert answer.status_code == 413, answer.get_data(as_text=True)
    problem_of(answer)


@pytest.mark.parametrize(
    "content_type",
    [
        *("text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"),
        *("application/merge-patch+json", "application/x+json", "application/json; charset=latin1"),
    ],
)
def test_another_type_of_content_is_a_415(office: Caller, content_type: str) -> None:
    answer = office.post_raw("/v1/clients", json.dumps(CLIENT).encode(), content_type)
    assert answer.status_code == 415
    assert "application/json" in problem_of(answer)["detail"]


def test_json_may_say_that_it_is_utf_8(office: Caller) -> None:
    answer = office.post_raw("/v1/clients", json.dumps(CLIENT).encode(), "application/json; charset=UTF-8")
    assert answer.status_code == 201


def test_compressed_bodies_are_a_415(office: Caller) -> None:
    raw = gzip.compress(json.dumps(CLIENT).encode())
    answer = office.post_raw("/v1/clients", raw, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415
    problem_of(answer)


def test_an_unknown_address_is_a_404_problem(office: Caller) -> None:
    for path in ("/", "/v1", "/v1/salaries", "/v1/clients/", "/v2/clients", "/v1/payout-runs/RUN-1/files"):
        assert office.get(path, status=404)["detail"].startswith("There is nothing at this address")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/clients", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("PUT", "/v1/firm", {"GET", "HEAD", "OPTIONS", "PATCH"}),
        ("PATCH", "/v1/months/2026-10", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/v1/months/2026-10/close", {"OPTIONS", "POST"}),
        ("BREW", "/v1/firm", {"GET", "HEAD", "OPTIONS", "PATCH"}),
    ],
)
def test_a_wrong_method_is_a_405_that_names_the_right_ones(
    office: Caller, method: str, path: str, allowed: set[str]
) -> None:
    answer = office.send(method, path)
    assert answer.status_code == 405
    assert {one.strip() for one in answer.headers["Allow"].split(",")} == allowed
    problem_of(answer)


@pytest.mark.parametrize("given", ["abc", "A.b_c-1", "x" * 100])
def test_a_request_id_comes_back(office: Caller, given: str) -> None:
    answer = office.send("GET", "/v1/nothing", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given
    assert problem_of(answer)["request_id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 101, "ключ", "<script>", "a;b", "a/b"])
def test_a_malformed_request_id_is_replaced(office: Caller, given: str) -> None:
    headers = {"X-Request-Id": given.encode().decode("latin-1")}
    found = office.send("GET", "/v1/firm", headers=headers).headers["X-Request-Id"]
    assert found.startswith("req_")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/clients/a%00b",
        "/v1/packages/%00",
        "/v1/statements/%00",
        "/v1/engagements/%ED%A0%80",
        "/v1/invoices/%FF%FE",
        "/v1/payout-runs/%00",
        "/v1/journal-entries/%00",
        "/v1/journal-entries/ent_99999999999999999999999999",
        "/v1/journal-entries/ent_-1",
        "/v1/maintainers/'%20OR%201=1--",
        "/v1/pay-terms/" + "x" * 4_000,
        "/v1/work-items?package=%00",
        "/v1/work-items?package=%ED%A0%80",
    ],
)
def test_hostile_keys_are_not_found_on_both_engines(served: Flask, path: str) -> None:
    with served.app_context():
        lovelace.establish()
    answer = as_role(served, Role.LEAD).send("GET", path)
    assert answer.status_code in (400, 404, 414, 422), answer.get_data(as_text=True)
    problem_of(answer)


def test_a_name_with_wildcards_is_taken_literally(office: Caller) -> None:
    for key in ("%25", "A%25", "_cme", "acme%27--"):
        assert office.get(f"/v1/clients/{key}", status=404)


def test_an_error_inside_shows_nothing_of_the_inside(tmp_path: Any) -> None:
    app = create_app(settings_for(f"sqlite:///{tmp_path}/empty.db"))
    caller = Caller(app, {"Authorization": f"Bearer {new_secret()}"})
    answer = caller.send("GET", "/v1/clients")
    assert answer.status_code in (500, 503)
    problem = problem_of(answer)
    assert "quote the request id" in problem["detail"] or "database" in problem["detail"]
    assert str(tmp_path) not in answer.get_data(as_text=True)


def test_a_failing_table_shows_nothing_of_the_inside(closed: Flask, office: Caller) -> None:
    with closed.app_context(), db.engine.begin() as connection:
        connection.execute(text("PRAGMA foreign_keys = OFF"))
        connection.execute(text("ALTER TABLE tier RENAME TO gone"))
    answer = office.send("GET", "/v1/tiers")
    assert answer.status_code == 500
    assert problem_of(answer)["type"].endswith("/internal-error")


def test_a_database_that_is_away_is_a_503_and_not_a_500() -> None:
    app = create_app(settings_for("postgresql://nobody@127.0.0.1:9/nothing"))
    ready = anonymous(app).send("GET", "/readyz")
    assert ready.status_code == 503
    assert not ready.get_json()["checks"]["database"]["ok"]
    answer = Caller(app, {"Authorization": f"Bearer {new_secret()}"}).send("GET", "/v1/firm")
    assert answer.status_code == 503
    assert problem_of(answer)["type"].endswith("/database-away")


def test_every_answer_says_not_to_sniff_and_not_to_keep(office: Caller) -> None:
    for path in ("/v1/firm", "/v1/nothing", "/healthz"):
        headers = office.send("GET", path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
