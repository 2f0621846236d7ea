"""Behind the proxy a refusal leaves nothing of the body unread: the connection would be reset, and the answer lost."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from flask import Flask

from api.app import create_app
from firm.actor import Role
from firm.db import db
from migrations import run
from tests import lovelace
from tests.api.callers import as_role
from tests.databases import settings_for


@pytest.fixture
def behind(sqlite_url: str) -> Iterator[Flask]:
    app = create_app(settings_for(sqlite_url).model_copy(update={"behind_proxy": True}))
    with app.app_context():
        run.upgrade(db.engine)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("size", [100_000, 1_100_000])
def test_what_a_stranger_sent_is_read(behind: Flask, size: int) -> None:
    assert left_of(behind, size, {}) == (401, b"")


def test_what_is_too_large_is_read(behind: Flask) -> None:
    with behind.app_context():
        lovelace.establish()
    assert left_of(behind, 1_100_000, dict(as_role(behind, Role.LEAD).headers)) == (413, b"")


def left_of(app: Flask, size: int, headers: dict[str, str]) -> tuple[int, bytes]:
    """What is answered to a body of this size, and what of it nobody has read."""
    body = io.BytesIO(b"x" * size)
    sent = {"input_stream": body, "content_length": size, "content_type": "application/json"}
    answer = app.test_client().post("/v1/clients", headers=headers, **sent)
    return answer.status_code, body.read()
