"""A request sent again under its Idempotency-Key is answered as the first time, and done once."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask, Response, request
from sqlalchemy import Connection, Update, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from api.app import create_app
from firm import envelope
from firm.access import answers, principals, tokens
from firm.access.answers import Answer, Key, KeyTaken, KeyUsedForOtherContent, StillRunning
from firm.access.tokens import issue_token
from firm.actor import Actor, Role
from firm.clients.operations import register
from firm.db import db, drop_held, leaving_the_house, reading, transaction
from tests import lovelace
from tests.databases import settings_for

CLIENT = {"name": "Initech", "country": "US"}


class Deadlock(Exception):
    """What a driver raises for the victim."""

    sqlstate = "40P01"


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
        secret = issue_token(
            name=name, role=Role.ADMINISTRATOR, by=Actor("test", Role.SYSTEM), now=lovelace.BEFORE
        ).secret
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


def looking() -> Connection:
    """A second pair of eyes, which sees what is committed and waits for nobody."""
    return db.engine.connect().execution_options(sqlite_begin="DEFERRED")


def key_of(minutes: float, *, content: str = "digest") -> Key:
    return Key("pri_office", "/v1/clients", "five", content, lovelace.BEFORE + timedelta(minutes=minutes))


def claim(key: Key) -> None:
    """What the first transaction of a long piece of work leaves behind."""
    with transaction() as session:
        answers.take(session, key)


def test_a_running_request_is_waited_for_and_an_abandoned_one_is_not(app: Flask) -> None:
    claim(key_of(0))
    with pytest.raises(StillRunning):
        answers.find(key_of(0.5))
    assert answers.find(key_of(2)) is None
    claim(key_of(2))
    done = Answer(201, "application/json", {"Location": "/v1/clients/1"}, b"{}")
    answers.keep(key_of(2), done)
    assert answers.find(key_of(3)) == done
    with pytest.raises(KeyUsedForOtherContent):
        answers.find(key_of(3, content="other"))
    assert answers.find(key_of(31 * 24 * 60)) is None


def test_an_answer_that_comes_after_its_key_was_given_up_undoes_the_effect(app: Flask) -> None:
    claim(key_of(0))
    claim(key_of(2))
    with envelope.wrapping(envelope.Envelope(keeps_answer=True)):
        register(name="Initech", country="US", by=lovelace.LEAD, now=lovelace.BEFORE)
        with pytest.raises(KeyTaken):
            answers.keep(key_of(0), Answer(201, "application/json", {}, b"{}"))
    assert clients_named(app, "Initech") == 0


def test_the_effect_is_not_there_before_its_answer_is(app: Flask) -> None:
    wrapped = envelope.Envelope([lambda session: answers.take(session, key_of(0))], keeps_answer=True)
    with envelope.wrapping(wrapped):
        register(name="Initech", country="US", by=lovelace.LEAD, now=lovelace.BEFORE)
        with looking() as other:
            assert other.scalar(text("SELECT COUNT(*) FROM client")) == 0
            assert other.scalar(text("SELECT COUNT(*) FROM keyed_answer")) == 0
        with reading() as session:
            assert session.scalar(text("SELECT COUNT(*) FROM client")) == 1
        answers.keep(key_of(0), Answer(201, "application/json", {}, b"{}"))
    with looking() as other:
        assert other.scalar(text("SELECT COUNT(*) FROM client")) == 1
        assert other.scalar(text("SELECT COUNT(*) FROM keyed_answer WHERE status = 201")) == 1


def test_an_effect_that_falls_to_a_deadlock_while_its_answer_is_stored_is_not_answered_without(
    served: Flask, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the end of it would run again: the answer would be kept, and the effect would be gone."""
    fallen, claimed = [DBAPIError("UPDATE", {}, Deadlock())], answers.claim

    def fall_once(session: Session, statement: Update) -> bool:
        if fallen:
            raise fallen.pop()
        return claimed(session, statement)

    monkeypatch.setattr(answers, "claim", fall_once)
    client = served.test_client()
    headers = bearer | {"Idempotency-Key": "six"}
    first = client.post("/v1/clients", json=CLIENT, headers=headers)
    assert (first.status_code, first.headers["Retry-After"]) == (503, "1")
    assert clients_named(served, "Initech") == 0
    assert client.post("/v1/clients", json=CLIENT, headers=headers).status_code == 201
    assert clients_named(served, "Initech") == 1


def test_what_falls_to_other_writers_every_time_is_to_be_tried_again(served: Flask, bearer: dict[str, str]) -> None:
    @served.before_request
    def fall() -> None:
        raise DBAPIError("UPDATE", {}, Deadlock())

    answer = served.test_client().post("/v1/clients", json=CLIENT, headers=bearer)
    assert (answer.status_code, answer.get_json()["type"].rsplit("/")[-1]) == (503, "busy")


def test_what_is_held_back_is_committed_before_more_is_written_or_the_outside_is_called(app: Flask) -> None:
    def there() -> int:
        with looking() as other:
            return other.scalar(text("SELECT COUNT(*) FROM client")) or 0

    with envelope.wrapping(envelope.Envelope(keeps_answer=True)):
        register(name="Initech", country="US", by=lovelace.LEAD, now=lovelace.BEFORE)
        register(name="Hooli", country="US", by=lovelace.LEAD, now=lovelace.BEFORE)
        assert there() == 1
        leaving_the_house()
        assert there() == 2
        register(name="Soylent", country="US", by=lovelace.LEAD, now=lovelace.BEFORE)
        drop_held()
    assert there() == 2


def test_an_error_while_answering_undoes_the_effect(served: Flask, bearer: dict[str, str]) -> None:
    @served.after_request
    def fail(response: Response) -> Response:
        if request.headers.get("Idempotency-Key") == "seven" and response.status_code == 201:
            raise RuntimeError("the answer cannot be made")
        return response

    headers = bearer | {"Idempotency-Key": "seven"}
    client = served.test_client()
    assert client.post("/v1/clients", json=CLIENT, headers=headers).status_code == 500
    assert clients_named(served, "Initech") == 0
    again = client.post("/v1/clients", json=CLIENT, headers=bearer | {"Idempotency-Key": "eight"})
    assert again.status_code == 201


def test_money_moves_with_a_key_only(served: Flask, bearer: dict[str, str]) -> None:
    client = served.test_client()
    for path in ("/v1/payout-runs", "/v1/receipts", "/v1/months/2026-10/close", "/v1/journal-entries/x/reversal"):
        answer = client.post(path, json={}, headers=bearer)
        assert (answer.status_code, path) == (403 if "reversal" in path else 400, path)
        if answer.status_code == 400:
            assert "Idempotency-Key" in answer.get_json()["detail"]


def test_nobody_gets_an_answer_that_is_not_theirs_any_more(served: Flask, bearer: dict[str, str]) -> None:
    client = served.test_client()
    headers = bearer | {"Idempotency-Key": "nine"}
    first = client.post("/v1/clients", json=CLIENT, headers=headers)
    assert client.post("/v1/tiers", json={"name": "gold"}, headers=headers).get_data() != first.get_data()
    with served.app_context():
        principals.enroll(name="lead", role=Role.LEAD, by=lovelace.LEAD, now=lovelace.BEFORE)
        principals.change("office", role=Role.AUDITOR, by=lovelace.LEAD, now=lovelace.BEFORE)
    after = client.post("/v1/clients", json=CLIENT, headers=headers)
    assert after.status_code == 403
    assert after.get_data() != first.get_data()


def test_fifty_at_once_under_each_of_twenty_keys_have_one_effect_and_one_body(
    served: Flask, bearer: dict[str, str]
) -> None:
    found: list[tuple[int, int, bytes]] = []
    work = [(number, f"key-{number}") for number in range(20) for _ in range(50)]
    random.shuffle(work)
    lock = threading.Lock()

    def send() -> None:
        client = served.test_client()
        while True:
            with lock:
                if not work:
                    return
                number, key = work.pop()
            body = CLIENT | {"name": f"Client {number}"}
            answer = client.post("/v1/clients", json=body, headers=bearer | {"Idempotency-Key": key})
            found.append((number, answer.status_code, answer.get_data()))

    threads = [threading.Thread(target=send) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1000
    assert {status for _, status, _ in found} <= {201, 409}
    for number in range(20):
        bodies = {body for found_number, status, body in found if found_number == number and status == 201}
        assert len(bodies) == 1
        assert clients_named(served, f"Client {number}") == 1


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


def test_an_answer_that_shows_a_secret_is_kept_sealed_and_replayed_all_the_same(served: Flask) -> None:
    with served.app_context():
        secret = issue_token(name="lead", role=Role.LEAD, by=lovelace.LEAD, now=lovelace.BEFORE).secret
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "once"}
    client = served.test_client()
    first = client.post("/v1/tokens", json={"name": "bot", "role": "auditor"}, headers=headers)
    again = client.post("/v1/tokens", json={"name": "bot", "role": "auditor"}, headers=headers)
    assert (first.status_code, again.get_data()) == (201, first.get_data())
    with served.app_context(), reading() as session:
        kept = session.scalar(text("SELECT body FROM keyed_answer")) or b""
    assert first.get_json()["secret"].encode() not in kept


def test_that_another_is_still_running_is_no_answer_to_keep(
    served: Flask, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    running, take = [StillRunning("The first request under this Idempotency-Key is still running.")], answers.take

    def wait_once(session: Session, key: Key) -> None:
        if running:
            raise running.pop()
        take(session, key)

    monkeypatch.setattr(answers, "take", wait_once)
    client, headers = served.test_client(), bearer | {"Idempotency-Key": "eight"}
    first = client.post("/v1/clients", json=CLIENT, headers=headers)
    assert (first.status_code, first.get_json()["type"].rpartition("/")[2]) == (409, "still-running")
    assert client.post("/v1/clients", json=CLIENT, headers=headers).status_code == 201


def test_a_key_about_the_token_in_hand_is_of_this_token_alone(served: Flask) -> None:
    """Two tokens of one principal may both be rotated under the key of the day; neither is given the other's secret."""
    narrow = {"name": "narrow", "scopes": ["read:clients"]}
    with served.app_context():
        wide = issue_token(name="bot", role=Role.ADMINISTRATOR, by=lovelace.LEAD, now=lovelace.BEFORE).secret
        own = tokens.issue("bot", scopes=narrow["scopes"], expires_at=None, by=lovelace.LEAD, now=lovelace.BEFORE)
    client, key = served.test_client(), {"Idempotency-Key": "rotate-2026-10"}
    made = [
        client.post("/v1/tokens/me/rotation", json={}, headers=key | {"Authorization": f"Bearer {secret}"})
        for secret in (wide, own.secret)
    ]
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[1].get_json()["scopes"] == narrow["scopes"]
    for answer in made:
        mine = key | {"Authorization": f"Bearer {answer.get_json()['secret']}"}
        assert client.post("/v1/tokens/me/revocation", headers=mine).status_code == 204
        assert client.get("/v1/me", headers=mine).status_code == 401
