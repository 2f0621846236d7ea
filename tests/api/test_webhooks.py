"""Webhooks from the change to the receiver: over real HTTP, signed, tried again, replayed, rotated, and given up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from standardwebhooks import Webhook, WebhookVerificationError

from api.app import create_app
from api.jobs import KINDS
from api.worker import Worker
from firm import clock
from firm.actor import Role
from firm.db import db, reading, transaction
from firm.errors import Refused
from firm.portfolio import operations as portfolio
from firm.recovery import operations as recovery
from firm.webhooks.catalogue import CATALOGUE
from firm.webhooks.dispatch import dispatch
from firm.webhooks.rules import DELAYS
from payouts import month_end
from tests import lovelace
from tests.api.callers import Caller, as_role, problem_of
from tests.databases import settings_for
from tests.receivers import Receiver, answering, hanging_up, receiver

ENDPOINTS = "/v1/webhook-endpoints"


class Clock:
    """A clock that goes on when it is told to, from this very moment, which signatures are checked against."""

    def __init__(self) -> None:
        self.moment = clock.now()

    def now(self) -> datetime:
        return self.moment

    def go_on(self, time: timedelta) -> None:
        self.moment += time


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(clock, "now", found.now)
    return found


@pytest.fixture
def firm(fresh_url: str, watch: Clock) -> Iterator[Flask]:
    """The empty firm, served on each engine; webhooks may be sent to this machine."""
    app = create_app(settings_for(fresh_url).model_copy(update={"webhooks_to_loopback": True}))
    with app.app_context():
        lovelace.establish()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def lead(firm: Flask) -> Caller:
    return as_role(firm, Role.LEAD)


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def register(lead: Caller, there: Receiver, **more: Any) -> dict[str, Any]:
    return dict(lead.post(ENDPOINTS, {"url": there.url, **more}))


def adopt(app: Flask, *names: str) -> None:
    """Something happens that endpoints are told of."""
    with app.app_context():
        for name in names:
            portfolio.adopt(name=name, ecosystem="Go", by=lovelace.LEAD, now=clock.now())


def work(app: Flask) -> None:
    Worker(app, KINDS).run(once=True)


def deliveries(lead: Caller, endpoint: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    wanted = f"?endpoint={endpoint['id']}" if endpoint else ""
    return list(lead.get(f"/v1/webhook-deliveries{wanted}")["items"])


def statuses(delivery: dict[str, Any]) -> list[int | None]:
    return [attempt["status"] for attempt in delivery["attempts"]]


def test_what_happened_arrives_signed(firm: Flask, lead: Caller, there: Receiver) -> None:
    endpoint = register(lead, there)
    assert endpoint["secret"].startswith("whsec_")
    adopt(firm, "ssh")
    work(firm)
    [message] = there.messages
    told = Webhook(endpoint["secret"]).verify(message.body, message.headers)
    package = lead.get("/v1/packages/ssh")
    assert told["type"] == "package.adopted"
    assert told["version"] == 1
    assert told["data"] == {"package_id": package["id"]}
    assert message.headers["webhook-id"].startswith("evt_")
    [delivery] = deliveries(lead)
    assert (delivery["state"], statuses(delivery)) == ("delivered", [204])
    assert delivery["event_id"] == message.headers["webhook-id"]


def test_restored_books_tell_nobody_anything_until_they_are_reconciled(
    firm: Flask, lead: Caller, there: Receiver
) -> None:
    register(lead, there)
    adopt(firm, "ssh")
    with firm.app_context(), transaction() as session:
        begun = recovery.begun(source="backup", taken_at=clock.now(), chain=(0, "0" * 64), now=clock.now())
        recovery.begin(session, begun, by=lovelace.LEAD, now=clock.now())
    work(firm)
    assert there.messages == []
    with firm.app_context():
        recovery.reconcile(note="compared", by=lovelace.LEAD, now=clock.now())
    work(firm)
    assert [json.loads(message.body)["type"] for message in there.messages] == ["package.adopted"]


def test_a_message_that_was_changed_does_not_verify(firm: Flask, lead: Caller, there: Receiver) -> None:
    endpoint = register(lead, there)
    adopt(firm, "ssh")
    work(firm)
    [message] = there.messages
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint["secret"]).verify(message.body + " ", message.headers)


def test_a_whole_month_is_told_once_and_in_few_words(firm: Flask, lead: Caller, there: Receiver) -> None:
    register(lead, there)
    with firm.app_context():
        lovelace.add_clients()
        lovelace.set_plan()
        lovelace.staff()
        lovelace.set_terms()
        month_end.close(lovelace.OCTOBER, by=lovelace.LEAD, now=lovelace.AFTER)
    work(firm)
    told = [json.loads(message.body) for message in there.messages]
    found = sorted({one["type"] for one in told})
    assert set(found) >= {"client.registered", "engagement.signed", "invoices.issued", "month.closed"}
    assert [one["data"] for one in told if one["type"] == "month.closed"] == [{"month": "2026-10"}]
    assert len({message.headers["webhook-id"] for message in there.messages}) == len(there.messages)
    everything = "".join(message.body for message in there.messages)
    for canary in ("Acme", "Globex", "Grace", "Ada", "10000", "lovelace.example", "Lovelace"):
        assert canary not in everything
    for one in told:
        assert set(one) == {"type", "version", "timestamp", "data"}
        assert list(one["data"]) == [CATALOGUE[one["type"]].field]


def test_an_endpoint_gets_what_it_asked_for(firm: Flask, lead: Caller, there: Receiver) -> None:
    register(lead, there, types=["month.closed"])
    adopt(firm, "ssh")
    work(firm)
    assert there.messages == []
    assert deliveries(lead) == []


def test_what_was_undone_is_not_told(firm: Flask, lead: Caller, there: Receiver) -> None:
    register(lead, there)
    adopt(firm, "ssh")
    with pytest.raises(Refused):
        adopt(firm, "ssh")
    work(firm)
    assert len(there.messages) == 1


def test_without_an_endpoint_nothing_is_noted(firm: Flask, lead: Caller) -> None:
    adopt(firm, "ssh")
    with firm.app_context(), reading() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM webhook_outbox")) == 0


def test_a_change_that_commits_late_is_told_too(firm: Flask, lead: Caller, there: Receiver) -> None:
    """On PostgreSQL an audit record may commit after one with a higher number was worked off."""
    register(lead, there)
    if db_name(firm) == "sqlite":
        return
    with firm.app_context():
        slow = db.engine.connect()
        slow.execute(
            text(
                "INSERT INTO audit_record (at, actor, role, verb, subject, facts)"
                " VALUES (now(), 'slow', 'lead', 'month.closed', '2026-09', '{}')"
            )
        )
    adopt(firm, "ssh")
    work(firm)
    assert [json.loads(message.body)["type"] for message in there.messages] == ["package.adopted"]
    slow.commit()
    slow.close()
    work(firm)
    assert [json.loads(message.body)["type"] for message in there.messages] == ["package.adopted", "month.closed"]


def db_name(app: Flask) -> str:
    with app.app_context():
        return str(db.engine.dialect.name)


def test_what_is_not_taken_is_sent_again_under_the_same_id(
    firm: Flask, lead: Caller, there: Receiver, watch: Clock
) -> None:
    endpoint = register(lead, there)
    there.behave = answering(503, b"later, please")
    adopt(firm, "ssh")
    work(firm)
    work(firm)
    assert len(there.messages) == 1, "it is not time yet"
    there.behave = hanging_up
    watch.go_on(DELAYS[0])
    work(firm)
    there.behave = answering(200)
    watch.go_on(DELAYS[1])
    work(firm)
    [delivery] = deliveries(lead, endpoint)
    assert (delivery["state"], statuses(delivery)) == ("delivered", [503, None, 200])
    assert [attempt["answer"] for attempt in delivery["attempts"]] == ["later, please", "No answer came.", "thank you"]
    assert len({message.headers["webhook-id"] for message in there.messages}) == 1
    assert len({message.headers["webhook-timestamp"] for message in there.messages}) == 3


def test_after_three_days_it_is_given_up_and_the_endpoint_disabled(
    firm: Flask, lead: Caller, there: Receiver, watch: Clock
) -> None:
    assert timedelta(days=2.5) < sum(DELAYS, timedelta()) < timedelta(days=3.5)
    endpoint = register(lead, there)
    there.behave = answering(500)
    adopt(firm, "ssh")
    work(firm)
    for delay in DELAYS:
        watch.go_on(delay)
        work(firm)
    [delivery] = deliveries(lead)
    assert (delivery["state"], len(delivery["attempts"])) == ("failed", len(DELAYS) + 1)
    found = lead.get(f"{ENDPOINTS}/{endpoint['id']}")
    assert (found["state"], found["reason"]) == ("disabled", "A message was not taken for three days.")
    verbs = audited(firm)
    assert verbs.count("webhook-endpoint.disabled") == 1
    assert verbs.count("job.parked") == 1
    adopt(firm, "age")
    work(firm)
    assert len(deliveries(lead)) == 1, "nothing more is noted for it"


def audited(app: Flask) -> list[str]:
    with app.app_context(), reading() as session:
        return list(session.scalars(text("SELECT verb FROM audit_record ORDER BY id")))


def test_an_endpoint_that_says_it_is_gone_is_disabled_at_once(firm: Flask, lead: Caller, there: Receiver) -> None:
    endpoint = register(lead, there)
    there.behave = answering(410)
    adopt(firm, "ssh")
    work(firm)
    assert lead.get(f"{ENDPOINTS}/{endpoint['id']}")["state"] == "disabled"
    assert deliveries(lead)[0]["state"] == "failed"


def test_what_waits_for_a_disabled_endpoint_is_canceled_and_can_be_replayed(
    firm: Flask, lead: Caller, there: Receiver
) -> None:
    endpoint = register(lead, there)
    adopt(firm, "ssh")
    path = f"{ENDPOINTS}/{endpoint['id']}"
    with firm.app_context():
        dispatch(now=clock.now())
    assert lead.send("PATCH", path, json={"enabled": False}).get_json()["state"] == "disabled"
    work(firm)
    [delivery] = deliveries(lead)
    assert (delivery["state"], there.messages) == ("canceled", [])
    answer = lead.send("POST", f"/v1/webhook-deliveries/{delivery['id']}/replay")
    assert answer.status_code == 409
    assert "is disabled" in problem_of(answer)["detail"]
    assert lead.send("PATCH", path, json={"enabled": True}).get_json()["reason"] is None
    for change in ({}, {"enabled": True}, {"types": []}):
        assert problem_of(lead.send("PATCH", path, json=change))["type"].endswith("/nothing-to-change")
    lead.post(f"/v1/webhook-deliveries/{delivery['id']}/replay")
    work(firm)
    assert deliveries(lead)[0]["state"] == "delivered"


def test_a_delivery_is_replayed_under_the_same_id_and_logged(firm: Flask, lead: Caller, there: Receiver) -> None:
    register(lead, there)
    adopt(firm, "ssh")
    work(firm)
    [delivery] = deliveries(lead)
    replayed = lead.post(f"/v1/webhook-deliveries/{delivery['id']}/replay")
    assert replayed["state"] == "waiting"
    work(firm)
    first, second = there.messages
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    found = lead.get(f"/v1/webhook-deliveries/{delivery['id']}")
    assert (found["state"], statuses(found)) == ("delivered", [204, 204])
    assert audited(firm).count("webhook-delivery.replayed") == 1


def test_after_ninety_days_what_was_sent_is_forgotten(firm: Flask, lead: Caller, there: Receiver, watch: Clock) -> None:
    register(lead, there, types=["package.adopted"])
    adopt(firm, "ssh")
    work(firm)
    watch.go_on(timedelta(days=89))
    work(firm)
    assert len(deliveries(as_role(firm, Role.LEAD, name="later"))) == 1
    watch.go_on(timedelta(days=2))
    work(firm)
    assert deliveries(as_role(firm, Role.LEAD, name="latest")) == []
    with firm.app_context(), reading() as session:
        for table in ("webhook_event", "webhook_attempt"):
            assert session.scalar(text(f"SELECT COUNT(*) FROM {table}")) == 0, table


def test_for_a_day_after_a_rotation_both_secrets_verify(
    firm: Flask, lead: Caller, there: Receiver, watch: Clock
) -> None:
    endpoint = register(lead, there)
    rotated = lead.post(f"{ENDPOINTS}/{endpoint['id']}/rotation")
    assert rotated["secret"] != endpoint["secret"]
    adopt(firm, "ssh")
    work(firm)
    [message] = there.messages
    for secret in (endpoint["secret"], rotated["secret"]):
        Webhook(secret).verify(message.body, message.headers)
    with firm.app_context(), transaction() as session:
        # The day goes by for the old secret alone: signatures are checked against the time of day.
        earlier = watch.now() - timedelta(seconds=1)
        session.execute(text("UPDATE webhook_endpoint SET previous_until = :at"), {"at": earlier.replace(tzinfo=None)})
    adopt(firm, "age")
    work(firm)
    later = there.messages[1]
    Webhook(rotated["secret"]).verify(later.body, later.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint["secret"]).verify(later.body, later.headers)


def test_secrets_are_shown_once_and_sealed_at_rest(firm: Flask, lead: Caller, there: Receiver) -> None:
    endpoint = register(lead, there)
    key = endpoint["secret"].removeprefix("whsec_")
    assert "secret" not in lead.get(f"{ENDPOINTS}/{endpoint['id']}")
    assert key not in json.dumps(lead.get(ENDPOINTS))
    with firm.app_context(), reading() as session:
        for table in db.metadata.tables:
            assert key not in str(session.execute(text(f'SELECT * FROM "{table}"')).all()), table


def test_a_removed_endpoint_is_gone_with_its_secrets_and_its_log_stays(
    firm: Flask, lead: Caller, there: Receiver
) -> None:
    endpoint = register(lead, there)
    adopt(firm, "ssh")
    work(firm)
    path = f"{ENDPOINTS}/{endpoint['id']}"
    assert lead.send("DELETE", path).status_code == 204
    assert lead.get(path, status=404)
    assert lead.get(ENDPOINTS)["items"] == []
    assert len(deliveries(lead, endpoint)) == 1
    with firm.app_context(), reading() as session:
        assert session.scalar(text("SELECT secret_sealed FROM webhook_endpoint")) is None
    adopt(firm, "age")
    work(firm)
    assert len(there.messages) == 1


def test_a_change_names_the_version_it_is_made_to(firm: Flask, lead: Caller, there: Receiver) -> None:
    path = f"{ENDPOINTS}/{register(lead, there)['id']}"
    stale = {"If-Match": '"of-yesterday"'}
    for method, address, body in (
        ("PATCH", path, {"enabled": False}),
        ("DELETE", path, None),
        ("POST", f"{path}/rotation", None),
    ):
        assert lead.send(method, address, json=body, headers=stale).status_code == 412, method
    assert lead.get(path)["state"] == "enabled"


def test_what_an_endpoint_wants_can_be_changed(firm: Flask, lead: Caller, there: Receiver) -> None:
    path = f"{ENDPOINTS}/{register(lead, there)['id']}"
    changed = lead.send("PATCH", path, json={"types": ["month.closed", "month.closed"], "description": "books"})
    assert (changed.get_json()["types"], changed.get_json()["description"]) == (["month.closed"], "books")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": 1},
        {"url": "https://tools.example.com/", "types": ["month.opened"]},
        {"url": "https://tools.example.com/", "secret": "whsec_mine"},
        {"url": "https://10.0.0.1/"},
        {"url": "http://tools.example.com/"},
        {"url": "https://tools.example.com@127.0.0.1/"},
        {"url": "https://2130706433/"},
        {"url": "https://169.254.169.254/latest/meta-data/"},
    ],
)
def test_a_bad_endpoint_is_refused_with_a_pointer(lead: Caller, body: dict[str, Any]) -> None:
    problem = lead.post(ENDPOINTS, body, status=422)
    assert problem["errors"][0]["pointer"].split("/")[1] in ("url", "types", "secret")
    assert lead.get(ENDPOINTS)["items"] == []


def test_there_are_not_more_than_twenty(firm: Flask, lead: Caller, there: Receiver) -> None:
    for _ in range(20):
        register(lead, there)
    assert "remove one first" in lead.post(ENDPOINTS, {"url": there.url}, status=409)["detail"]


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.SYSTEM, Role.MAINTAINER, Role.CLIENT)])
def test_the_lead_manages_and_the_auditor_reads(firm: Flask, lead: Caller, there: Receiver, role: Role) -> None:
    path = f"{ENDPOINTS}/{register(lead, there)['id']}"
    caller = as_role(firm, role, name="somebody")
    reads = 200 if role in (Role.LEAD, Role.AUDITOR) else 403
    assert caller.send("GET", ENDPOINTS).status_code == reads
    assert caller.send("GET", path).status_code == reads
    assert caller.send("GET", "/v1/webhook-deliveries").status_code == reads
    writes = 201 if role is Role.LEAD else 403
    assert caller.send("POST", ENDPOINTS, json={"url": there.url}).status_code == writes
    assert caller.send("POST", f"{path}/rotation").status_code == writes


def test_every_type_of_event_is_described_with_an_example(firm: Flask) -> None:
    document = firm.test_client().get("/openapi.json").get_json()
    assert set(document["webhooks"]) == set(CATALOGUE)
    closed = document["webhooks"]["month.closed"]["post"]["requestBody"]["content"]["application/json"]
    assert closed["example"]["data"] == {"month": "2026-10"}
    assert closed["schema"]["properties"]["type"] == {"const": "month.closed"}
