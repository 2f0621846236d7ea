"""What is on record over HTTP: histories of things, denied attempts, and the head of the chain on papers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from api import evidence
from api.app import create_app
from api.worker import Worker
from firm import clock
from firm.access.tokens import revoke_token
from firm.actor import Role
from firm.audit import anchors, sequencer
from firm.db import db
from firm.documents import papers
from firm.settings import Settings
from tests import lovelace
from tests.api.callers import SYSTEM, Caller, as_role, bearing
from tests.databases import settings_for

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def linked(app: Flask) -> None:
    with app.app_context():
        sequencer.run(now=clock.now())


@pytest.fixture
def lead(served: Flask) -> Caller:
    with served.app_context():
        lovelace.establish()
    return as_role(served, Role.LEAD)


def records(caller: Caller, **filters: str) -> list[dict[str, object]]:
    linked(caller.app)
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    items: list[dict[str, object]] = caller.get(f"/v1/audit-records?limit=200&{query}")["items"]
    return items


def test_a_thing_has_a_history(lead: Caller) -> None:
    kim = lead.post("/v1/principals", {"name": "kim", "role": "administrator"})
    lead.send("PATCH", "/v1/principals/kim", json={"may_approve": True})
    history = records(lead, subject=kim["id"])
    assert [record["verb"] for record in history] == ["principal.enrolled", "principal.changed"]
    changed = history[1]
    assert (changed["actor"], changed["role"]) == ("lead", "lead")
    assert changed["token_id"] == lead.get("/v1/me")["token_id"]
    assert str(changed["request_id"]).startswith("req_")
    assert changed["before_sha256"] != changed["after_sha256"]
    assert None not in (changed["before_sha256"], changed["after_sha256"])


def test_a_denied_attempt_is_on_record_once_a_minute(served: Flask, lead: Caller) -> None:
    office = as_role(served, Role.ADMINISTRATOR)
    with time_machine.travel(lovelace.AFTER, tick=False):
        for _ in range(5):
            office.post("/v1/tokens", {"name": "spy", "role": "lead"}, status=403)
    with time_machine.travel(lovelace.AFTER.replace(minute=30), tick=False):
        office.post("/v1/tokens", {"name": "spy", "role": "lead"}, status=403)
    denied = records(lead, verb="attempt.denied")
    assert [(record["actor"], record["subject"]) for record in denied] == [("administrator", "POST tokens.issued")] * 2


def test_reaching_for_anothers_thing_is_on_record(closed: Flask) -> None:
    lead = as_role(closed, Role.LEAD)
    people = {one["name"]: one["id"] for one in lead.get("/v1/maintainers")["items"]}
    statements = {one["maintainer_id"]: one["id"] for one in lead.get("/v1/statements")["items"]}
    grace = as_role(closed, Role.MAINTAINER, name="grace", subject=people["Grace"])
    ada = people["Ada"]
    for _ in range(2):
        grace.get(f"/v1/statements/{statements[ada]}", status=404)
        grace.get(f"/v1/maintainers/{ada}", status=404)
        grace.post(f"/v1/tokens/{lead.get('/v1/me')['token_id']}/rotation", {}, status=404)
    grace.get(f"/v1/statements/{statements[people['Grace']]}")
    # What is not there is noted too: whoever measures how long a 404 takes must not learn which of the two it is.
    grace.get("/v1/pay-terms/ptm_1", status=404)
    denied = records(lead, verb="attempt.denied")
    assert {record["actor"] for record in denied} == {"grace"}
    assert [record["subject"] for record in denied] == [
        "GET statements.shown",
        "GET maintainers.shown",
        "POST tokens.rotated",
        "GET pay_terms.shown",
    ]
    assert denied[0]["facts"]["address"] == f"/v1/statements/{statements[ada]}"


def test_a_secret_that_is_shown_again_is_on_record(served: Flask, lead: Caller) -> None:
    headers = {"Idempotency-Key": "once"}
    first, again = (
        lead.send("POST", "/v1/tokens", json={"name": "bot", "role": "auditor"}, headers=headers) for _ in range(2)
    )
    assert first.get_json() == again.get_json()
    [record] = records(lead, verb="answer.shown-again")
    assert (record["actor"], record["facts"]) == ("lead", {"route": "/v1/tokens"})


def test_what_a_view_forbids_is_on_record_too(closed: Flask) -> None:
    lead, office = as_role(closed, Role.LEAD), as_role(closed, Role.ADMINISTRATOR)
    body = {"kind": "terms", "content": "maintainer\r\n", "dry_run": True}
    for key in ("one", "two"):
        refused = office.send("POST", "/v1/imports", json=body, headers={"Idempotency-Key": key})
        assert refused.status_code == 403
    narrow = bearing(closed, lead.post("/v1/principals/lead/tokens", {"scopes": ["write:tokens"]})["secret"])
    narrow.post("/v1/tokens", {"name": "spy", "role": "lead"}, status=403)
    denied = [(record["actor"], record["subject"]) for record in records(lead, verb="attempt.denied")]
    assert denied == [("administrator", "POST imports.taken_in"), ("lead", "POST tokens.issued")]


def test_a_dead_token_leaves_a_trace_and_an_unknown_one_none(served: Flask, lead: Caller) -> None:
    leaver = as_role(served, Role.AUDITOR, name="leaver")
    with served.app_context():
        revoke_token("leaver", by=SYSTEM, now=clock.now())
    leaver.get("/v1/firm", status=401)
    Caller(served, {"Authorization": "Bearer chm_nothing"}).get("/v1/firm", status=401)
    [record] = records(lead, verb="attempt.denied")
    assert (record["actor"], record["subject"]) == ("leaver", "GET firm.show")


def test_only_those_who_read_everything_read_the_log(served: Flask) -> None:
    for role, status in ((Role.AUDITOR, 200), (Role.ACCOUNTANT, 200), (Role.LEAD, 200)):
        assert as_role(served, role).send("GET", "/v1/audit-records").status_code == status
    with served.app_context():
        lovelace.set_up()
    grace = as_role(served, Role.MAINTAINER, subject="mnt_1")
    assert grace.send("GET", "/v1/audit-records").status_code == 403


def test_a_statement_carries_the_head_of_the_chain_at_its_issue(closed: Flask) -> None:
    lead = as_role(closed, Role.LEAD)
    with closed.app_context():
        db.session.remove()
    figures = lead.get(f"/v1/statements/{lead.get('/v1/statements')['items'][0]['id']}")["figures"]
    assert set(figures["audit"]) == {"seq", "head"}
    shown = {**figures, "audit": {"seq": 412, "head": "3fa9c01b7de24410"}}
    assert "Audit 412 3fa9c01b7de24410" in papers.html(shown).decode()
    assert papers.pdf(shown) == papers.pdf(shown)
    plain = {name: value for name, value in figures.items() if name != "audit"}
    assert "Audit" not in papers.html(plain).decode()


@pytest.fixture
def anchored(sqlite_url: str, tmp_path: Path) -> Iterator[Flask]:
    settings = settings_for(sqlite_url).model_dump() | {"audit_key": KEY, "audit_anchors": tmp_path / "anchors.jsonl"}
    app = create_app(Settings(**settings))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def test_work_goes_on_while_anchors_cannot_be_written(
    closed_url: str, barred: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_for(closed_url).model_dump() | {"audit_key": KEY, "audit_anchors": barred / "anchors.jsonl"}
    app = create_app(Settings(**settings))
    lead = as_role(app, Role.LEAD)
    with time_machine.travel(lovelace.AFTER, tick=False):
        assert lead.post("/v1/months/2026-10/close", status=200)["month"] == "2026-10"
        assert "no anchor of the audit chain was kept" in caplog.text
        caplog.clear()
        with app.app_context():
            Worker(app, {}).run(once=True)
            assert "no anchor of the audit chain was kept" in caplog.text
            assert sequencer.waiting_since(now=clock.now()) == timedelta(0)
            db.session.remove()
            db.engine.dispose()


def test_no_new_file_begins_by_itself_where_anchors_are_gone(
    anchored: Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lovelace.establish()
    path = tmp_path / "anchors.jsonl"
    evidence.keep(now=lovelace.AFTER)
    path.unlink()
    for day in (3, 9):
        evidence.keep(now=lovelace.AFTER.replace(day=day))
        assert not path.exists()
    assert "put back a copy of the file" in caplog.text
    evidence.drop_anew(by=lovelace.LEAD, now=lovelace.AFTER.replace(day=9))
    evidence.keep(now=lovelace.AFTER.replace(day=11))
    assert [anchor.at.day for anchor in anchors.read(path, key=bytes(range(32)))] == [9, 11]


def test_anchors_that_contradict_stop_the_close(anchored: Flask, tmp_path: Path) -> None:
    lovelace.set_up()
    (tmp_path / "anchors.jsonl").write_text('{"v": 1, "seq": 1, "hash": "0", "at": "2026-10-31", "signature": ""}\n')
    lead = as_role(anchored, Role.LEAD)
    with time_machine.travel(lovelace.AFTER, tick=False):
        assert lead.post("/v1/months/2026-10/close", status=409)["type"].endswith("/anchor-broken")


def test_an_anchor_is_dropped_once_a_day(anchored: Flask, tmp_path: Path) -> None:
    lovelace.establish()
    for hour in (9, 12, 20):
        evidence.keep(now=lovelace.AFTER.replace(hour=hour))
    evidence.keep(now=lovelace.AFTER.replace(day=3, hour=10))
    key = bytes(range(32))
    assert [anchor.at.day for anchor in anchors.read(tmp_path / "anchors.jsonl", key=key)] == [1, 3]
