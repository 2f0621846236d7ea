"""Adjustments, advances, corrected statements and papers of a month, over HTTP and at the shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import time_machine
from click.testing import CliRunner, Result
from flask import Flask

from api.cli import main
from api.jobs import KINDS
from api.worker import Worker
from firm.actor import Role
from firm.db import reading
from staffing.maintainers import queries as maintainers
from tests import lovelace
from tests.api.callers import Caller, as_role, money


@pytest.fixture
def lead(closed: Flask) -> Caller:
    return as_role(closed, Role.LEAD)


def maintainer(app: Flask, name: str) -> Caller:
    with app.app_context(), reading() as session:
        subject = maintainers.find(session, name).id
    return as_role(app, Role.MAINTAINER, name=name, subject=subject)


def correction(amount: str) -> dict[str, object]:
    return {
        "maintainer": "Grace",
        "kind": "correction",
        "amount": money(amount),
        "adjusts": "2026-10",
        "package": "ssh",
        "reason": "A release was counted twice",
    }


def test_an_adjustment_is_made_shown_and_taken_back(lead: Caller) -> None:
    made = lead.post("/v1/adjustments", correction("-87.25"))
    assert (made["number"], made["month"], made["adjusts"]) == ("ADJ-2026-0001", "2026-11", "2026-10")
    assert made["funded"] == money("-87.25")
    assert lead.get(f"/v1/adjustments/{made['number']}") == made
    back = lead.post(f"/v1/adjustments/{made['id']}/reversal", {"reason": "It was right"})
    assert (back["amount"], back["reverses_id"]) == (money("87.25"), made["id"])
    assert [one["id"] for one in lead.get("/v1/adjustments?month=2026-11")["items"]] == [made["id"], back["id"]]
    assert lead.get("/v1/adjustments?month=2026-10")["items"] == []
    lead.post(f"/v1/adjustments/{made['id']}/reversal", {"reason": "Again"}, status=409)


def test_maintainers_see_their_own_and_make_none(closed: Flask, lead: Caller) -> None:
    made = lead.post("/v1/adjustments", correction("-87.25"))
    granted = {"maintainer": "Grace", "kind": "advance", "amount": money("500.00"), "reason": "A new laptop"}
    lead.post("/v1/adjustments", granted)
    grace, ada = maintainer(closed, "Grace"), maintainer(closed, "Ada")
    assert len(grace.get("/v1/adjustments")["items"]) == 2
    assert [one["outstanding"] for one in grace.get("/v1/advances")["items"]] == [money("500.00")]
    assert ada.get("/v1/adjustments")["items"] == ada.get("/v1/advances")["items"] == []
    ada.get(f"/v1/adjustments/{made['id']}", status=404)
    grace.post("/v1/adjustments", granted, status=403)


def test_the_office_adjusts_within_the_limit(closed: Flask, lead: Caller) -> None:
    office = as_role(closed, Role.ADMINISTRATOR)
    refused = office.post("/v1/adjustments", correction("-1.00"), status=409)
    assert "the lead makes them" in refused["detail"]


def test_a_statement_is_corrected_by_the_lead(closed: Flask, lead: Caller) -> None:
    [first] = [one for one in lead.get("/v1/statements")["items"] if one["number"] == "ST-2026-0001"]
    body = {"reason": "It was unclear", "explanations": [{"line": 1, "explanation": "The guarantee"}]}
    again = lead.post(f"/v1/statements/{first['number']}/correction", body)
    assert (again["version"], again["corrects_id"], again["reason"]) == (2, first["id"], "It was unclear")
    assert again["figures"]["corrects"]["number"] == "ST-2026-0001"
    assert lead.get("/v1/statements/ST-2026-0001")["sha256"] == first["sha256"]
    as_role(closed, Role.ADMINISTRATOR).post(f"/v1/statements/{first['id']}/correction", body, status=403)


def test_the_papers_of_a_month_are_an_operation(
    closed: Flask, lead: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = closed.extensions["chambers"]
    settings = parts.settings.model_copy(update={"papers": tmp_path})
    monkeypatch.setitem(closed.extensions, "chambers", type(parts)(settings, parts.rails, parts.keys, parts.sender))
    lead.post("/v1/months/2026-11/statements/papers", status=404)
    operation = lead.post("/v1/months/2026-10/statements/papers", status=202)
    assert Worker(closed, KINDS).run(once=True) >= 1
    done = lead.get(f"/v1/operations/{operation['id']}")
    assert (done["state"], done["done"], done["total"]) == ("done", 2, 2)
    assert len(lead.get(done["result"])["items"]) == len(list((tmp_path / "2026-10").glob("*.pdf"))) == 2


def test_the_same_at_the_shell(closed_url: str, tmp_path: Path) -> None:
    def run(*words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(main, list(words), env={"CHAMBERS_DATABASE_URL": closed_url})
        assert result.exit_code == code, result.output
        return result

    with time_machine.travel(lovelace.AFTER):
        why = ("--reason", "A release was counted twice")
        about = ("--adjusts", "2026-10", "--package", "ssh")
        added = run("adjustment", "add", "correction", "Grace", "-87.25 USD", *about, *why)
        assert "ADJ-2026-0001: -87.25 USD for Grace in November 2026." in added.stdout
        run("adjustment", "add", "advance", "Ada", "500.00 USD", "--reason", "A new laptop")
        assert "Ada" in run("adjustment", "advances").stdout
        assert "takes ADJ-2026-0001 back" in run("adjustment", "reverse", "ADJ-2026-0001", *why).stdout
        listed = json.loads(run("adjustment", "list", "--month", "2026-11", "--json").stdout)
        assert [one["kind"] for one in listed] == ["correction", "advance", "correction"]
        assert "Reversal: Correction  87.25 USD" in run("adjustment", "list").stdout
        assert "Beyond 100.00 USD" in run("firm", "adjustment-limit", "100.00 USD").stdout
        terms = ("--maintainer", "Ada", "--from", "2026-11", "--recovery-rate", "10", "--fees-borne-by", "payee")
        terms = (*terms, "--guarantee", "0.00 USD")
        assert "Ada has terms" in run("terms", "set", *terms).stdout
        reissued = run("reissue", "Grace", "2026-10", "--reason", "It was unclear", "--explain", "1", "The guarantee")
        assert "ST-2026-0003 takes the place of ST-2026-0001" in reissued.stdout
        everybody = ("statement", "--month", "2026-10", "--all", "--out", str(tmp_path / "all"))
        assert "3 statements were written" in run(*everybody).stdout
        assert "0 statements were written" in run(*everybody).stdout
        run("statement", code=2)
        run("statement", "--all", code=2)
