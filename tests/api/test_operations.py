"""Long work over HTTP: 202, progress, a result or a problem, and the rights of whoever asked at the time it runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

from api.jobs import KINDS
from api.worker import Worker
from firm.access import principals, tokens
from firm.actor import Role
from firm.audit.model import audit_record
from firm.db import reading, transaction
from firm.recovery import operations as recovery
from payouts.runs import queries as runs
from staffing.assignments import operations as assignments
from staffing.maintainers import operations as maintainers
from tests import lovelace
from tests.api.callers import SYSTEM, Caller, as_role, problem_of
from tests.api.conftest import serving

ASYNC = {"Prefer": "respond-async"}
CLOSE = "/v1/months/2026-10/close"


@pytest.fixture
def firm(fresh_url: str) -> Iterator[Flask]:
    """The firm of the examples on 1 November, its October not closed, served on each engine."""
    with time_machine.travel(lovelace.AFTER):
        for app in serving(fresh_url):
            with app.app_context():
                lovelace.set_up()
            yield app


@pytest.fixture
def lead(firm: Flask) -> Caller:
    return as_role(firm, Role.LEAD)


def ask(caller: Caller, path: str = CLOSE, **headers: str) -> str:
    """Where the operation can be watched."""
    answer = caller.send("POST", path, headers={**ASYNC, **headers})
    assert answer.status_code == 202, answer.get_data(as_text=True)
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert answer.get_json()["state"] == "queued"
    return str(answer.headers["Location"])


def work(app: Flask) -> None:
    Worker(app, KINDS).run(once=True)


def test_a_month_is_closed_in_the_background(firm: Flask, lead: Caller) -> None:
    place = ask(lead)
    waiting = lead.send("GET", place)
    assert (waiting.headers["Retry-After"], waiting.get_json()["done"]) == ("1", 0)
    assert lead.get("/v1/months/2026-10")["state"] == "open"
    work(firm)
    answer = lead.send("GET", place)
    found = answer.get_json()
    assert "Retry-After" not in answer.headers
    assert (found["state"], found["done"], found["total"]) == ("done", 7, 7)
    assert lead.get(found["result"])["closed"] is True
    assert answer.headers["ETag"] != waiting.headers["ETag"]
    with firm.app_context():
        lovelace.assert_books_hold()


def test_without_the_wish_a_month_is_closed_within_the_request(firm: Flask, lead: Caller) -> None:
    assert lead.post(CLOSE)["closed"] is True
    assert lead.get("/v1/operations")["items"] == []


def test_what_is_done_in_the_background_is_audited_as_done_by_who_asked(firm: Flask, lead: Caller) -> None:
    ask(lead, **{"X-Request-Id": "from-the-dashboard"})
    work(firm)
    assert closings(firm) == [("lead", "from-the-dashboard")]


def closings(app: Flask) -> list[tuple[str, str]]:
    """Who closed a month, and through which request, as audited."""
    with app.app_context(), reading() as session:
        columns = audit_record.c
        closed = select(columns.actor, columns.request_id).where(columns.verb == "month.closed")
        return [tuple(row) for row in session.execute(closed)]


def test_what_stands_in_the_way_is_said_at_once(lead: Caller) -> None:
    answer = lead.send("POST", "/v1/months/2026-11/close", headers=ASYNC)
    assert answer.status_code == 409
    assert "November 2026 is not over" in problem_of(answer)["detail"]


def test_what_comes_to_stand_in_the_way_is_the_problem_it_ends_with(firm: Flask, lead: Caller) -> None:
    place = ask(lead, **{"X-Request-Id": "from-the-dashboard"})
    with firm.app_context():
        maintainers.add(
            name="Edsger",
            email="edsger@lovelace.example",
            country="NL",
            grade="junior",
            works_as="subcontractor",
            by=lovelace.LEAD,
            now=lovelace.AFTER,
        )
        assignments.assign(
            maintainer="Edsger",
            package="age",
            role="co-maintainer",
            share_bp=100,
            from_on=lovelace.START,
            by=lovelace.LEAD,
            now=lovelace.AFTER,
        )
    work(firm)
    found = lead.get(place)
    problem = found["problem"]
    assert (found["state"], problem["status"], problem["request_id"]) == ("refused", 409, "from-the-dashboard")
    assert "Edsger" in problem["detail"]


def test_the_same_key_asks_for_one_operation(firm: Flask, lead: Caller) -> None:
    key = {"Idempotency-Key": "close-october"}
    first, again = (lead.send("POST", CLOSE, headers={**ASYNC, **key}) for _ in range(2))
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.status_code, again.headers["Location"]) == (202, first.headers["Location"])
    assert again.get_data() == first.get_data()
    assert len(lead.get("/v1/operations")["items"]) == 1


def test_two_who_ask_to_close_a_month_close_it_once(firm: Flask, lead: Caller) -> None:
    places = [ask(lead), ask(as_role(firm, Role.ADMINISTRATOR))]
    work(firm)
    assert [lead.get(place)["state"] for place in places] == ["done", "done"]
    assert len(closings(firm)) == 1


@pytest.mark.parametrize("change", ["revoked", "shut out", "other role", "narrowed"])
def test_who_may_no_longer_do_it_is_refused_when_it_runs(firm: Flask, lead: Caller, change: str) -> None:
    leaver = as_role(firm, Role.ADMINISTRATOR, name="leaver")
    place = ask(leaver)
    with firm.app_context():
        if change == "revoked":
            tokens.revoke_token("leaver", by=SYSTEM, now=lovelace.AFTER)
        elif change == "shut out":
            principals.change("leaver", disabled=True, by=SYSTEM, now=lovelace.AFTER)
        else:
            role = Role.AUDITOR if change == "other role" else Role.LEAD
            principals.change("leaver", role=role, by=SYSTEM, now=lovelace.AFTER)
    work(firm)
    found = lead.get(place)
    assert (found["state"], found["problem"]["status"], found["result"]) == ("refused", 403, None)
    assert lead.get("/v1/months/2026-10")["state"] == "open"
    with firm.app_context(), reading() as session:
        denied = "SELECT actor, subject FROM audit_record WHERE verb = 'attempt.denied'"
        assert session.execute(text(denied)).all() == [("leaver", "job months.close")]


def test_a_run_is_released_in_the_background(firm: Flask, lead: Caller) -> None:
    lead.post(CLOSE)
    run = as_role(firm, Role.ADMINISTRATOR).post("/v1/payout-runs")
    path = f"/v1/payout-runs/{run['id']}"
    early = lead.send("POST", f"{path}/release", headers=ASYNC)
    assert early.status_code == 409
    assert "can be sent once it is approved" in problem_of(early)["detail"]
    lead.post(f"{path}/proposal")
    as_role(firm, Role.APPROVER).post(f"{path}/approval")
    place = ask(lead, f"{path}/release")
    work(firm)
    found = lead.get(place)
    assert (found["state"], found["done"], found["total"], found["result"]) == ("done", 2, 2, path)
    assert {payout["state"] for payout in lead.get(path)["payouts"]} == {"sent"}
    with firm.app_context(), reading() as session:
        assert runs.find(session, run["id"]).state == "releasing"


def test_a_run_that_was_changed_since_it_was_seen_is_not_released(firm: Flask, lead: Caller) -> None:
    lead.post(CLOSE)
    run = as_role(firm, Role.ADMINISTRATOR).post("/v1/payout-runs")
    path = f"/v1/payout-runs/{run['id']}"
    lead.post(f"{path}/proposal")
    as_role(firm, Role.APPROVER).post(f"{path}/approval")
    answer = lead.send("POST", f"{path}/release", headers={**ASYNC, "If-Match": '"of-yesterday"'})
    assert answer.status_code == 412
    assert lead.get("/v1/operations")["items"] == []


def test_operations_are_listed_page_by_page(firm: Flask, lead: Caller) -> None:
    places = [ask(lead) for _ in range(3)]
    first = lead.get("/v1/operations?limit=2")
    second = lead.get(f"/v1/operations?limit=2&cursor={first['next']}")
    found = [f"/v1/operations/{item['id']}" for item in first["items"] + second["items"]]
    assert found == places
    assert second["next"] is None


def test_jobs_that_are_no_operations_are_not_shown(firm: Flask, lead: Caller) -> None:
    work(firm)
    assert lead.get("/v1/operations")["items"] == []
    assert lead.get("/v1/operations/job_nothing", status=404)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR])
def test_the_office_and_the_auditor_may_watch(firm: Flask, lead: Caller, role: Role) -> None:
    place = ask(lead)
    assert as_role(firm, role, name="watcher").get(place)["kind"] == "months.close"


@pytest.mark.parametrize("role", [Role.ACCOUNTANT])
def test_others_may_not(firm: Flask, lead: Caller, role: Role) -> None:
    assert as_role(firm, role, name="watcher").get(ask(lead), status=403)


def test_restored_books_release_no_run(firm: Flask, lead: Caller) -> None:
    """At once it is refused; what was asked for before the loss waits for the reconciliation."""
    lead.post(CLOSE)
    run = as_role(firm, Role.ADMINISTRATOR).post("/v1/payout-runs")
    path = f"/v1/payout-runs/{run['id']}"
    lead.post(f"{path}/proposal")
    as_role(firm, Role.APPROVER).post(f"{path}/approval")
    place = ask(lead, f"{path}/release")
    with firm.app_context(), transaction() as session:
        begun = recovery.begun(source="backup", taken_at=lovelace.AFTER, chain=(0, "0" * 64), now=lovelace.AFTER)
        recovery.begin(session, begun, by=lovelace.LEAD, now=lovelace.AFTER)
    work(firm)
    assert lead.get(place)["state"] == "queued"
    refused = problem_of(lead.send("POST", f"{path}/release"))
    assert (refused["status"], refused["type"].rpartition("/")[2]) == (409, "not-reconciled")
    with firm.app_context():
        recovery.reconcile(note="compared", by=lovelace.LEAD, now=lovelace.AFTER)
    work(firm)
    assert lead.get(place)["state"] == "done"
