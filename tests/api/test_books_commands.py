"""Assignments are listed, and entries reversed, at the shell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from click.testing import CliRunner
from flask import Flask

from api.cli import main
from firm import ids
from firm.db import transaction
from firm.ledger import accounts, journal
from firm.ledger.entry import Entry, credit, debit
from tests import lovelace
from tests.databases import TEST_KEY

Run = Callable[..., str]


@pytest.fixture
def run(closed_url: str) -> Run:
    environment = {"CHAMBERS_DATABASE_URL": closed_url, "CHAMBERS_SECRET_KEYS": TEST_KEY, "CHAMBERS_TOKEN": ""}

    def call(*words: str, exit_code: int = 0) -> str:
        with time_machine.travel(lovelace.AFTER + timedelta(hours=1)):
            result = CliRunner().invoke(main, list(words), env=environment)
        assert result.exit_code == exit_code, result.output
        return result.output

    return call


def test_assignments_are_listed_by_person_package_and_day(run: Run) -> None:
    whole = run("assignment", "list").splitlines()
    of_grace = run("assignment", "list", "--maintainer", "Grace").splitlines()
    assert of_grace == [line for line in whole if "  Grace  " in line] != []
    of_ssh = run("assignment", "list", "--package", "ssh").splitlines()
    assert of_ssh == [line for line in whole if "  ssh  " in line] != []
    first = of_grace[0].split()[0]
    run("assignment", "end", first, "--on", "2027-02-01")
    assert first in run("assignment", "list", "--on", "2027-01-31")
    assert first not in run("assignment", "list", "--on", "2027-02-01")
    assert "until 2027-02-01" in run("assignment", "list", "--maintainer", "Grace")
    assert "There is no such assignment" in run("assignment", "list", "--on", "2020-01-01")
    assert "There is no maintainer 'Nobody'" in run("assignment", "list", "--maintainer", "Nobody", exit_code=1)


def test_an_entry_that_other_records_stand_on_is_not_reversed_alone(run: Run) -> None:
    journal = run("books", "journal", "2026-10")
    entry = journal.partition(", ent_")[2].partition("]")[0]
    reverse = ("--on", "2026-11-01", "--reason", "A slip of the pen")
    refused = run("books", "reverse", f"ent_{entry}", *reverse, exit_code=1)
    assert "it is not reversed in the books alone" in refused
    assert "There is no journal entry 'ent_1'" in run("books", "reverse", "ent_1", *reverse, exit_code=1)


def test_a_slip_is_taken_back_once(run: Run, closed: Flask) -> None:
    lines = (debit(accounts.EXCHANGE, lovelace.usd("9.00")), credit(accounts.BANK, lovelace.usd("9.00")))
    with closed.app_context(), transaction() as session:
        entry = Entry("lunch", lovelace.AFTER.date(), "Lunch", lines)
        number = journal.post(session, entry, by=lovelace.LEAD, now=lovelace.AFTER)
    known_by = ids.numbered("ent", number)
    assert f"[lunch, {known_by}]" in run("books", "journal", "2026-11")
    reverse = ("books", "reverse", known_by, "--on", "2026-11-01", "--reason", "Eaten twice")
    assert run(*reverse).startswith(f"{known_by} is reversed by ent_")
    assert "reversed already" in run(*reverse, exit_code=1)
