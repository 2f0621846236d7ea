"""A request that only reads has one transaction: the token and the thing are of the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event

from firm.actor import Role
from firm.db import db
from tests.api.callers import Caller, as_role

PATHS = ("/v1/clients", "/v1/clients/Acme", "/v1/me", "/v1/months/2026-10", "/v1/trial-balance", "/v1/audit-records")


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """What begins and ends on the connections of the application."""
    seen: list[str] = []
    with app.app_context():
        engine = db.engine
    listeners = {
        name: lambda *_, name=name: seen.append(name)  # type: ignore[misc]
        for name in ("begin", "commit", "rollback")
    }
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield seen
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


@pytest.fixture
def lead(closed: Flask) -> Caller:
    lead = as_role(closed, Role.LEAD)
    # The first request also takes a share of the allowance, which is written.
    lead.get("/v1/me")
    return lead


@pytest.mark.parametrize("path", PATHS)
def test_a_reading_request_begins_once_and_commits_nothing(closed: Flask, lead: Caller, path: str) -> None:
    with counted(closed) as seen:
        lead.get(path)
    assert seen == ["begin", "rollback"]


def test_what_is_refused_leaves_no_transaction_open(closed: Flask, lead: Caller) -> None:
    with counted(closed) as seen:
        lead.get("/v1/clients/Nobody", status=404)
        lead.get("/v1/clients?limit=0", status=422)
    assert seen == ["begin", "rollback"] * 2
    lead.post("/v1/clients", {"name": "Initech", "country": "US"})
    assert lead.get("/v1/clients/Initech")["name"] == "Initech"
