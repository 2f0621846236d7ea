"""The journal as a file: the same entries in every format, balanced, guarded, and on record."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import text

from firm.actor import Role
from firm.db import reading, transaction, use_case
from firm.ledger import exports, journal
from firm.ledger.entry import Entry, credit, debit
from tests import lovelace
from tests.api.callers import Caller, as_role
from tests.api.test_command_line import Shell

FORMATS = ("hledger", "beancount", "csv")
HOSTILE = '=HYPERLINK("https://evil.example"); x\n2026-11-01 * \\ forged'


@pytest.fixture
def accountant(closed: Flask) -> Caller:
    return as_role(closed, Role.ACCOUNTANT)


def exported(caller: Caller, form: str, query: str = "") -> str:
    answer = caller.send("GET", f"/v1/ledger-exports/{form}{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def balances_of(form: str, told: str) -> dict[tuple[str, str], Decimal]:
    """What a reader of the file adds up, by account in lower case and currency."""
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    if form == "csv":
        for row in csv.DictReader(io.StringIO(told)):
            found[row["account"], row["currency"]] += Decimal(row["amount"])
    else:
        for match in re.finditer(r"(?m)^ {2,4}([A-Za-z:\-]+)  (-?[0-9.]+) ([A-Z]{3})(?:  ;.*)?$", told):
            found[match[1].lower(), match[3]] += Decimal(match[2])
    return dict(found)


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_adds_up_to_the_trial_balance(accountant: Caller, form: str) -> None:
    rows = accountant.get("/v1/trial-balance")["accounts"]
    expected = {(row["account"], row["balance"]["currency"]): Decimal(row["balance"]["amount"]) for row in rows}
    found = balances_of(form, exported(accountant, form))
    assert found == {key: amount for key, amount in expected.items() if key in found or amount}
    assert sum(found.values()) == 0


@pytest.mark.parametrize("form", FORMATS)
def test_a_long_journal_is_written_a_page_at_a_time(
    accountant: Caller, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = exported(accountant, form)
    monkeypatch.setattr(exports, "PAGE", 2)
    assert exported(accountant, form) == whole


@pytest.mark.parametrize("form", FORMATS)
def test_the_months_that_are_asked_for_are_exported_and_no_others(accountant: Caller, form: str) -> None:
    october = exported(accountant, form, "?from_month=2026-10&until_month=2026-11")
    assert balances_of(form, october) == balances_of(form, exported(accountant, form))
    assert balances_of(form, exported(accountant, form, "?from_month=2026-11&until_month=2026-12")) == {}
    refused = accountant.get(f"/v1/ledger-exports/{form}?from_month=2026-11&until_month=2026-11", status=422)
    assert refused["errors"][0]["parameter"] == "until_month"


@use_case
def post_hostile() -> None:
    lines = (debit("assets:bank", lovelace.usd("1.00")), credit("income:retainers", lovelace.usd("1.00")))
    with transaction() as session:
        entry = Entry("test:1", lovelace.AFTER.date(), HOSTILE, lines)
        journal.post(session, entry, by=lovelace.LEAD, now=lovelace.AFTER)


def test_what_people_wrote_is_text_in_every_format(closed: Flask, accountant: Caller) -> None:
    with closed.app_context():
        post_hostile()
    query = "?from_month=2026-11&until_month=2026-12"
    hledger, beancount, table = (exported(accountant, form, query) for form in FORMATS)
    heads = [line for line in hledger.splitlines() if re.match("[0-9]", line)]
    assert len(heads) == 1
    assert ";" not in heads[0]
    heads = [line for line in beancount.splitlines() if re.match("[0-9].* [*]", line)]
    assert heads == ['2026-11-01 * "=HYPERLINK(\\"https://evil.example\\"); x 2026-11-01 * \\\\ forged"']
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert {row["narration"] for row in rows} == {"'" + HOSTILE}
    assert [row["amount"] for row in rows] == ["1.00", "-1.00"]


def test_every_account_is_opened_for_beancount(accountant: Caller) -> None:
    told = exported(accountant, "beancount")
    opened = dict(re.findall(r"(?m)^2026-[0-9-]+ open (\S+) (\S+)$", told))
    assert opened["Liabilities:Deferred-revenue"] == "USD"
    assert set(re.findall(r"(?m)^  ([A-Z][A-Za-z:\-]+)  -?[0-9]", told)) <= set(opened)


def test_each_export_is_on_record(closed: Flask, accountant: Caller) -> None:
    exported(accountant, "csv", "?from_month=2026-10")
    with closed.app_context(), reading() as session:
        query = text("SELECT actor, facts FROM audit_record WHERE verb = 'ledger.exported'")
        [(actor, facts)] = session.execute(query).all()
    assert actor == "accountant"
    assert '"from_month": "2026-10"' in facts or '"from_month":"2026-10"' in facts


def test_a_file_says_what_it_is(accountant: Caller) -> None:
    answer = accountant.send("GET", "/v1/ledger-exports/csv?from_month=2026-10&until_month=2026-11")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == "attachment; filename=ledger.csv"


def test_those_who_read_the_books_export_them_and_in_no_other_format(closed: Flask, accountant: Caller) -> None:
    assert "take one of hledger, beancount, csv" in accountant.get("/v1/ledger-exports/ofx", status=404)["detail"]
    for role in (Role.LEAD, Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR):
        exported(as_role(closed, role), "hledger")
    grace = as_role(closed, Role.MAINTAINER, subject="mnt_1")
    grace.get("/v1/ledger-exports/csv", status=403)


def test_the_shell_prints_the_same_file_for_those_who_read_the_books(closed_url: str, accountant: Caller) -> None:
    shell = Shell(closed_url).as_bearer(accountant.headers["Authorization"].removeprefix("Bearer "))
    for form in FORMATS:
        assert shell.run("export", "ledger", "--format", form) == exported(accountant, form).replace("\r\n", "\n")
