"""Whether a process is well, and what it says when it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from api import readiness
from api.app import create_app
from api.readiness import checks
from firm.profile.changes import change_firm
from firm.settings import Settings
from tests import lovelace
from tests.api.callers import anonymous
from tests.databases import SECRET_KEYS, TEST_KEY, settings_for


def test_a_healthy_process_says_so_without_a_token(served: Flask) -> None:
    assert anonymous(served).get("/healthz") == {"status": "ok"}
    answer = anonymous(served).get("/readyz")
    assert answer["status"] == "ready"
    assert [name for name, check in answer["checks"].items() if check["ok"]] == [
        "process",
        "disk",
        "papers",
        "database",
        "schema",
        "secrets",
    ]
    assert all(check["reason"] for check in answer["checks"].values())


def test_an_unmigrated_database_is_not_ready_and_says_why(tmp_path: Path) -> None:
    app = create_app(settings_for(f"sqlite:///{tmp_path}/empty.db"))
    assert anonymous(app).get("/healthz") == {"status": "ok"}
    answer = anonymous(app).send("GET", "/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["status"] == "not ready"
    assert answer.get_json()["checks"]["schema"] == {
        "ok": False,
        "reason": "the schema is of another version; run chambers migrate",
    }


def test_a_database_that_is_away_is_named_and_its_address_is_not() -> None:
    app = create_app(settings_for("postgresql://ada:secret@127.0.0.1:9/books"))
    answer = anonymous(app).send("GET", "/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"]["database"] == {"ok": False, "reason": "the database is not reachable"}
    assert "secret" not in answer.get_data(as_text=True)


def test_too_little_disk_beside_the_books_is_not_ready(sqlite_served: Flask, sqlite_url: str) -> None:
    settings = Settings(database_url=sqlite_url, least_free_mb=10**9)
    with sqlite_served.app_context():
        found = {check.name: check for check in checks(settings)}
    assert not found["disk"].ok
    assert found["disk"].reason == "less than 1000000000 MB are free beside the books"


def test_papers_and_anchors_that_cannot_be_written_are_named_and_the_rest_goes_on(
    sqlite_url: str, barred: Path
) -> None:
    places = {"papers": barred / "papers", "audit_anchors": barred / "anchors.jsonl"}
    key = TEST_KEY.partition(":")[2]
    answer = anonymous(create_app(Settings(**settings_for(sqlite_url).model_dump() | places | {"audit_key": key})))
    told = answer.get("/readyz")
    assert told["status"] == "ready"
    assert [told["checks"][name]["ok"] for name in ("papers", "anchors")] == [False, False]
    assert "CHAMBERS_PAPERS" in told["checks"]["papers"]["reason"]
    assert "CHAMBERS_AUDIT_ANCHORS" in told["checks"]["anchors"]["reason"]


def test_papers_and_anchors_may_have_places_that_are_not_there_yet(sqlite_served: Flask, tmp_path: Path) -> None:
    places = {"papers": tmp_path / "a" / "papers", "audit_anchors": tmp_path / "b" / "anchors.jsonl"}
    settings = Settings(database_url="sqlite://", audit_key=TEST_KEY.partition(":")[2], **places)  # type: ignore[arg-type]
    with sqlite_served.app_context():
        assert all(check.ok for check in checks(settings))


def test_a_process_that_is_stopping_is_not_ready(sqlite_served: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_stopping", True)
    answer = anonymous(sqlite_served).send("GET", "/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"]["process"]["reason"] == "stopping: it finishes what it has begun"
    assert anonymous(sqlite_served).send("GET", "/healthz").status_code == 200


def test_keys_that_do_not_open_what_is_sealed_are_not_ready(sqlite_served: Flask, sqlite_url: str) -> None:
    with sqlite_served.app_context():
        lovelace.establish()
        change_firm(iban="DE89370400440532013000", bic=None, keys=SECRET_KEYS, by=lovelace.LEAD, now=lovelace.BEFORE)
    settings = settings_for(sqlite_url).model_dump()
    other = create_app(Settings(**settings | {"secret_keys": f"test:{'A' * 43}="}))
    answer = anonymous(other).send("GET", "/readyz")
    assert answer.status_code == 503
    assert "CHAMBERS_SECRET_KEYS does not open" in answer.get_json()["checks"]["secrets"]["reason"]
    given_up = create_app(Settings(**settings | {"secret_keys": f"new:{'A' * 43}=", "lost_secret_keys": "test"}))
    assert anonymous(given_up).send("GET", "/readyz").status_code == 200
