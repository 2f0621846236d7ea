"""A request sent again under its Idempotency-Key is answered as the first time, and done once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from api.app import create_app
from firm.access import answers
from firm.access.answers import Answer, Key, StillRunning
from firm.access.operations import issue_token
from firm.actor import Actor, Role
from firm.db import db, reading
from tests import lovelace
from tests.databases import settings_for

CLIENT = {"name": "Initech", "country": "US"}


@pytest.fixture
def served(fresh_url: str) -> Iterator[Flask]:
    app = create_app(settings_for(fresh_url))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def bearer(served: Flask) -> dict[str, str]:
    return token_for(served, "office")


def token_for(app: Flask, name: str) -> dict[str, str]:
    with app.app_context():
        _, secret = issue_token(name=name, role=Role.ADMINISTRATOR, by=Actor("test", Role.SYSTEM), now=lovelace.BEFORE)
    return {"Authorization": f"Bearer {secret}"}


def clients_named(app: Flask, name: str) -> int:
    with app.app_context(), reading() as session:
        return session.scalar(text("SELECT COUNT(*) FROM client WHERE name = :name"), {"name": name}) or 0


def test_a_replay_gets_the_first_answer_byte_for_byte(served: Flask, bearer: dict[str, str]) -> None:
    client = served.test_client()
    headers = bearer | {"Idempotency-Key": "one"}
    first = client.post("/v1/clients", json=CLIENT, headers=headers)
    again = client.post("/v1/clients", json=CLIENT, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.get_data() == first.get_data()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert clients_named(served, "Initech") == 1


def test_a_refusal_is_replayed_too(served: Flask, bearer: dict[str, str]) -> None:
    client = served.test_client()
    client.post("/v1/clients", json=CLIENT, headers=bearer)
    headers = bearer | {"Idempotency-Key": "two"}
    answers_ = [client.post("/v1/clients", json=CLIENT, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers_] == [409, 409]
    assert answers_[0].get_data() == answers_[1].get_data()


def test_other_content_under_the_same_key_is_refused(served: Flask, bearer: dict[str, str]) -> None:
    client = served.test_client()
    headers = bearer | {"Idempotency-Key": "three"}
    client.post("/v1/clients", json=CLIENT, headers=headers)
    other = client.post("/v1/clients", json=CLIENT | {"name": "Hooli"}, headers=headers)
    assert other.status_code == 422
    assert "another request" in other.get_json()["detail"]
    assert clients_named(served, "Hooli") == 0


def test_a_key_belongs_to_its_principal(served: Flask, bearer: dict[str, str]) -> None:
    client = served.test_client()
    stranger = token_for(served, "stranger")
    client.post("/v1/clients", json=CLIENT, headers=bearer | {"Idempotency-Key": "four"})
    other = client.post("/v1/clients", json=CLIENT, headers=stranger | {"Idempotency-Key": "four"})
    assert other.status_code == 409
    assert "Idempotent-Replayed" not in other.headers


@pytest.mark.parametrize("key", ["", "x" * 256, "käse", "two words"])
def test_a_malformed_key_is_refused(served: Flask, bearer: dict[str, str], key: str) -> None:
    headers = bearer | {"Idempotency-Key": key}
    answer = served.test_client().post("/v1/clients", json=CLIENT, headers=headers)
    assert answer.status_code == 400
    assert clients_named(served, "Initech") == 0


def test_a_running_request_is_waited_for_and_an_abandoned_one_is_not(served: Flask) -> None:
    key = Key("office", "/v1/clients", "five", "digest")
    with served.app_context():
        assert answers.begin(key, now=lovelace.BEFORE) is None
        with pytest.raises(StillRunning):
            answers.begin(key, now=lovelace.BEFORE + timedelta(seconds=30))
        assert answers.begin(key, now=lovelace.BEFORE + timedelta(minutes=2)) is None
        answers.finish(key, Answer(201, "application/json", b"{}"))
        assert answers.begin(key, now=lovelace.BEFORE + timedelta(minutes=3)) == Answer(201, "application/json", b"{}")
        assert answers.begin(key, now=lovelace.BEFORE + timedelta(days=31)) is None


def test_many_requests_at_once_under_one_key_have_one_effect(served: Flask, bearer: dict[str, str]) -> None:
    headers = bearer | {"Idempotency-Key": "six"}
    start = threading.Barrier(12)
    found: list[tuple[int, bytes]] = []

    def send() -> None:
        start.wait()
        answer = served.test_client().post("/v1/clients", json=CLIENT, headers=headers)
        found.append((answer.status_code, answer.get_data()))

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _ in found} <= {201, 409}
    assert len({body for status, body in found if status == 201}) == 1
    assert clients_named(served, "Initech") == 1


def test_an_unchanged_resource_answers_304(served: Flask, bearer: dict[str, str]) -> None:
    client = served.test_client()
    made = client.post("/v1/clients", json=CLIENT, headers=bearer).get_json()
    first = client.get(f"/v1/clients/{made['id']}", headers=bearer)
    again = client.get(f"/v1/clients/{made['id']}", headers=bearer | {"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)
