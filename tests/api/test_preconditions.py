"""If-Match: whoever changes a thing has seen what it is now; of two who saw the same, one is told to look again."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from api import preconditions
from api.preconditions import CHANGES
from firm.actor import Role
from firm.db import db
from tests import lovelace
from tests.api.callers import Caller, as_role, problem_of


@pytest.fixture
def lead(served: Flask) -> Caller:
    with served.app_context():
        lovelace.establish()
    caller = as_role(served, Role.LEAD)
    caller.post("/v1/clients", {"name": "Acme", "country": "US"})
    return caller


def plain(caller: Caller, method: str, path: str, body: object, **headers: str) -> Any:
    """One request as it is, without what a well-made client adds by itself."""
    sent = {**caller.headers, "Idempotency-Key": uuid.uuid4().hex, **headers}
    return caller.app.test_client().open(path, method=method, json=body, headers=sent)


CONTACT = {"name": "Kim", "email": "kim@acme.example", "role": "champion"}


def test_a_change_needs_the_version_it_was_decided_on(lead: Caller) -> None:
    seen = lead.send("GET", "/v1/clients/Acme").headers["ETag"]
    missing = plain(lead, "POST", "/v1/clients/Acme/contacts", CONTACT)
    assert (missing.status_code, problem_of(missing)["type"].rpartition("/")[2]) == (428, "precondition-required")
    stale = plain(lead, "POST", "/v1/clients/Acme/contacts", CONTACT, **{"If-Match": '"of-yesterday"'})
    assert (stale.status_code, problem_of(stale)["type"].rpartition("/")[2]) == (412, "precondition-failed")
    assert lead.send("GET", "/v1/clients/Acme").headers["ETag"] == seen

    changed = plain(lead, "POST", "/v1/clients/Acme/contacts", CONTACT, **{"If-Match": seen})
    assert changed.status_code == 201
    now = lead.send("GET", "/v1/clients/Acme").headers["ETag"]
    assert changed.headers["ETag"] == now != seen
    again = plain(lead, "POST", "/v1/clients/Acme/contacts", CONTACT, **{"If-Match": seen})
    assert again.status_code == 412


def test_a_thing_that_is_not_there_is_missing_and_not_stale(lead: Caller) -> None:
    answer = plain(lead, "POST", "/v1/clients/Hooli/contacts", CONTACT, **{"If-Match": '"x"'})
    assert answer.status_code == 404


def test_a_replay_gets_the_answer_of_the_version_it_first_came_with(lead: Caller) -> None:
    seen = lead.send("GET", "/v1/clients/Acme").headers["ETag"]
    key = {"Idempotency-Key": "one", "If-Match": seen}
    first = plain(lead, "POST", "/v1/clients/Acme/contacts", CONTACT, **key)
    again = plain(lead, "POST", "/v1/clients/Acme/contacts", CONTACT, **key)
    assert (again.status_code, again.get_data()) == (201, first.get_data())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["ETag"] == first.headers["ETag"]
    without = plain(lead, "POST", "/v1/clients/Acme/contacts", CONTACT, **{"Idempotency-Key": "one"})
    assert (without.status_code, problem_of(without)["status"]) == (428, 428)


@pytest.mark.parametrize("names", [("Acme", "Acme"), ("Acme", "id")], ids=["the same name", "a name and the id"])
def test_of_many_who_saw_the_same_version_one_changes_it(lead: Caller, names: tuple[str, str]) -> None:
    seen = lead.send("GET", "/v1/clients/Acme").headers["ETag"]
    identifier = lead.get("/v1/clients/Acme")["id"]
    start = threading.Barrier(8)
    statuses: list[int] = []

    def change(number: int) -> None:
        name = names[number % 2]
        path = f"/v1/clients/{identifier if name == 'id' else name}/contacts"
        body = CONTACT | {"email": f"kim{number}@acme.example"}
        start.wait()
        statuses.append(plain(lead, "POST", path, body, **{"If-Match": seen}).status_code)

    threads = [threading.Thread(target=change, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [412] * 7
    assert len(lead.get("/v1/clients/Acme")["contacts"]) == 1


def test_every_changing_route_names_one_that_shows(served: Flask) -> None:
    rules = {rule.endpoint: rule for rule in served.url_map.iter_rules()}
    for changing, shown in CHANGES.items():
        assert "GET" in (rules[shown].methods or ())
        assert rules[shown].arguments <= rules[changing].arguments, changing
        assert rules[changing].rule.startswith(rules[shown].rule)


def test_without_a_key_too_the_version_told_is_the_one_that_was_made(
    lead: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read after the commit, it could be somebody else's: whoever sends it as If-Match would write over them unseen."""
    told, look = [], preconditions.as_shown

    def look_and_tell(*args: Any) -> Any:
        with db.engine.connect().execution_options(sqlite_begin="DEFERRED") as other:
            told.append(other.scalar(text("SELECT country FROM client WHERE name = 'Acme'")))
        return look(*args)

    seen = lead.send("GET", "/v1/clients/Acme").headers["ETag"]
    monkeypatch.setattr(preconditions, "as_shown", look_and_tell)
    headers = {**lead.headers, "If-Match": seen}
    changed = lead.app.test_client().patch("/v1/clients/Acme", json={"country": "FR"}, headers=headers)
    assert (changed.status_code, set(told)) == (200, {"US"})
    monkeypatch.undo()
    now = lead.send("GET", "/v1/clients/Acme")
    assert (now.headers["ETag"], now.get_json()["country"]) == (changed.headers["ETag"], "FR")
